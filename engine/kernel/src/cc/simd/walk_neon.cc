// Walk loops for NEON.
#include <arm_neon.h>

#include "loops.h"
#include "products.h"
#include "walk.h"

namespace elanus {
namespace {

// 16 sums of table bytes.
struct PlaceSums {
  uint16x8_t first = vdupq_n_u16(0);
  uint16x8_t second = vdupq_n_u16(0);

  ELANUS_INLINE void add(uint8x16_t bytes) {
    first = vaddw_u8(first, vget_low_u8(bytes));
    second = vaddw_u8(second, vget_high_u8(bytes));
  }
  ELANUS_INLINE void add_to(uint32_t* sums) const {
    vst1q_u32(sums, vaddw_u16(vld1q_u32(sums), vget_low_u16(first)));
    vst1q_u32(sums + 4, vaddw_u16(vld1q_u32(sums + 4), vget_high_u16(first)));
    vst1q_u32(sums + 8, vaddw_u16(vld1q_u32(sums + 8), vget_low_u16(second)));
    vst1q_u32(sums + 12, vaddw_u16(vld1q_u32(sums + 12), vget_high_u16(second)));
  }
};

// The bytes of one place for the first 16 neighbours and for the others.
struct PlaceBytes {
  uint8x16_t low;
  uint8x16_t high;

  static ELANUS_INLINE PlaceBytes of(const NeighbourBlock& block, const DigitTables& tables, size_t place) {
    const uint8x16_t table = vld1q_u8(tables.bytes + 16 * place);
    const uint8x16_t digits = vld1q_u8(block.digits + 16 * place);
    return {vqtbl1q_u8(table, vandq_u8(digits, vdupq_n_u8(15))), vqtbl1q_u8(table, vshrq_n_u8(digits, 4))};
  }
  ELANUS_INLINE void add(const PlaceBytes& other) {
    low = vaddq_u8(low, other.low);
    high = vaddq_u8(high, other.high);
  }
};

uint32_t estimate(const NeighbourBlock& block, const DigitTables& tables, float distance, float bound,
                  float* estimates) {
  uint32_t sums[kBlockNeighbours] = {};
  for (size_t begin = 0; begin < tables.places; begin += kPlacesMax16) {
    const size_t end = begin + kPlacesMax16 < tables.places ? begin + kPlacesMax16 : tables.places;
    PlaceSums low;
    PlaceSums high;
    size_t p = begin;
    for (; tables.are_small && p + kSmallBytesPerSum <= end; p += kSmallBytesPerSum) {
      PlaceBytes sum = PlaceBytes::of(block, tables, p);
      for (size_t i = 1; i < kSmallBytesPerSum; ++i) sum.add(PlaceBytes::of(block, tables, p + i));
      low.add(sum.low);
      high.add(sum.high);
    }
    for (; p < end; ++p) {
      const PlaceBytes bytes = PlaceBytes::of(block, tables, p);
      low.add(bytes.low);
      high.add(bytes.high);
    }
    low.add_to(sums);
    high.add_to(sums + 16);
  }
  return finish_estimate(block, tables, distance, bound, sums, estimates);
}

ELANUS_INLINE int32x4_t multiply_add(int32x4_t sum, int16x8_t a, int16x8_t b) {
  return vmlal_s16(vmlal_s16(sum, vget_low_s16(a), vget_low_s16(b)), vget_high_s16(a), vget_high_s16(b));
}

void multiply_code(const uint8_t* code, const int8_t* high, const int8_t* low, size_t size, int32_t* products) {
  int32x4_t high_sum = vdupq_n_s32(0);
  int32x4_t low_sum = vdupq_n_s32(0);
  for (size_t i = 0; i < size; i += 8) {
    const int16x8_t part = vreinterpretq_s16_u16(vmovl_u8(vld1_u8(code + i)));
    high_sum = multiply_add(high_sum, part, vmovl_s8(vld1_s8(high + i)));
    low_sum = multiply_add(low_sum, part, vmovl_s8(vld1_s8(low + i)));
  }
  products[0] = vaddvq_s32(high_sum);
  products[1] = vaddvq_s32(low_sum);
}

}  // namespace

const WalkLoops kWalkNeon = {estimate,          multiply_code,       fill_sign_tables,
                             fill_level_tables, fill_product_tables, choose_products,
                             hadamard,          project};

}  // namespace elanus
