#include "disk_nodes.h"

#include <algorithm>

namespace elanus {
namespace {

// Units that are put together before they are written.
constexpr size_t kUnitsAtOnce = 256;

}  // namespace

std::vector<uint32_t> place_together(const Graph& graph, uint32_t nodes_per_unit) {
  std::vector<uint32_t> places(graph.rows, kNoRow);
  std::vector<uint32_t> unit;
  uint32_t placed = 0;
  const auto place = [&](uint32_t row) {
    places[row] = placed++;
    unit.push_back(row);
  };
  for (uint32_t first = 0; first < graph.rows; ++first) {
    if (places[first] != kNoRow) continue;
    // A unit that is not full begins anew with the next row: places go on all the same, so that none is left empty.
    if (placed % nodes_per_unit == 0) unit.clear();
    place(first);
    for (size_t at = 0; at < unit.size() && placed % nodes_per_unit != 0; ++at) {
      const uint32_t* const links = graph.links_of(unit[at]);
      for (uint32_t i = 0; i < graph.degree && links[i] < graph.rows && placed % nodes_per_unit != 0; ++i) {
        if (places[links[i]] == kNoRow) place(links[i]);
      }
    }
  }
  return places;
}

void write_nodes(const NodeShape& shape, const DenseRows& rows, const Graph& graph,
                 const std::vector<uint32_t>& places, IndexFileWriter& writer) {
  std::vector<uint32_t> row_at(rows.rows);
  for (uint32_t row = 0; row < rows.rows; ++row) row_at[places[row]] = row;
  const uint32_t per_unit = shape.nodes_per_unit();
  const uint64_t units = shape.units(rows.rows);
  std::vector<uint8_t> bytes;
  for (uint64_t first = 0; first < units; first += kUnitsAtOnce) {
    const size_t here = std::min<size_t>(kUnitsAtOnce, units - first);
    bytes.assign(here * shape.unit_bytes(), 0);
    for (size_t unit = 0; unit < here; ++unit) {
      for (uint32_t slot = 0; slot < per_unit; ++slot) {
        uint8_t* at = bytes.data() + unit * shape.unit_bytes() + slot * shape.node_bytes();
        const uint64_t place = (first + unit) * per_unit + slot;
        const uint32_t row = place < rows.rows ? row_at[place] : kNoRow;
        std::memcpy(at, &row, sizeof row);
        if (row == kNoRow) continue;
        const float inverse = rows.inverse_norms == nullptr ? 1 : rows.inverse_norms[row];
        std::memcpy(at + sizeof row, &inverse, sizeof inverse);
        at += NodeShape::kHeadBytes;
        std::memcpy(at, rows.at(row), shape.vector_bytes);
        std::memcpy(at + (shape.vector_bytes + 3) / 4 * 4, graph.links_of(row), shape.degree * sizeof(uint32_t));
      }
    }
    writer.append(bytes.data(), bytes.size());
  }
}

}  // namespace elanus
