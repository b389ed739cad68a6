#include "row_reader.h"

namespace elanus {

const FloatLoops* float_loops_of(const ElanusSimd& simd, ElanusVectorType type) {
  switch (type) {
    case ELANUS_FLOAT32:
      return &simd.float32;
    case ELANUS_FLOAT16:
      return &simd.float16;
    case ELANUS_BFLOAT16:
      return &simd.bfloat16;
    default:
      return nullptr;
  }
}

void RowReader::read(const uint8_t* vector, float* out) const {
  if (widen_ != nullptr) {
    widen_(vector, dim_, out);
  } else {
    for (uint32_t d = 0; d < dim_; ++d) out[d] = static_cast<int8_t>(vector[d]);
  }
  if (square_norm_ == nullptr) return;
  const double scale = inverse_length(square_norm_(vector, dim_));
  for (uint32_t d = 0; d < dim_; ++d)
    out[d] = scale == 0 ? 0 : static_cast<float>(static_cast<double>(out[d]) * scale);
}

}  // namespace elanus
