// Float loops for NEON, which every aarch64 machine has.
#include <arm_neon.h>

#include "encode.h"
#include "float_run.h"
#include "loops.h"

namespace elanus {
namespace {

using Vec = float32x4_t;

struct Float32 {
  static constexpr size_t kBytes = 4;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) { return vreinterpretq_f32_u8(vld1q_u8(bytes)); }
};

struct Float16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(bytes))); }
};

struct BFloat16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    return vreinterpretq_f32_u32(vshll_n_u16(vreinterpret_u16_u8(vld1_u8(bytes)), 16));
  }
};

template <class Element>
struct Dot {
  using Acc = Vec;
  using Query = Vec;
  using Row = Vec;
  using Out = float;
  static constexpr size_t kElements = 4;
  static constexpr size_t kRowStep = kElements * Element::kBytes;
  static constexpr size_t kQueryStep = 16;
  static constexpr size_t kRows = 8;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE Vec zero() { return vdupq_n_f32(0); }
  static ELANUS_INLINE Vec query(const uint8_t* bytes) { return Float32::load(bytes); }
  static ELANUS_INLINE Vec row(const uint8_t* bytes) { return Element::load(bytes); }
  static ELANUS_INLINE Vec row_tail(const uint8_t* bytes, size_t size) {
    return Element::load(Tail<kRowStep>(bytes, size).bytes);
  }
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) { return vfmaq_f32(acc, query, row); }
  template <size_t R>
  static ELANUS_INLINE void reduce(const Vec* acc, float* out) {
    for (size_t r = 0; r < R; r += 4) {
      const Vec sums = vpaddq_f32(vpaddq_f32(acc[r], acc[r + 1]), vpaddq_f32(acc[r + 2], acc[r + 3]));
      vst1q_f32(out + r, sums);
    }
  }
};

template <class Element>
struct SquareDistance : Dot<Element> {
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) {
    const Vec difference = vsubq_f32(query, row);
    return vfmaq_f32(acc, difference, difference);
  }
};

template <class Element>
double square_norm(const uint8_t* row, size_t dim) {
  float64x2_t low = vdupq_n_f64(0);
  float64x2_t high = vdupq_n_f64(0);
  const auto add = [&](Vec v) ELANUS_INLINE_LAMBDA {
    const float64x2_t a = vcvt_f64_f32(vget_low_f32(v));
    const float64x2_t b = vcvt_high_f64_f32(v);
    low = vfmaq_f64(low, a, a);
    high = vfmaq_f64(high, b, b);
  };
  constexpr size_t step = 4 * Element::kBytes;
  const size_t size = dim * Element::kBytes;
  size_t at = 0;
  for (; at + step <= size; at += step) add(Element::load(row + at));
  if (at < size) add(Element::load(Tail<step>(row + at, size - at).bytes));
  return vaddvq_f64(vaddq_f64(low, high));
}

template <class Element>
void widen(const uint8_t* vector, size_t dim, float* out) {
  size_t i = 0;
  for (; i + 4 <= dim; i += 4) vst1q_f32(out + i, Element::load(vector + i * Element::kBytes));
  if (i == dim) return;
  const size_t rest = dim - i;
  float tail[4];
  vst1q_f32(tail, Element::load(Tail<4 * Element::kBytes>(vector + i * Element::kBytes, rest * Element::kBytes).bytes));
  memcpy(out + i, tail, rest * sizeof(float));
}

template <class Element>
constexpr FloatLoops loops() {
  return {score_tile<Dot<Element>>, score_tile<SquareDistance<Element>>, score_run<Dot<Element>>,
          score_run<SquareDistance<Element>>, square_norm<Element>, widen<Element>};
}

}  // namespace

const FloatLoops kFloat32Neon = loops<Float32>();
const FloatLoops kFloat16Neon = loops<Float16>();
const FloatLoops kBFloat16Neon = loops<BFloat16>();

uint64_t read_all_neon(const uint8_t* bytes, size_t size) {
  uint8x16_t sum[kReadStreams] = {vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0), vdupq_n_u8(0)};
  const size_t stream = size / kReadStreams;
  for (size_t at = 0; at < stream; at += 128) {
    for (size_t i = 0; i < 8 * kReadStreams; ++i)
      sum[i / 8] = veorq_u8(sum[i / 8], vld1q_u8(bytes + i / 8 * stream + at + i % 8 * 16));
  }
  return vaddlvq_u8(veorq_u8(veorq_u8(sum[0], sum[1]), veorq_u8(sum[2], sum[3])));
}

CodeFactors encode_neon(const uint8_t* row, size_t dim, int8_t* code) { return encode(row, dim, code); }

}  // namespace elanus
