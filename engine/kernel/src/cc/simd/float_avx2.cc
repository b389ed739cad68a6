// Float loops for AVX2 with FMA and F16C.
#include <immintrin.h>

#include "encode.h"
#include "float_run.h"
#include "loops.h"

namespace elanus {
namespace {

using Vec = __m256;

struct Float32 {
  static constexpr size_t kBytes = 4;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) { return _mm256_loadu_ps(reinterpret_cast<const float*>(bytes)); }
};

struct Float16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  }
};

struct BFloat16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
  }
};

// Lane r of the result is the sum of acc[r]; the order of additions within a sum is the same for all r.
ELANUS_INLINE void reduce4(const Vec* acc, float* out) {
  const Vec pairs_01 = _mm256_add_ps(_mm256_unpacklo_ps(acc[0], acc[1]), _mm256_unpackhi_ps(acc[0], acc[1]));
  const Vec pairs_23 = _mm256_add_ps(_mm256_unpacklo_ps(acc[2], acc[3]), _mm256_unpackhi_ps(acc[2], acc[3]));
  const Vec halves = _mm256_add_ps(_mm256_shuffle_ps(pairs_01, pairs_23, 0x44),
                                   _mm256_shuffle_ps(pairs_01, pairs_23, 0xee));
  _mm_storeu_ps(out, _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
}

template <class Element>
struct Dot {
  using Acc = Vec;
  using Query = Vec;
  using Row = Vec;
  using Out = float;
  static constexpr size_t kElements = 8;
  static constexpr size_t kRowStep = kElements * Element::kBytes;
  static constexpr size_t kQueryStep = 32;
  static constexpr size_t kRows = 4;
  static constexpr size_t kQueries = 3;
  static ELANUS_INLINE Vec zero() { return _mm256_setzero_ps(); }
  static ELANUS_INLINE Vec query(const uint8_t* bytes) { return Float32::load(bytes); }
  static ELANUS_INLINE Vec row(const uint8_t* bytes) { return Element::load(bytes); }
  static ELANUS_INLINE Vec row_tail(const uint8_t* bytes, size_t size) {
    return Element::load(Tail<kRowStep>(bytes, size).bytes);
  }
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) { return _mm256_fmadd_ps(query, row, acc); }
  template <size_t R>
  static ELANUS_INLINE void reduce(const Vec* acc, float* out) {
    for (size_t r = 0; r < R; r += 4) reduce4(acc + r, out + r);
  }
};

template <class Element>
struct SquareDistance : Dot<Element> {
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) {
    const Vec difference = _mm256_sub_ps(query, row);
    return _mm256_fmadd_ps(difference, difference, acc);
  }
};

template <class Element>
double square_norm(const uint8_t* row, size_t dim) {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  const auto add = [&](Vec v) ELANUS_INLINE_LAMBDA {
    const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
    const __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
    low = _mm256_fmadd_pd(a, a, low);
    high = _mm256_fmadd_pd(b, b, high);
  };
  constexpr size_t step = 8 * Element::kBytes;
  const size_t size = dim * Element::kBytes;
  size_t at = 0;
  for (; at + step <= size; at += step) add(Element::load(row + at));
  if (at < size) add(Element::load(Tail<step>(row + at, size - at).bytes));
  double sums[4];
  _mm256_storeu_pd(sums, _mm256_add_pd(low, high));
  return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

template <class Element>
void widen(const uint8_t* vector, size_t dim, float* out) {
  const auto store = [](float* to, Vec v) ELANUS_INLINE_LAMBDA { _mm256_storeu_ps(to, v); };
  size_t i = 0;
  for (; i + 8 <= dim; i += 8) store(out + i, Element::load(vector + i * Element::kBytes));
  if (i == dim) return;
  const size_t rest = dim - i;
  float tail[8];
  store(tail, Element::load(Tail<8 * Element::kBytes>(vector + i * Element::kBytes, rest * Element::kBytes).bytes));
  memcpy(out + i, tail, rest * sizeof(float));
}

template <class Element>
constexpr FloatLoops loops() {
  return {score_tile<Dot<Element>>, score_tile<SquareDistance<Element>>, score_run<Dot<Element>>,
          score_run<SquareDistance<Element>>, square_norm<Element>, widen<Element>};
}

}  // namespace

const FloatLoops kFloat32Avx2 = loops<Float32>();
const FloatLoops kFloat16Avx2 = loops<Float16>();
const FloatLoops kBFloat16Avx2 = loops<BFloat16>();

uint64_t read_all_avx2(const uint8_t* bytes, size_t size) {
  __m256i sum[kReadStreams] = {};
  const size_t stream = size / kReadStreams;
  for (size_t at = 0; at < stream; at += 128) {
#pragma GCC unroll 16
    for (size_t i = 0; i < 4 * kReadStreams; ++i) {
      const uint8_t* const from = bytes + i / 4 * stream + at + i % 4 * 32;
      sum[i / 4] = _mm256_xor_si256(sum[i / 4], _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    }
  }
  for (size_t i = 1; i < kReadStreams; ++i) sum[0] = _mm256_xor_si256(sum[0], sum[i]);
  return static_cast<uint64_t>(_mm256_extract_epi64(sum[0], 0) ^ _mm256_extract_epi64(sum[0], 1) ^
                               _mm256_extract_epi64(sum[0], 2) ^ _mm256_extract_epi64(sum[0], 3));
}

CodeFactors encode_avx2(const uint8_t* row, size_t dim, int8_t* code) { return encode(row, dim, code); }

}  // namespace elanus
