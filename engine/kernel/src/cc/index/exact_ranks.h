// Ranks of rows by their vectors themselves: the scores of exact search, bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "../norms.h"
#include "dense_rows.h"

namespace elanus {

class ExactRanks {
 public:
  // Makes ready for one query, which is borrowed for the call.
  void begin(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim, const uint8_t* query);

  // ranks[i] of row ids[i]: its distance, or its negative similarity. NaN for rows with NaN. `ranks` has room for
  // `count` rounded up to kRowTile.
  void rank(const DenseRows& rows, const uint32_t* ids, size_t count, float* ranks) const;

 private:
  void to_ranks(const DenseRows& rows, const uint32_t* ids, size_t count, float* scores) const;

  ElanusVectorType type_{};
  ElanusMetric metric_{};
  uint32_t dim_ = 0;
  ScoreTile score_ = nullptr;
  SquareNorm square_norm_ = nullptr;
  AlignedVector<uint8_t> query_;
  int32_t query_sum_ = 0;
  double query_norm_ = 0;  // int8 only: squared, of COSINE inverse length
};

}  // namespace elanus
