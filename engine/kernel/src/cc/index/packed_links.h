// The links of a graph's nodes in as few bits as their numbers need.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "graph.h"
#include "huge_array.h"
#include "index_file.h"

namespace elanus {

// Layer 0 of a graph: links one behind the other, each node's from the next byte on.
class PackedLinks {
 public:
  // Of a link, so that one number is left that leads nowhere.
  static uint32_t bits_of(uint32_t rows) { return rows == 0 ? 1 : static_cast<uint32_t>(std::bit_width(rows)); }
  static size_t node_bytes(uint32_t rows, size_t degree) { return (degree * bits_of(rows) + 7) / 8; }

  // Appends the links of all nodes to the section that was begun.
  static void write(const Graph& graph, IndexFileWriter& writer);

  PackedLinks() = default;
  // Those of so many nodes, which outlive this and may be any bytes. REQUIRES: eight bytes are readable behind them.
  PackedLinks(const uint8_t* bytes, uint32_t rows, uint32_t degree)
      : bytes_(bytes), rows_(rows), degree_(degree), bits_(bits_of(rows)), node_bytes_(node_bytes(rows, degree)) {}

  size_t memory_bytes() const { return rows_ * node_bytes_; }
  // Of a node's links.
  size_t node_bytes() const { return node_bytes_; }

  void prefetch(uint32_t node) const {
    const uint8_t* const at = bytes_ + node * node_bytes_;
    __builtin_prefetch(at);
    __builtin_prefetch(at + node_bytes_ - 1);
  }

  // Calls `visit(link)` for the links of a node, all below the number of rows.
  template <class Visit>
  void for_each(uint32_t node, const Visit& visit) const {
    const uint8_t* const links = bytes_ + node * node_bytes_;
    const uint64_t mask = (uint64_t{1} << bits_) - 1;
    for (size_t at = 0; at < size_t{degree_} * bits_; at += bits_) {
      uint64_t word;
      std::memcpy(&word, links + at / 8, sizeof word);
      const auto link = static_cast<uint32_t>(word >> at % 8 & mask);
      if (link >= rows_) return;
      visit(link);
    }
  }

  // Whether each list ends where nothing but ends follows. False when cancelled.
  bool are_sound(const std::atomic<bool>* cancelled) const;

 private:
  const uint8_t* bytes_ = nullptr;
  uint32_t rows_ = 0;
  uint32_t degree_ = 0;
  uint32_t bits_ = 1;
  size_t node_bytes_ = 0;
};

}  // namespace elanus
