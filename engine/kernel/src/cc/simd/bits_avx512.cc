// Bit-counting loops for AVX-512 with VPOPCNTDQ.
#include "bits.h"
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

void rank_blocks_16(const BitBlocks& run, float* ranks) {
  static_assert(kBlockRows == 16);
  const uint32_t* rows = run.words;
  for (size_t block = 0; block < run.blocks; ++block) {
    __m512i sum = _mm512_setzero_si512();
    for (size_t w = 0; w < run.words_per_row; ++w, rows += kBlockRows) {
      int32_t query;
      memcpy(&query, run.query + 4 * w, sizeof query);
      const __m512i bits = _mm512_xor_si512(_mm512_loadu_si512(rows), _mm512_set1_epi32(query));
      sum = _mm512_add_epi32(sum, _mm512_popcnt_epi32(bits));
    }
    _mm512_storeu_ps(ranks + block * kBlockRows, _mm512_cvtepi32_ps(sum));
  }
}

size_t find_at_most_16(const float* numbers, size_t count, float most, uint32_t* found) {
  const __m512 bound = _mm512_set1_ps(most);
  __m512i places = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  size_t size = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto there = static_cast<__mmask16>(count - i < 16 ? (1u << (count - i)) - 1 : 0xffff);
    const __mmask16 near = _mm512_mask_cmp_ps_mask(there, _mm512_maskz_loadu_ps(there, numbers + i), bound, _CMP_LE_OQ);
    if (near != 0) {
      _mm512_storeu_si512(found + size, _mm512_maskz_compress_epi32(near, places));
      size += static_cast<size_t>(__builtin_popcount(near));
    }
    places = _mm512_add_epi32(places, _mm512_set1_epi32(16));
  }
  return size;
}

}  // namespace

const BitLoops kBitsAvx512 = {score_tile<AndCount>,     score_tile<XorCount>, square_norm,    rank_run<XorCount>,
                              rank_stretches<XorCount>, rank_blocks_16,       find_at_most_16};

}  // namespace elanus
