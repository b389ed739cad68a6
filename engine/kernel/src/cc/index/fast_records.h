// What the fast layout keeps of each row, in one piece of memory that a walk asks for at once: the row's code, its
// links, and codes of the rows that they lead to. As SymphonyQG does: Gou et al., arXiv 2411.12229.
//
//   row code        RowCode::bytes()
//   blocks          `blocks` times, for kBlockNeighbours neighbours each:
//     rows          uint32 each; unused places hold the row itself
//     added         float each; +infinity in unused places
//     factors       float each
//     digits        16 bytes for each place of NeighbourCode
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "graph.h"
#include "huge_array.h"
#include "neighbour_code.h"
#include "row_code.h"
#include "row_reader.h"

namespace elanus {

struct FastLayout {
  size_t row_code_bytes = 0;
  uint32_t blocks = 0;
  uint32_t places = 0;

  size_t degree() const { return blocks * kBlockNeighbours; }
  size_t digits_at() const { return 3 * kBlockNeighbours * sizeof(uint32_t); }
  size_t block_bytes() const { return digits_at() + size_t{16} * places; }
  size_t record_bytes() const { return row_code_bytes + blocks * block_bytes(); }
};

// The multiple of kBlockNeighbours that is nearest to the degree of a graph, at least one block.
uint32_t fast_blocks(uint32_t degree);

class FastRecords {
 public:
  // Of no rows.
  explicit FastRecords(ElanusMetric metric = ELANUS_L2) : metric_(metric) {}
  // REQUIRES: rows * layout.record_bytes() bytes, and entries of whole blocks, at least one. In a damaged file links may
  // lead anywhere: who follows one compares it with `rows` first.
  FastRecords(ElanusMetric metric, RowCode row_code, NeighbourCode neighbour_code, uint32_t blocks, uint32_t rows,
              HugeArray<uint8_t> entries, HugeArray<uint8_t> bytes);

  // Of rows whose graph is known. Places that the graph leaves free are filled with near rows two steps away.
  // The same for the same rows, graph and seed, whatever the number of threads. `control->done` runs from what it is
  // to `done_after`; void when cancelled.
  static FastRecords make(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const Graph& graph,
                          uint64_t seed, uint32_t threads, WorkControl* control, float done_after);

  ElanusMetric metric() const { return metric_; }
  const RowCode& row_code() const { return row_code_; }
  const NeighbourCode& neighbour_code() const { return neighbour_code_; }
  const FastLayout& layout() const { return layout_; }
  uint32_t rows() const { return rows_; }
  // Blocks of rows from all over, coded as if they were neighbours of the mean: walks begin at the nearest of them.
  size_t entry_blocks() const { return rows_ == 0 ? 0 : entries_.size() / block_bytes_; }
  const uint8_t* entry_block(size_t block) const { return entries_.data() + block * block_bytes_; }
  const HugeArray<uint8_t>& entries() const { return entries_; }
  const HugeArray<uint8_t>& bytes() const { return bytes_; }
  size_t memory_bytes() const {
    return bytes_.bytes() + entries_.bytes() + row_code_.memory_bytes() + neighbour_code_.memory_bytes();
  }

  const uint8_t* record_of(uint32_t row) const { return bytes_.data() + row * record_bytes_; }
  void prefetch(uint32_t row) const {
    const uint8_t* const record = record_of(row);
    for (size_t at = 0; at < record_bytes_; at += 64) __builtin_prefetch(record + at);
  }
  // Of block `block` of a record.
  const uint8_t* block_of(const uint8_t* record, size_t block) const {
    return record + layout_.row_code_bytes + block * block_bytes_;
  }
  static const uint32_t* links_of(const uint8_t* block) { return reinterpret_cast<const uint32_t*>(block); }
  NeighbourBlock codes_of(const uint8_t* block) const {
    const auto* const floats = reinterpret_cast<const float*>(block);
    return {floats + kBlockNeighbours, floats + 2 * kBlockNeighbours, block + digits_at_};
  }

  // Whether every link leads to a row. False when cancelled.
  bool links_are_sound(const std::atomic<bool>* cancelled) const;

 private:
  friend class FastRecordsBuilder;

  ElanusMetric metric_ = ELANUS_L2;
  RowCode row_code_;
  NeighbourCode neighbour_code_;
  FastLayout layout_;
  size_t record_bytes_ = 0;
  size_t block_bytes_ = 0;
  size_t digits_at_ = 0;
  uint32_t rows_ = 0;
  HugeArray<uint8_t> entries_;
  HugeArray<uint8_t> bytes_;
};

}  // namespace elanus
