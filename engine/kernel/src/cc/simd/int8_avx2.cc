// Int8 loops for AVX2: widened to 16 bits, multiplied and added in pairs.
#include "integers_avx2.h"
#include "loops.h"

namespace elanus {
namespace {

ELANUS_INLINE __m256i widen(const uint8_t* bytes) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

struct Dot : Integers256 {
  static constexpr size_t kElements = 16;
  static constexpr size_t kRowStep = 16;
  static constexpr size_t kQueryStep = 16;
  static ELANUS_INLINE __m256i query(const uint8_t* bytes) { return widen(bytes); }
  static ELANUS_INLINE __m256i row(const uint8_t* bytes) { return widen(bytes); }
  static ELANUS_INLINE __m256i row_tail(const uint8_t* bytes, size_t size) {
    return widen(Tail<16>(bytes, size).bytes);
  }
  static ELANUS_INLINE __m256i accumulate(__m256i acc, __m256i query, __m256i row) {
    return _mm256_add_epi32(acc, _mm256_madd_epi16(query, row));
  }
};

double square_norm(const uint8_t* row, size_t dim) {
  __m256i sum = Dot::zero();
  size_t at = 0;
  for (; at + 16 <= dim; at += 16) sum = Dot::accumulate(sum, Dot::row(row + at), Dot::row(row + at));
  if (at < dim) {
    const __m256i rest = Dot::row_tail(row + at, dim - at);
    sum = Dot::accumulate(sum, rest, rest);
  }
  return sum_of(sum);
}

}  // namespace

const Int8Loops kInt8Avx2 = {score_tile<Dot>, square_norm};

}  // namespace elanus
