// Bit-counting loops for AVX-512 with VPOPCNTDQ.
#include "integers_avx512.h"
#include "loops.h"

namespace elanus {
namespace {

struct AndCount : Integers512 {
  static ELANUS_INLINE __m512i accumulate(__m512i acc, __m512i query, __m512i row) {
    return _mm512_add_epi32(acc, _mm512_popcnt_epi32(_mm512_and_si512(query, row)));
  }
};

struct XorCount : Integers512 {
  static ELANUS_INLINE __m512i accumulate(__m512i acc, __m512i query, __m512i row) {
    return _mm512_add_epi32(acc, _mm512_popcnt_epi32(_mm512_xor_si512(query, row)));
  }
};

double square_norm(const uint8_t* row, size_t bytes) {
  __m512i sum = _mm512_setzero_si512();
  size_t at = 0;
  for (; at + 64 <= bytes; at += 64) sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(Integers512::row(row + at)));
  if (at < bytes)
    sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(Integers512::row_tail(row + at, bytes - at)));
  return _mm512_reduce_add_epi32(sum);
}

}  // namespace

const BitLoops kBitsAvx512 = {score_tile<AndCount>, score_tile<XorCount>, square_norm};

}  // namespace elanus
