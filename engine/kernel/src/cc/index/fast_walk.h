// The walk over the records of a FastGraph.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "allowed_rows.h"
#include "beam.h"
#include "fast_records.h"

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
  Beam allowed;  // under a filter: the allowed rows that are known, by estimate
  RowSet seen;
  // The nearest rows on which the walk has stood, by the ranks of their codes.
  Beam found;
};

// Makes the walk ready for `walk->query`.
void prepare_fast_walk(const WalkLoops& loops, const FastRecords& records, FastWalk* walk);

// Goes from row to row, always to the nearest by estimate that it has not stood on, until it has stood on the `ef`
// nearest that it knows of. Up to `keep` rows are in `walk->found` then.
// REQUIRES: prepare_fast_walk; ef and keep at least 1; at least one row.
void walk_fast(const WalkLoops& loops, const FastRecords& records, uint32_t ef, uint32_t keep,
               const std::atomic<bool>* cancelled, FastWalk* walk);

// The same among allowed rows: it goes through all, until it knows `ef` allowed ones that are nearer than any it has
// not stood on. Up to `keep` allowed rows are in `walk->found` then. False when that takes more than `steps_max`
// steps, or when the walk has lost its way.
bool walk_fast_filtered(const WalkLoops& loops, const FastRecords& records, const AllowedRows& allowed, uint32_t ef,
                        uint32_t keep, double steps_max, const std::atomic<bool>* cancelled, FastWalk* walk);

}  // namespace elanus
