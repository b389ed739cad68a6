// 8-bit codes of rows, compared with queries by integer products: what a walk over a FastGraph knows of the node
// that it stands on.
//
// A row is coded as its difference to the mean of all, along principal directions where they hold nearly all there
// is, else in the dimensions as they are. A code is a head and a byte a coordinate.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../aligned.h"
#include "../simd/walk_loops.h"
#include "elanus/kernel.h"
#include "principal_axes.h"

namespace elanus {

struct RowCodeHead {
  float scale;   // of the bytes, which are 128 more than what they stand for
  float square;  // L2: the squared length of what the code stands for and of what it left out
};

// With its head a cache line.
inline constexpr uint32_t kRowDirectionsMax = 64 - sizeof(RowCodeHead);

// A query as row codes are compared with it. Its halves are 128 * high + low.
struct CodedQuery {
  AlignedVector<int8_t> high;
  AlignedVector<int8_t> low;
  int64_t offset;  // 128 times the sum of the query's numbers: what the codes' being unsigned adds to a product
  float scale;
  float constant;
};

class RowCode {
 public:
  RowCode() = default;
  // In the dimensions as they are. `mean` holds `dim` numbers, as everywhere here.
  RowCode(ElanusMetric metric, uint32_t dim, const float* mean);
  // Along the first `count` directions. REQUIRES: count is at most their number and kRowDirectionsMax.
  RowCode(ElanusMetric metric, const float* mean, const PrincipalAxes& directions, uint32_t count);
  // One that was kept. False when the values do not make a code.
  static bool restore(ElanusMetric metric, uint32_t dim, uint32_t count, const float* values, size_t value_count,
                      RowCode* code);

  uint32_t dim() const { return dim_; }
  // 0: coded in the dimensions as they are.
  uint32_t directions() const { return directions_; }
  const float* mean() const { return values_.data(); }
  // All that a code is made of beside its numbers: the mean, then the directions, transposed and padded.
  const AlignedVector<float>& values() const { return values_; }
  size_t memory_bytes() const { return values_.capacity() * sizeof(float); }
  // Of a code with its head, on a 64-byte border. Loads may reach 64 bytes beyond.
  size_t bytes() const;

  // How much of the vector less the mean the directions hold: its squared length along them.
  float square_along(const WalkLoops& loops, const float* centred) const;

  void encode(const WalkLoops& loops, const float* vector, uint8_t* code) const;
  // `centred` is the query less the mean.
  void prepare(const WalkLoops& loops, const float* query, const float* centred, CodedQuery* coded) const;
  // About the squared distance, or minus the inner product.
  float rank(const WalkLoops& loops, const CodedQuery& query, const uint8_t* code) const;
  // The same of the mean itself.
  float rank_of_mean(const CodedQuery& query) const { return metric_ == ELANUS_L2 ? query.constant : -query.constant; }

 private:
  RowCode(ElanusMetric metric, uint32_t dim, uint32_t directions);
  uint32_t coordinates() const { return directions_ == 0 ? dim_ : directions_; }
  const float* columns() const { return values_.data() + dim_; }
  size_t column_count() const;

  ElanusMetric metric_ = ELANUS_L2;
  uint32_t dim_ = 0;
  uint32_t directions_ = 0;
  AlignedVector<float> values_;
};

}  // namespace elanus
