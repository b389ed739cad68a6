// Lengths of vectors, as COSINE needs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "elanus/kernel.h"
#include "simd/simd.h"

namespace elanus {

// Bytes of one dense vector.
inline size_t dense_bytes(ElanusVectorType type, size_t dim) {
  switch (type) {
    case ELANUS_BINARY:
      return dim / 8;
    case ELANUS_FLOAT32:
      return dim * 4;
    case ELANUS_FLOAT16:
    case ELANUS_BFLOAT16:
      return dim * 2;
    case ELANUS_INT8:
      return dim;
    case ELANUS_SPARSE:
      break;
  }
  return 0;
}

// REQUIRES: a dense type.
SquareNorm square_norm_loop(const ElanusSimd& simd, ElanusVectorType type);

// 1 / sqrt(square), or 0 when there is no such finite number or the length is below the smallest normal float.
double inverse_length(double square);

// Rounding leads a little beyond 1. NaN stays what it is.
inline float clamp_cosine(float cosine) { return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine; }

}  // namespace elanus
