#include "graph_file.h"

#include <algorithm>

namespace elanus {
namespace {

constexpr char kHeadSection[] = "graph";
constexpr char kLinksSection[] = "links";
constexpr char kLayersSection[] = "layers";

constexpr uint32_t kLayersMax = 32;

// What the head section holds.
struct Head {
  uint32_t rows;
  uint32_t m;
  uint32_t layer_count;
  uint32_t zero;
  uint32_t layer_rows[kLayersMax];
};

// Whether all are below `end`, or none at all. Without a branch, so that it is done in vectors.
bool all_below(const uint32_t* links, size_t count, uint32_t end) {
  bool sound = true;
  for (size_t i = 0; i < count; ++i) sound &= (links[i] < end) | (links[i] == kNoRow);
  return sound;
}

// One layer from the numbers at `at`; false when it is none.
bool read_layer(const uint32_t* at, uint32_t rows_below, const Graph& graph, uint32_t rows, GraphLayer* layer) {
  layer->rows.assign(at, at + rows);
  layer->below.assign(at + rows, at + 2 * size_t{rows});
  layer->links.assign(at + 2 * size_t{rows}, at + (2 + size_t{graph.m}) * rows);
  const auto is_below = [](uint32_t end) { return [end](uint32_t number) { return number < end; }; };
  return std::all_of(layer->rows.begin(), layer->rows.end(), is_below(graph.rows)) &&
         std::all_of(layer->below.begin(), layer->below.end(), is_below(rows_below)) &&
         all_below(layer->links.data(), layer->links.size(), rows);
}

}  // namespace

void write_graph(const Graph& graph, IndexFileWriter& writer) {
  Head head{};
  head.rows = graph.rows;
  head.m = graph.m;
  head.layer_count = static_cast<uint32_t>(graph.layers.size());
  for (size_t i = 0; i < graph.layers.size(); ++i)
    head.layer_rows[i] = static_cast<uint32_t>(graph.layers[i].rows.size());
  writer.add(kHeadSection, &head, 1);
  writer.add(kLinksSection, graph.links.data(), size_t{graph.rows} * graph.degree);
  writer.begin(kLayersSection);
  for (const GraphLayer& layer : graph.layers) {
    for (const std::vector<uint32_t>* part : {&layer.rows, &layer.below, &layer.links})
      writer.append(part->data(), part->size() * sizeof(uint32_t));
  }
}

FileFault read_graph(const IndexFile& file, Graph* graph) {
  const Head* const head = file.array<Head>(kHeadSection, 1);
  if (head == nullptr) return file.damaged("it has no graph");
  if (head->rows > kIndexRowsMax || head->m < 1 || head->m > kIndexRowsMax || head->layer_count > kLayersMax)
    return file.damaged("its graph has a size that none can have");
  graph->rows = head->rows;
  graph->m = head->m;
  graph->degree = 2 * head->m;
  const size_t link_count = size_t{graph->rows} * graph->degree;
  const uint32_t* const links = file.array<uint32_t>(kLinksSection, link_count);
  if (links == nullptr) return file.damaged("its graph has not as many links as it must");
  if (!all_below(links, link_count, graph->rows)) return file.damaged("its graph links to where no row is");
  graph->links = HugeArray<uint32_t>::borrow(links, link_count);

  size_t numbers = 0;
  for (uint32_t i = 0; i < head->layer_count; ++i) {
    const uint32_t rows = head->layer_rows[i];
    // Each layer is a part of the one below.
    if (rows == 0 || rows > (i == 0 ? head->rows : head->layer_rows[i - 1]))
      return file.damaged("its graph has layers that none can have");
    numbers += (2 + size_t{graph->m}) * rows;
  }
  const uint32_t* at = file.array<uint32_t>(kLayersSection, numbers);
  if (at == nullptr) return file.damaged("its graph has not the layers that it must");
  graph->layers.assign(head->layer_count, {});
  uint32_t rows_below = graph->rows;
  for (uint32_t i = 0; i < head->layer_count; ++i) {
    const uint32_t rows = head->layer_rows[i];
    if (!read_layer(at, rows_below, *graph, rows, &graph->layers[i]))
      return file.damaged("its graph links to where no row is");
    at += (2 + size_t{graph->m}) * rows;
    rows_below = rows;
  }
  return {};
}

}  // namespace elanus
