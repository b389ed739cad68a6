// Int8 loops for NEON: products of 16 bits, added in pairs to sums of 32.
#include <arm_neon.h>

#include "loops.h"
#include "tile.h"

namespace elanus {
namespace {

ELANUS_INLINE int8x16_t load(const uint8_t* bytes) { return vreinterpretq_s8_u8(vld1q_u8(bytes)); }

struct Dot {
  using Acc = int32x4_t;
  using Query = int8x16_t;
  using Row = int8x16_t;
  using Out = int32_t;
  static constexpr size_t kElements = 16;
  static constexpr size_t kRowStep = 16;
  static constexpr size_t kQueryStep = 16;
  static constexpr size_t kRows = 8;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE int32x4_t zero() { return vdupq_n_s32(0); }
  static ELANUS_INLINE int8x16_t query(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE int8x16_t row(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE int8x16_t row_tail(const uint8_t* bytes, size_t size) {
    return load(Tail<16>(bytes, size).bytes);
  }
  static ELANUS_INLINE int32x4_t accumulate(int32x4_t acc, int8x16_t query, int8x16_t row) {
    const int16x8_t low = vmull_s8(vget_low_s8(query), vget_low_s8(row));
    return vpadalq_s16(vpadalq_s16(acc, low), vmull_high_s8(query, row));
  }
  template <size_t R>
  static ELANUS_INLINE void reduce(const int32x4_t* acc, int32_t* out) {
    for (size_t r = 0; r < R; ++r) out[r] = vaddvq_s32(acc[r]);
  }
};

double square_norm(const uint8_t* row, size_t dim) {
  int32x4_t sum = Dot::zero();
  size_t at = 0;
  for (; at + 16 <= dim; at += 16) sum = Dot::accumulate(sum, load(row + at), load(row + at));
  if (at < dim) {
    const int8x16_t rest = Dot::row_tail(row + at, dim - at);
    sum = Dot::accumulate(sum, rest, rest);
  }
  return vaddvq_s32(sum);
}

}  // namespace

const Int8Loops kInt8Neon = {score_tile<Dot>, square_norm};

}  // namespace elanus
