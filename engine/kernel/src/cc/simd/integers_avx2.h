// What the integer kernels of AVX2 share: 8 sums of 32 bits an accumulator.
#pragma once

#include <immintrin.h>

#include "tile.h"

namespace elanus {
namespace {

ELANUS_INLINE __m256i load256(const uint8_t* bytes) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
}

// Lane r of the result is the sum of acc[r].
ELANUS_INLINE void reduce4(const __m256i* acc, int32_t* out) {
  const __m256i halves = _mm256_hadd_epi32(_mm256_hadd_epi32(acc[0], acc[1]), _mm256_hadd_epi32(acc[2], acc[3]));
  const __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), sums);
}

struct Integers256 {
  using Acc = __m256i;
  using Query = __m256i;
  using Row = __m256i;
  using Out = int32_t;
  static constexpr size_t kRows = 4;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE __m256i zero() { return _mm256_setzero_si256(); }
  template <size_t R>
  static ELANUS_INLINE void reduce(const __m256i* acc, int32_t* out) {
    for (size_t r = 0; r < R; r += 4) reduce4(acc + r, out + r);
  }
};

ELANUS_INLINE int32_t sum_of(__m256i sums) {
  const __m256i all[4] = {sums, sums, sums, sums};
  int32_t out[4];
  reduce4(all, out);
  return out[0];
}

}  // namespace
}  // namespace elanus
