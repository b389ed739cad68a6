// Bit-counting loops for AVX2: the bits of each half byte are looked up.
#include "bits.h"
#include "integers_avx2.h"
#include "loops.h"

namespace elanus {
namespace {

// Four sums of 64 bits, which never carry into their upper halves; read as eight of 32 bits.
ELANUS_INLINE __m256i count_bits(__m256i bits) {
  const __m256i bits_of_half = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                                0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i low_half = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(bits_of_half, _mm256_and_si256(bits, low_half));
  const __m256i high = _mm256_shuffle_epi8(bits_of_half, _mm256_and_si256(_mm256_srli_epi16(bits, 4), low_half));
  return _mm256_sad_epu8(_mm256_add_epi8(low, high), _mm256_setzero_si256());
}

struct AndCount : Integers256 {
  static constexpr size_t kElements = 32;
  static constexpr size_t kRowStep = 32;
  static constexpr size_t kQueryStep = 32;
  static ELANUS_INLINE __m256i query(const uint8_t* bytes) { return load256(bytes); }
  static ELANUS_INLINE __m256i row(const uint8_t* bytes) { return load256(bytes); }
  static ELANUS_INLINE __m256i row_tail(const uint8_t* bytes, size_t size) {
    return load256(Tail<32>(bytes, size).bytes);
  }
  static ELANUS_INLINE __m256i accumulate(__m256i acc, __m256i query, __m256i row) {
    return _mm256_add_epi32(acc, count_bits(_mm256_and_si256(query, row)));
  }
};

struct XorCount : AndCount {
  static ELANUS_INLINE __m256i accumulate(__m256i acc, __m256i query, __m256i row) {
    return _mm256_add_epi32(acc, count_bits(_mm256_xor_si256(query, row)));
  }
};

double square_norm(const uint8_t* row, size_t bytes) {
  __m256i sum = AndCount::zero();
  size_t at = 0;
  for (; at + 32 <= bytes; at += 32) sum = _mm256_add_epi32(sum, count_bits(AndCount::row(row + at)));
  if (at < bytes) sum = _mm256_add_epi32(sum, count_bits(AndCount::row_tail(row + at, bytes - at)));
  return sum_of(sum);
}

}  // namespace

const BitLoops kBitsAvx2 = {score_tile<AndCount>,     score_tile<XorCount>, square_norm, rank_run<XorCount>,
                            rank_stretches<XorCount>, rank_blocks,          find_at_most};

}  // namespace elanus
