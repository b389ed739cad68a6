// Int8 loops for AVX-512 with VNNI.
#include "integers_avx512.h"
#include "loops.h"

namespace elanus {
namespace {

// The instruction multiplies unsigned by signed bytes. Rows are shifted by 128 to be unsigned; what that adds to a
// sum, 128 times the sum of the query, is taken off in the end. All of it is exact modulo 2^32.
struct ShiftedDot : Integers512 {
  static ELANUS_INLINE __m512i shift(__m512i row) { return _mm512_xor_si512(row, _mm512_set1_epi8(-128)); }
  static ELANUS_INLINE __m512i row(const uint8_t* bytes) { return shift(Integers512::row(bytes)); }
  static ELANUS_INLINE __m512i row_tail(const uint8_t* bytes, size_t size) {
    return shift(Integers512::row_tail(bytes, size));
  }
  static ELANUS_INLINE __m512i accumulate(__m512i acc, __m512i query, __m512i row) {
    return _mm512_dpbusd_epi32(acc, row, query);
  }
};

void dot(const Tile& tile) {
  score_tile<ShiftedDot>(tile);
  auto* const scores = static_cast<uint32_t*>(tile.scores);
  for (size_t q = 0; q < tile.query_count; ++q) {
    const uint32_t excess = 128u * static_cast<uint32_t>(tile.query_sums[q]);
    for (size_t r = 0; r < tile.row_count; ++r) scores[q * tile.score_stride + r] -= excess;
  }
}

double square_norm(const uint8_t* row, size_t dim) {
  __m512i sum = _mm512_setzero_si512();
  const auto add = [&sum](__m512i bytes) ELANUS_INLINE_LAMBDA {
    const __m512i low = _mm512_cvtepi8_epi16(_mm512_castsi512_si256(bytes));
    const __m512i high = _mm512_cvtepi8_epi16(_mm512_extracti64x4_epi64(bytes, 1));
    sum = _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(sum, low, low), high, high);
  };
  size_t at = 0;
  for (; at + 64 <= dim; at += 64) add(Integers512::row(row + at));
  if (at < dim) add(Integers512::row_tail(row + at, dim - at));
  return _mm512_reduce_add_epi32(sum);
}

}  // namespace

const Int8Loops kInt8Avx512 = {dot, square_norm};

}  // namespace elanus
