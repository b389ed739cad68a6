// Vectors of any type as float32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../norms.h"
#include "dense_rows.h"

namespace elanus {

// The loops of a float type; nullptr for int8.
const FloatLoops* float_loops_of(const ElanusSimd& simd, ElanusVectorType type);

// Reads vectors as an index compares them: those of COSINE brought to length 1, zero vectors and such without a
// direction to 0.
class RowReader {
 public:
  RowReader(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
      : widen_(float_loops_of(simd, type) == nullptr ? nullptr : float_loops_of(simd, type)->widen),
        square_norm_(metric == ELANUS_COSINE ? square_norm_loop(simd, type) : nullptr),
        dim_(dim) {}

  // Writes `dim` floats.
  void read(const uint8_t* vector, float* out) const;

 private:
  Widen widen_;
  SquareNorm square_norm_;  // COSINE only
  uint32_t dim_;
};

}  // namespace elanus
