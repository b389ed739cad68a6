// How the nodes of a graph lie in blocks of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "block_reader.h"
#include "dense_rows.h"
#include "graph.h"
#include "index_file.h"

namespace elanus {

// A node: u32 row, f32 what a vector of COSINE is divided by, the vector, the links, ended by kNoRow where there are
// fewer than the degree. A block holds as many whole nodes as go in; a node that is larger has blocks of its own.
struct NodeShape {
  size_t vector_bytes = 0;
  uint32_t degree = 0;

  static constexpr size_t kHeadBytes = 2 * sizeof(uint32_t);

  size_t node_bytes() const { return kHeadBytes + (vector_bytes + 3) / 4 * 4 + degree * sizeof(uint32_t); }
  uint32_t nodes_per_unit() const {
    return node_bytes() <= kBlockBytes ? static_cast<uint32_t>(kBlockBytes / node_bytes()) : 1;
  }
  // Blocks that are read together.
  uint32_t blocks_per_unit() const { return static_cast<uint32_t>((node_bytes() + kBlockBytes - 1) / kBlockBytes); }
  size_t unit_bytes() const { return blocks_per_unit() * kBlockBytes; }
  uint64_t units(uint32_t rows) const { return (uint64_t{rows} + nodes_per_unit() - 1) / nodes_per_unit(); }
};

// A node within the bytes of its unit.
class NodeView {
 public:
  NodeView(const NodeShape& shape, const uint8_t* unit, uint32_t slot)
      : shape_(shape), bytes_(unit + slot * shape.node_bytes()) {}

  uint32_t row() const { return number(bytes_); }
  float inverse_norm() const {
    float norm;
    std::memcpy(&norm, bytes_ + sizeof(uint32_t), sizeof norm);
    return norm;
  }
  const uint8_t* vector() const { return bytes_ + NodeShape::kHeadBytes; }
  uint32_t link(uint32_t i) const {
    return number(vector() + (shape_.vector_bytes + 3) / 4 * 4 + i * sizeof(uint32_t));
  }

 private:
  static uint32_t number(const uint8_t* from) {
    uint32_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }

  const NodeShape& shape_;
  const uint8_t* bytes_;
};

// The place of each row among the nodes: near ones share a unit. Follows the links, takes no other rows' time than its
// own, and depends on the graph only.
std::vector<uint32_t> place_together(const Graph& graph, uint32_t nodes_per_unit);

// All units, in the order of the places, to the section that was begun.
void write_nodes(const NodeShape& shape, const DenseRows& rows, const Graph& graph,
                 const std::vector<uint32_t>& places, IndexFileWriter& writer);

}  // namespace elanus
