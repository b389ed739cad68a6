#include "graph_order.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "parallel.h"
#include "records_in_order.h"
#include "walk.h"

namespace elanus {
namespace {

constexpr size_t kRowsPerRun = 64;
// The layers whose nodes say where a row is: of the lowest 1 in m rows is a node, and of each other 1 in m of the one below.
constexpr size_t kPlaceLayers = 3;
// Rows of a graph with fewer layers are in the processor's caches anyway.
constexpr size_t kLayersMin = 2;

// The node nearest to a row in each of the layers, the highest first.
using Place = std::array<uint32_t, kPlaceLayers>;

Place place_of(const CodeScorer& scorer, const Graph& graph, Neighbours& neighbours) {
  Place place{};
  const size_t highest = std::min(kPlaceLayers, graph.layers.size());
  float rank = 0;
  uint32_t node = find_entry(graph, scorer, highest, &rank, neighbours);
  for (size_t layer = highest; layer > 0; --layer) {
    node = descend(LayerView::of(graph, layer), scorer, node, &rank, neighbours);
    place[kPlaceLayers - layer] = node;
    node = node_below(graph, layer, node);
  }
  return place;
}

}  // namespace

std::vector<uint32_t> rows_by_place(const WalkCodes& codes, const Graph& graph, uint32_t threads,
                                    const std::atomic<bool>* cancelled) {
  std::vector<uint32_t> rows;
  if (graph.layers.size() < kLayersMin) return rows;
  rows.resize(graph.rows);
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<Place> places(graph.rows);
  parallel_for(threads, graph.rows, kRowsPerRun, cancelled, [&](size_t begin, size_t end) {
    WalkQuery query;
    Neighbours neighbours;
    const CodeScorer scorer = {codes, query};
    for (size_t row = begin; row < end; ++row) {
      codes.prepare_row(static_cast<uint32_t>(row), &query);
      places[row] = place_of(scorer, graph, neighbours);
    }
  });
  std::sort(rows.begin(), rows.end(), [&](uint32_t one, uint32_t other) {
    return places[one] != places[other] ? places[one] < places[other] : one < other;
  });
  return rows;
}

void put_in_order(const std::vector<uint32_t>& rows, Graph* graph, WalkCodes* codes) {
  if (rows.empty()) return;
  std::vector<uint32_t> nodes(rows.size());
  for (uint32_t node = 0; node < rows.size(); ++node) nodes[rows[node]] = node;
  codes->put_in_order(rows);
  put_records_in_order(rows, graph->degree, graph->links.data());
  uint32_t* const links = graph->links.data();
  for (size_t i = 0; i < graph->links.size(); ++i) {
    if (links[i] != kNoRow) links[i] = nodes[links[i]];
  }
  for (size_t layer = 0; layer < graph->layers.size(); ++layer) {
    NumberArray& of_layer = graph->layers[layer].rows;
    std::vector<uint32_t> renumbered(of_layer.size());
    for (size_t slot = 0; slot < renumbered.size(); ++slot) renumbered[slot] = nodes[of_layer[slot]];
    of_layer = NumberArray::own(std::move(renumbered));
    if (layer == 0) graph->layers[0].below = of_layer;
  }
  graph->row_of_node = NumberArray::own(std::vector<uint32_t>(rows));
  graph->node_of_row = NumberArray::own(std::move(nodes));
}

}  // namespace elanus
