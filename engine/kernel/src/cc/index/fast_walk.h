// The walk over the records of a FastGraph.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "allowed_rows.h"
#include "beam.h"
#include "fast_records.h"
#include "frontier.h"
#include "vector_index.h"

namespace elanus {

// A set of row numbers that takes one bit a row, so that it stays in the nearest caches, and is emptied by taking
// out what was put in.
class RowSet {
 public:
  // REQUIRES: empty.
  void make_room(uint32_t rows) {
    if (words_.size() * 64 < rows) words_.resize((size_t{rows} + 63) / 64);
  }
  bool has(uint32_t row) const { return (words_[row / 64] >> row % 64 & 1) != 0; }
  // False when it was in already.
  bool insert(uint32_t row) {
    uint64_t& word = words_[row / 64];
    const uint64_t bit = uint64_t{1} << row % 64;
    if ((word & bit) != 0) return false;
    word |= bit;
    rows_.push_back(row);
    return true;
  }
  void clear() {
    for (const uint32_t row : rows_) words_[row / 64] = 0;
    rows_.clear();
  }

 private:
  std::vector<uint64_t> words_;
  std::vector<uint32_t> rows_;
};

// A query as the walk uses it, and one thread's working memory.
struct FastWalk {
  AlignedVector<float> query;  // as a RowReader gives it
  AlignedVector<float> centred;
  AlignedVector<float> turned;
  AlignedVector<uint8_t> table_bytes;
  DigitTables tables{};
  CodedQuery coded;

  Beam entries;
  Beam beam;
  Frontier frontier;  // under a filter, in place of the beam
  Beam allowed;  // under a filter: the allowed rows that are known, by estimate
  size_t steps = 0;  // that it has taken
  size_t taken = 0;  // under a filter: rows that were near, and how many of them are allowed
  size_t taken_allowed = 0;
  RowSet seen;
  // The rows on which the walk has stood, by the ranks of their codes, in no order.
  std::vector<IndexHit> found;
};

// Makes the walk ready for `walk->query`.
void prepare_fast_walk(const WalkLoops& loops, const FastRecords& records, FastWalk* walk);

// Goes from row to row, always to the nearest by estimate that it has not stood on, until it has stood on the `ef`
// nearest that it knows of: `walk->found`.
// REQUIRES: prepare_fast_walk; ef at least 1; at least one row.
void walk_fast(const WalkLoops& loops, const FastRecords& records, uint32_t ef, const std::atomic<bool>* cancelled,
               FastWalk* walk);

// Two such walks by turns: each as it would go alone, but together faster.
void walk_fast_both(const WalkLoops& loops, const FastRecords& records, uint32_t ef, const std::atomic<bool>* cancelled,
                    FastWalk* one, FastWalk* other);

struct FilteredWalk {
  uint32_t ef;
  double steps_max;
  double allowed_min;
};

// The same among allowed rows: it goes through all, until it knows `ef` allowed ones that are nearer than any it has
// not stood on. In `walk->found` are allowed rows only. False when that takes more than `steps_max` steps, when less
// than a share of `allowed_min` of what is near is allowed, or when the walk has lost its way.
bool walk_fast_filtered(const WalkLoops& loops, const FastRecords& records, const AllowedRows& allowed,
                        const FilteredWalk& limits, const std::atomic<bool>* cancelled, FastWalk* walk);

}  // namespace elanus
