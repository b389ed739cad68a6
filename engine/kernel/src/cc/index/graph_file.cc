#include "graph_file.h"

#include "elanus/index.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "graph";
constexpr char kLinksSection[] = "links";
constexpr char kLayersSection[] = "layers";
constexpr char kRowsSection[] = "rows of nodes";
constexpr char kNodesSection[] = "nodes of rows";

constexpr uint32_t kLayersMax = 32;

// What the head section holds.
struct Head {
  uint32_t rows;
  uint32_t m;
  uint32_t layer_count;
  uint32_t zero;
  uint32_t layer_rows[kLayersMax];
};

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
    for (const NumberArray* part : {&layer.rows, &layer.below, &layer.links})
      writer.append(part->data(), part->bytes());
  }
  if (!graph.is_placed()) return;
  writer.add(kRowsSection, graph.row_of_node.data(), graph.rows);
  writer.add(kNodesSection, graph.node_of_row.data(), graph.rows);
}

FileFault read_graph(const IndexFile& file, Graph* graph) {
  const Head* const head = file.array<Head>(kHeadSection, 1);
  if (head == nullptr) return file.damaged("it has no graph");
  if (head->rows > kIndexRowsMax || head->m < ELANUS_M_MIN || head->m > ELANUS_M_MAX || head->layer_count > kLayersMax)
    return file.damaged("its graph has a size that none can have");
  graph->rows = head->rows;
  graph->m = head->m;
  graph->degree = 2 * head->m;
  const size_t link_count = size_t{graph->rows} * graph->degree;
  const uint32_t* const links = file.array<uint32_t>(kLinksSection, link_count);
  if (links == nullptr) return file.damaged("its graph has not as many links as it must");
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
  graph->layers.clear();
  for (uint32_t i = 0; i < head->layer_count; ++i) {
    const size_t rows = head->layer_rows[i];
    const size_t layer_links = rows * graph->m;
    graph->layers.push_back({NumberArray::borrow(at, rows), NumberArray::borrow(at + rows, rows),
                             NumberArray::borrow(at + 2 * rows, layer_links)});
    at += 2 * rows + layer_links;
  }
  return {};
}

FileFault read_places(const IndexFile& file, Graph* graph) {
  const uint32_t* const rows = file.array<uint32_t>(kRowsSection, graph->rows);
  const uint32_t* const nodes = file.array<uint32_t>(kNodesSection, graph->rows);
  if (rows == nullptr || nodes == nullptr) return file.damaged("its rows have not the places that they must");
  graph->row_of_node = NumberArray::borrow(rows, graph->rows);
  graph->node_of_row = NumberArray::borrow(nodes, graph->rows);
  return {};
}

}  // namespace elanus
