// Bit-counting loops for NEON.
#include <arm_neon.h>

#include "bits.h"
#include "loops.h"

namespace elanus {
namespace {

ELANUS_INLINE uint32x4_t add_bits(uint32x4_t acc, uint8x16_t bits) {
  return vpadalq_u16(acc, vpaddlq_u8(vcntq_u8(bits)));
}

struct AndCount {
  using Acc = uint32x4_t;
  using Query = uint8x16_t;
  using Row = uint8x16_t;
  using Out = int32_t;
  static constexpr size_t kElements = 16;
  static constexpr size_t kRowStep = 16;
  static constexpr size_t kQueryStep = 16;
  static constexpr size_t kRows = 8;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE uint32x4_t zero() { return vdupq_n_u32(0); }
  static ELANUS_INLINE uint8x16_t query(const uint8_t* bytes) { return vld1q_u8(bytes); }
  static ELANUS_INLINE uint8x16_t row(const uint8_t* bytes) { return vld1q_u8(bytes); }
  static ELANUS_INLINE uint8x16_t row_tail(const uint8_t* bytes, size_t size) {
    return vld1q_u8(Tail<16>(bytes, size).bytes);
  }
  static ELANUS_INLINE uint32x4_t accumulate(uint32x4_t acc, uint8x16_t query, uint8x16_t row) {
    return add_bits(acc, vandq_u8(query, row));
  }
  template <size_t R>
  static ELANUS_INLINE void reduce(const uint32x4_t* acc, int32_t* out) {
    for (size_t r = 0; r < R; ++r) out[r] = static_cast<int32_t>(vaddvq_u32(acc[r]));
  }
};

struct XorCount : AndCount {
  static ELANUS_INLINE uint32x4_t accumulate(uint32x4_t acc, uint8x16_t query, uint8x16_t row) {
    return add_bits(acc, veorq_u8(query, row));
  }
};

double square_norm(const uint8_t* row, size_t bytes) {
  uint32x4_t sum = AndCount::zero();
  size_t at = 0;
  for (; at + 16 <= bytes; at += 16) sum = add_bits(sum, vld1q_u8(row + at));
  if (at < bytes) sum = add_bits(sum, AndCount::row_tail(row + at, bytes - at));
  return vaddvq_u32(sum);
}

}  // namespace

const BitLoops kBitsNeon = {score_tile<AndCount>,     score_tile<XorCount>, square_norm, rank_run<XorCount>,
                            rank_stretches<XorCount>, rank_blocks,          find_at_most};

}  // namespace elanus
