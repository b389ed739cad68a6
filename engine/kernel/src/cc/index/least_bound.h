// The few least of many numbers, without putting any in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

namespace elanus {

// In the compiler's own vectors, of a size that every machine has.
typedef float LeastLanes __attribute__((vector_size(16)));

// Of as many disjoint parts the least number each: so many as are wanted are no larger than the `wanted`-th least of them.
// The parts go on together, a number each.
template <size_t Parts>
float least_bound_of_parts(const float* numbers, size_t count, size_t wanted) {
  constexpr size_t kLanes = sizeof(LeastLanes) / sizeof(float);
  constexpr size_t kVectors = Parts / kLanes;
  static_assert(Parts % kLanes == 0);
  const auto lanes_at = [numbers](size_t at) {
    LeastLanes lanes;
    std::memcpy(&lanes, numbers + at, sizeof lanes);
    return lanes;
  };
  LeastLanes smallest[kVectors];
  for (size_t v = 0; v < kVectors; ++v) smallest[v] = lanes_at(v * kLanes);
  size_t first = Parts;
  for (; first + Parts <= count; first += Parts) {
    for (size_t v = 0; v < kVectors; ++v) {
      const LeastLanes lanes = lanes_at(first + v * kLanes);
      smallest[v] = lanes < smallest[v] ? lanes : smallest[v];
    }
  }
  float least[Parts];
  std::memcpy(least, smallest, sizeof least);
  for (size_t i = 0; first + i < count; ++i) least[i] = std::min(least[i], numbers[first + i]);
  std::nth_element(least, least + (wanted - 1), least + Parts);
  return least[wanted - 1];
}

// A number that at least `wanted` of these do not exceed, and not many more; the least itself where one is wanted.
// Infinity where looking for it would not be worth while: of few numbers, or where many are wanted.
// REQUIRES: wanted >= 1, no NaN.
inline float least_bound(const float* numbers, size_t count, size_t wanted) {
  constexpr size_t kFew = 16;
  constexpr size_t kMany = 128;
  constexpr size_t kMost = 1024;
  if (wanted <= kFew && count >= kFew) return least_bound_of_parts<kFew>(numbers, count, wanted);
  if (wanted <= kMany && count >= kMany) return least_bound_of_parts<kMany>(numbers, count, wanted);
  if (wanted <= kMost && count >= 2 * kMost) return least_bound_of_parts<kMost>(numbers, count, wanted);
  return std::numeric_limits<float>::infinity();
}

}  // namespace elanus
