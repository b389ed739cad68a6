// Walk loops for AVX2.
#include <immintrin.h>

#include "loops.h"
#include "products.h"
#include "walk.h"

namespace elanus {
namespace {

// As in walk_avx512.cc, of 2 places at a time.
struct PlaceSums {
  __m256i all = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();

  ELANUS_INLINE void add(__m256i bytes) {
    all = _mm256_add_epi16(all, bytes);
    odd = _mm256_add_epi16(odd, _mm256_srli_epi16(bytes, 8));
  }
  // Adds the totals in the order of the neighbours to 16 sums.
  ELANUS_INLINE void add_to(uint32_t* sums) const {
    const __m128i evens = fold(_mm256_sub_epi16(all, _mm256_slli_epi16(odd, 8)));
    const __m128i odds = fold(odd);
    add_half(_mm_unpacklo_epi16(evens, odds), sums);
    add_half(_mm_unpackhi_epi16(evens, odds), sums + 8);
  }
  static ELANUS_INLINE __m128i fold(__m256i sums) {
    return _mm_add_epi16(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  }
  static ELANUS_INLINE void add_half(__m128i totals, uint32_t* sums) {
    auto* const at = reinterpret_cast<__m256i*>(sums);
    _mm256_storeu_si256(at, _mm256_add_epi32(_mm256_loadu_si256(at), _mm256_cvtepu16_epi32(totals)));
  }
};

// The bytes of two places for the first 16 neighbours and for the others.
struct PlaceBytes {
  __m256i low;
  __m256i high;

  static ELANUS_INLINE PlaceBytes of(const NeighbourBlock& block, const DigitTables& tables, size_t place) {
    const __m256i digit = _mm256_set1_epi8(15);
    const __m256i table = _mm256_load_si256(reinterpret_cast<const __m256i*>(tables.bytes + 16 * place));
    const __m256i digits = _mm256_load_si256(reinterpret_cast<const __m256i*>(block.digits + 16 * place));
    return {_mm256_shuffle_epi8(table, _mm256_and_si256(digits, digit)),
            _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(digits, 4), digit))};
  }
  ELANUS_INLINE void add(const PlaceBytes& other) {
    low = _mm256_add_epi8(low, other.low);
    high = _mm256_add_epi8(high, other.high);
  }
};

uint32_t estimate(const NeighbourBlock& block, const DigitTables& tables, float distance, float bound,
                  float* estimates) {
  constexpr size_t kPlacesOfSum = 2 * kSmallBytesPerSum;
  uint32_t sums[kBlockNeighbours] = {};
  for (size_t begin = 0; begin < tables.places; begin += kPlacesMax16) {
    const size_t end = begin + kPlacesMax16 < tables.places ? begin + kPlacesMax16 : tables.places;
    PlaceSums low;
    PlaceSums high;
    size_t p = begin;
    for (; tables.are_small && p + kPlacesOfSum <= end; p += kPlacesOfSum) {
      PlaceBytes sum = PlaceBytes::of(block, tables, p);
#pragma GCC unroll 4
      for (size_t i = 1; i < kSmallBytesPerSum; ++i) sum.add(PlaceBytes::of(block, tables, p + 2 * i));
      low.add(sum.low);
      high.add(sum.high);
    }
    for (; p < end; p += 2) {
      const PlaceBytes bytes = PlaceBytes::of(block, tables, p);
      low.add(bytes.low);
      high.add(bytes.high);
    }
    low.add_to(sums);
    high.add_to(sums + 16);
  }
  return finish_estimate(block, tables, distance, bound, sums, estimates);
}

ELANUS_INLINE int32_t sum_lanes(__m256i sums) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

// The instruction for unsigned times signed bytes saturates, so all are widened to 16 bits first.
void multiply_code(const uint8_t* code, const int8_t* high, const int8_t* low, size_t size, int32_t* products) {
  __m256i high_sum = _mm256_setzero_si256();
  __m256i low_sum = _mm256_setzero_si256();
  for (size_t i = 0; i < size; i += 16) {
    const __m256i part = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(code + i)));
    const __m256i high_part = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(high + i)));
    const __m256i low_part = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(low + i)));
    high_sum = _mm256_add_epi32(high_sum, _mm256_madd_epi16(part, high_part));
    low_sum = _mm256_add_epi32(low_sum, _mm256_madd_epi16(part, low_part));
  }
  products[0] = sum_lanes(high_sum);
  products[1] = sum_lanes(low_sum);
}

}  // namespace

const WalkLoops kWalkAvx2 = {estimate,          multiply_code,       fill_sign_tables,
                             fill_level_tables, fill_product_tables, choose_products,
                             hadamard,          project};

}  // namespace elanus
