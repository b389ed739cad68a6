// Products of float vectors, the same on every machine.
#pragma once

#include <cstddef>

namespace elanus {

// Eight sums at once, joined in one order.
inline float ordered_dot(const float* a, const float* b, size_t size) {
  float sums[8] = {};
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < size; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

inline float square_length(const float* vector, size_t size) { return ordered_dot(vector, vector, size); }

}  // namespace elanus
