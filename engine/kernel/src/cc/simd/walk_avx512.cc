// Walk loops for AVX-512 with VNNI.
#include <immintrin.h>

#include "loops.h"
#include "products.h"
#include "walk.h"

namespace elanus {
namespace {

// Sums of table bytes at 4 places at a time, 16 neighbours a place. The even ones gather in the low bytes of 16-bit
// lanes, together with 256 times the odd ones, which gather for themselves as well and are taken off in the end.
struct PlaceSums {
  __m512i all = _mm512_setzero_si512();
  __m512i odd = _mm512_setzero_si512();

  ELANUS_INLINE void add(__m512i bytes) {
    all = _mm512_add_epi16(all, bytes);
    odd = _mm512_add_epi16(odd, _mm512_srli_epi16(bytes, 8));
  }
  // In the order of the neighbours.
  ELANUS_INLINE __m512i total() const {
    const __m128i evens = fold(_mm512_sub_epi16(all, _mm512_slli_epi16(odd, 8)));
    const __m128i odds = fold(odd);
    return _mm512_cvtepu16_epi32(_mm256_set_m128i(_mm_unpackhi_epi16(evens, odds), _mm_unpacklo_epi16(evens, odds)));
  }
  static ELANUS_INLINE __m128i fold(__m512i sums) {
    const __m256i halves = _mm256_add_epi16(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
    return _mm_add_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
  }
};

ELANUS_INLINE __m512 estimate_half(const NeighbourBlock& block, size_t first, const DigitTables& tables,
                                   __m512 distance, __m512i sums) {
  const __m512 product = _mm512_add_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_set1_ps(tables.step)),
                                       _mm512_set1_ps(tables.base));
  return _mm512_add_ps(_mm512_mul_ps(product, _mm512_load_ps(block.factors + first)),
                       _mm512_add_ps(_mm512_load_ps(block.added + first), distance));
}

// The bytes of one group of places for the first 16 neighbours and for the others.
struct PlaceBytes {
  __m512i low;
  __m512i high;

  static ELANUS_INLINE PlaceBytes of(const NeighbourBlock& block, const DigitTables& tables, size_t place) {
    const __m512i digit = _mm512_set1_epi8(15);
    const __m512i table = _mm512_load_si512(tables.bytes + 16 * place);
    const __m512i digits = _mm512_load_si512(block.digits + 16 * place);
    return {_mm512_shuffle_epi8(table, _mm512_and_si512(digits, digit)),
            _mm512_shuffle_epi8(table, _mm512_and_si512(_mm512_srli_epi16(digits, 4), digit))};
  }
  ELANUS_INLINE void add(const PlaceBytes& other) {
    low = _mm512_add_epi8(low, other.low);
    high = _mm512_add_epi8(high, other.high);
  }
};

uint32_t estimate(const NeighbourBlock& block, const DigitTables& tables, float distance, float bound,
                  float* estimates) {
  constexpr size_t kPlacesOfSum = kSmallBytesPerSum * kDigitPlaceGroup;
  __m512i first = _mm512_setzero_si512();
  __m512i second = _mm512_setzero_si512();
  for (size_t begin = 0; begin < tables.places; begin += kPlacesMax16) {
    const size_t end = begin + kPlacesMax16 < tables.places ? begin + kPlacesMax16 : tables.places;
    PlaceSums low;
    PlaceSums high;
    size_t p = begin;
    for (; tables.are_small && p + kPlacesOfSum <= end; p += kPlacesOfSum) {
      PlaceBytes sum = PlaceBytes::of(block, tables, p);
#pragma GCC unroll 4
      for (size_t i = 1; i < kSmallBytesPerSum; ++i) sum.add(PlaceBytes::of(block, tables, p + i * kDigitPlaceGroup));
      low.add(sum.low);
      high.add(sum.high);
    }
    for (; p < end; p += kDigitPlaceGroup) {
      const PlaceBytes bytes = PlaceBytes::of(block, tables, p);
      low.add(bytes.low);
      high.add(bytes.high);
    }
    first = _mm512_add_epi32(first, low.total());
    second = _mm512_add_epi32(second, high.total());
  }
  const __m512 from = _mm512_set1_ps(distance);
  const __m512 below = _mm512_set1_ps(bound);
  const __m512 a = estimate_half(block, 0, tables, from, first);
  const __m512 b = estimate_half(block, 16, tables, from, second);
  _mm512_store_ps(estimates, a);
  _mm512_store_ps(estimates + 16, b);
  return _mm512_cmp_ps_mask(a, below, _CMP_LT_OQ) |
         static_cast<uint32_t>(_mm512_cmp_ps_mask(b, below, _CMP_LT_OQ)) << 16;
}

void multiply_code(const uint8_t* code, const int8_t* high, const int8_t* low, size_t size, int32_t* products) {
  __m512i high_sum = _mm512_setzero_si512();
  __m512i low_sum = _mm512_setzero_si512();
  for (size_t i = 0; i < size; i += 64) {
    const __m512i part = _mm512_loadu_si512(code + i);
    high_sum = _mm512_dpbusd_epi32(high_sum, part, _mm512_loadu_si512(high + i));
    low_sum = _mm512_dpbusd_epi32(low_sum, part, _mm512_loadu_si512(low + i));
  }
  products[0] = _mm512_reduce_add_epi32(high_sum);
  products[1] = _mm512_reduce_add_epi32(low_sum);
}

}  // namespace

const WalkLoops kWalkAvx512 = {estimate,          multiply_code,       fill_sign_tables,
                               fill_level_tables, fill_product_tables, choose_products,
                               hadamard,          project};

}  // namespace elanus
