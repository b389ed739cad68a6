// Float loops in the compiler's own vectors, for every machine.
#include "../half.h"
#include "encode.h"
#include "float_run.h"
#include "loops.h"

namespace elanus {
namespace {

typedef float Vec __attribute__((vector_size(16)));

ELANUS_INLINE Vec load_float32(const uint8_t* bytes) {
  Vec v;
  memcpy(&v, bytes, sizeof v);
  return v;
}

struct Float32 {
  static constexpr size_t kBytes = 4;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) { return load_float32(bytes); }
};

template <float (*Widen)(uint16_t)>
struct Half {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    uint16_t half[4];
    memcpy(half, bytes, sizeof half);
    return Vec{Widen(half[0]), Widen(half[1]), Widen(half[2]), Widen(half[3])};
  }
};
using Float16 = Half<float_from_float16>;
using BFloat16 = Half<float_from_bfloat16>;

template <class Element>
struct Dot {
  using Acc = Vec;
  using Query = Vec;
  using Row = Vec;
  using Out = float;
  static constexpr size_t kElements = 4;
  static constexpr size_t kRowStep = kElements * Element::kBytes;
  static constexpr size_t kQueryStep = 16;
  static constexpr size_t kRows = 4;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE Vec zero() { return Vec{}; }
  static ELANUS_INLINE Vec query(const uint8_t* bytes) { return load_float32(bytes); }
  static ELANUS_INLINE Vec row(const uint8_t* bytes) { return Element::load(bytes); }
  static ELANUS_INLINE Vec row_tail(const uint8_t* bytes, size_t size) {
    return Element::load(Tail<kRowStep>(bytes, size).bytes);
  }
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) { return acc + query * row; }
  template <size_t R>
  static ELANUS_INLINE void reduce(const Vec* acc, float* out) {
    for (size_t r = 0; r < R; ++r) out[r] = (acc[r][0] + acc[r][2]) + (acc[r][1] + acc[r][3]);
  }
};

template <class Element>
struct SquareDistance : Dot<Element> {
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) {
    const Vec difference = query - row;
    return acc + difference * difference;
  }
};

template <class Element>
double square_norm(const uint8_t* row, size_t dim) {
  double sum[4] = {};
  const auto add = [&sum](Vec v) {
    for (size_t i = 0; i < 4; ++i) sum[i] += static_cast<double>(v[i]) * static_cast<double>(v[i]);
  };
  constexpr size_t step = 4 * Element::kBytes;
  const size_t size = dim * Element::kBytes;
  size_t at = 0;
  for (; at + step <= size; at += step) add(Element::load(row + at));
  if (at < size) add(Element::load(Tail<step>(row + at, size - at).bytes));
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

template <class Element>
void widen(const uint8_t* vector, size_t dim, float* out) {
  const auto store = [](float* to, Vec v) ELANUS_INLINE_LAMBDA { memcpy(to, &v, sizeof v); };
  size_t i = 0;
  for (; i + 4 <= dim; i += 4) store(out + i, Element::load(vector + i * Element::kBytes));
  if (i == dim) return;
  const size_t rest = dim - i;
  float tail[4];
  store(tail, Element::load(Tail<4 * Element::kBytes>(vector + i * Element::kBytes, rest * Element::kBytes).bytes));
  memcpy(out + i, tail, rest * sizeof(float));
}

template <class Element>
constexpr FloatLoops loops() {
  return {score_tile<Dot<Element>>, score_tile<SquareDistance<Element>>, score_run<Dot<Element>>,
          score_run<SquareDistance<Element>>, square_norm<Element>, widen<Element>};
}

}  // namespace

const FloatLoops kFloat32Portable = loops<Float32>();
const FloatLoops kFloat16Portable = loops<Float16>();
const FloatLoops kBFloat16Portable = loops<BFloat16>();

uint64_t read_all_portable(const uint8_t* bytes, size_t size) {
  uint64_t sum = 0;
  const size_t stream = size / kReadStreams;
  for (size_t at = 0; at < stream; at += 128) {
    for (size_t s = 0; s < kReadStreams; ++s) {
      uint64_t words[16];
      memcpy(words, bytes + s * stream + at, sizeof words);
      for (const uint64_t word : words) sum ^= word;
    }
  }
  return sum;
}

CodeFactors encode_portable(const uint8_t* row, size_t dim, int8_t* code) { return encode(row, dim, code); }

}  // namespace elanus
