// Rules rows out by their codes: never one that the search would keep.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "elanus/kernel.h"
#include "simd/simd.h"

namespace elanus {

// The queries of a group as codes, and what follows from them for a row. A query is the sum of two codes, so that
// nearly all of what is not known of a distance is what the row's own code has lost.
class Screen {
 public:
  // `queries` are float32 vectors `stride` bytes apart; for COSINE of length 1 (or 0). The screen is of use when
  // `is_ready` says so: huge or odd numbers are left to the exact comparison.
  void begin(const ElanusSimd& simd, ElanusMetric metric, uint32_t dim, const uint8_t* queries, size_t stride,
             uint32_t query_count);
  bool is_ready() const { return ready_; }

  // Compares all queries with `row_count` codes (a multiple of kRowTile, as `soon`), at most `kRowsMax`.
  void score(const uint8_t* const* codes, const uint8_t* const* soon, size_t row_count);

  // Of the codes scored last, the positions of those whose rows may have a rank of at most `threshold` for the query.
  // `factors` are the rows' own. Returns how many there are.
  size_t keep(uint32_t query, float threshold, const CodeFactors* const* factors, size_t count, uint32_t* kept) const;

  static constexpr size_t kRowsMax = 96;

 private:
  static constexpr size_t kParts = 2;

  struct Query {
    double scale[kParts];
    double length;
    double lost;  // by both codes together
  };

  bool encode_query(const uint8_t* vector, uint32_t query);
  // Whether a row may be as near as `threshold`, given its estimated inner product with the query.
  template <class MayBeNear>
  size_t keep_if(uint32_t query, const CodeFactors* const* factors, size_t count, uint32_t* kept,
                 const MayBeNear& may_be_near) const;

  const ElanusSimd* simd_ = nullptr;
  ElanusMetric metric_ = ELANUS_L2;
  uint32_t dim_ = 0;
  bool ready_ = false;
  // The most that a score of the exact loops may be off, relative to the lengths that go into it.
  double rounding_ = 0;
  std::vector<Query> queries_;
  AlignedVector<uint8_t> codes_;
  size_t code_stride_ = 0;
  std::vector<int32_t> code_sums_;
  std::vector<float> rest_;
  AlignedVector<int32_t> dots_;
};

}  // namespace elanus
