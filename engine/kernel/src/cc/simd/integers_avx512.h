// What the integer kernels of AVX-512 share: 16 sums of 32 bits an accumulator.
#pragma once

#include <immintrin.h>

#include "tile.h"

namespace elanus {
namespace {

struct Integers512 {
  using Acc = __m512i;
  using Query = __m512i;
  using Row = __m512i;
  using Out = int32_t;
  static constexpr size_t kElements = 64;
  static constexpr size_t kRowStep = 64;
  static constexpr size_t kQueryStep = 64;
  static constexpr size_t kRows = 8;
  static constexpr size_t kQueries = 3;
  static ELANUS_INLINE __m512i zero() { return _mm512_setzero_si512(); }
  static ELANUS_INLINE __m512i query(const uint8_t* bytes) { return _mm512_loadu_si512(bytes); }
  static ELANUS_INLINE __m512i row(const uint8_t* bytes) { return _mm512_loadu_si512(bytes); }
  static ELANUS_INLINE __m512i row_tail(const uint8_t* bytes, size_t size) {
    return _mm512_maskz_loadu_epi8((__mmask64{1} << size) - 1, bytes);
  }

  template <size_t R>
  static ELANUS_INLINE void reduce(const __m512i* acc, int32_t* out) {
    static_assert(R == 8);
    const auto fold_8 = [](__m512i a, __m512i b) ELANUS_INLINE_LAMBDA {
      return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
    };
    const auto fold_4 = [](__m512i a, __m512i b) ELANUS_INLINE_LAMBDA {
      return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
    };
    const __m512i sums_0246 = fold_4(fold_8(acc[0], acc[2]), fold_8(acc[4], acc[6]));
    const __m512i sums_1357 = fold_4(fold_8(acc[1], acc[3]), fold_8(acc[5], acc[7]));
    const __m512i pairs = _mm512_add_epi32(_mm512_unpacklo_epi64(sums_0246, sums_1357),
                                           _mm512_unpackhi_epi64(sums_0246, sums_1357));
    const __m512i sums = _mm512_add_epi32(pairs, _mm512_shuffle_epi32(pairs, _MM_PERM_CDAB));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm512_cvtepi64_epi32(sums));
  }
};

}  // namespace
}  // namespace elanus
