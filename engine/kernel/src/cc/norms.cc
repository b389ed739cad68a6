#include "norms.h"

#include <cmath>

namespace elanus {

SquareNorm square_norm_loop(const ElanusSimd& simd, ElanusVectorType type) {
  switch (type) {
    case ELANUS_FLOAT32:
      return simd.float32.square_norm;
    case ELANUS_FLOAT16:
      return simd.float16.square_norm;
    case ELANUS_BFLOAT16:
      return simd.bfloat16.square_norm;
    case ELANUS_INT8:
      return simd.int8.square_norm;
    case ELANUS_BINARY:
      return simd.bits.square_norm;
    case ELANUS_SPARSE:
      break;
  }
  return nullptr;
}

double inverse_length(double square) {
  constexpr double shortest = std::numeric_limits<float>::min();
  if (!std::isfinite(square) || square < shortest * shortest) return 0;
  return 1 / std::sqrt(square);
}

}  // namespace elanus

extern "C" ElanusStatus elanus_encode(const ElanusSimd* simd, uint32_t dim, const uint8_t* bytes, size_t bytes_size,
                                      size_t rows, int8_t* values, float* factors) {
  if (dim == 0 || dim > ELANUS_INT8_DIM_MAX) return ELANUS_INVALID_ARGUMENT;
  const size_t stride = elanus::dense_bytes(ELANUS_FLOAT32, dim);
  if (rows > bytes_size / stride) return ELANUS_INVALID_ARGUMENT;
  auto* const to = reinterpret_cast<elanus::CodeFactors*>(factors);
  for (size_t row = 0; row < rows; ++row) to[row] = simd->encode(bytes + row * stride, dim, values + row * dim);
  return ELANUS_OK;
}

extern "C" ElanusStatus elanus_inverse_norms(const ElanusSimd* simd, ElanusVectorType type, uint32_t dim,
                                             const uint8_t* bytes, size_t bytes_size, size_t rows,
                                             float* inverse_norms) {
  if (type == ELANUS_BINARY || dim == 0 || dim > ELANUS_INT8_DIM_MAX) return ELANUS_INVALID_ARGUMENT;
  const elanus::SquareNorm square_norm = elanus::square_norm_loop(*simd, type);
  const size_t stride = elanus::dense_bytes(type, dim);
  if (square_norm == nullptr || rows > bytes_size / stride) return ELANUS_INVALID_ARGUMENT;
  for (size_t row = 0; row < rows; ++row) {
    inverse_norms[row] = static_cast<float>(elanus::inverse_length(square_norm(bytes + row * stride, dim)));
  }
  return ELANUS_OK;
}
