// Float loops for AVX-512.
#include <immintrin.h>

#include "encode.h"
#include "float_run.h"
#include "loops.h"

namespace elanus {
namespace {

using Vec = __m512;

struct Float32 {
  static constexpr size_t kBytes = 4;
  static ELANUS_INLINE Vec load(const uint8_t* bytes) { return _mm512_loadu_ps(bytes); }
  static ELANUS_INLINE Vec load_tail(const uint8_t* bytes, size_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), bytes);
  }
};

struct Float16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec widen(__m256i half) { return _mm512_cvtph_ps(half); }
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  }
  static ELANUS_INLINE Vec load_tail(const uint8_t* bytes, size_t count) {
    return widen(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), bytes));
  }
};

struct BFloat16 {
  static constexpr size_t kBytes = 2;
  static ELANUS_INLINE Vec widen(__m256i half) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
  }
  static ELANUS_INLINE Vec load(const uint8_t* bytes) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  }
  static ELANUS_INLINE Vec load_tail(const uint8_t* bytes, size_t count) {
    return widen(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), bytes));
  }
};

// Each step folds two vectors into one: the two halves of every sum meet, until lane r holds the sum of acc[r].
// The order of additions within a sum is the same for all r.
ELANUS_INLINE void reduce8(const Vec* acc, float* out) {
  const auto fold_8 = [](Vec a, Vec b) ELANUS_INLINE_LAMBDA {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x44), _mm512_shuffle_f32x4(a, b, 0xee));
  };
  const auto fold_4 = [](Vec a, Vec b) ELANUS_INLINE_LAMBDA {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  };
  const Vec sums_0246 = fold_4(fold_8(acc[0], acc[2]), fold_8(acc[4], acc[6]));
  const Vec sums_1357 = fold_4(fold_8(acc[1], acc[3]), fold_8(acc[5], acc[7]));
  // 128 bits for each pair of sums: two lanes of the even one, two of the odd one.
  const Vec pairs = _mm512_add_ps(_mm512_shuffle_ps(sums_0246, sums_1357, 0x44),
                                  _mm512_shuffle_ps(sums_0246, sums_1357, 0xee));
  const Vec sums = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
  const __m512i even_lanes = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0);
  _mm256_storeu_ps(out, _mm512_castps512_ps256(_mm512_permutexvar_ps(even_lanes, sums)));
}

template <class Element>
struct Dot {
  using Acc = Vec;
  using Query = Vec;
  using Row = Vec;
  using Out = float;
  static constexpr size_t kElements = 16;
  static constexpr size_t kRowStep = kElements * Element::kBytes;
  static constexpr size_t kQueryStep = 64;
  static constexpr size_t kRows = 8;
  static constexpr size_t kQueries = 3;
  static ELANUS_INLINE Vec zero() { return _mm512_setzero_ps(); }
  static ELANUS_INLINE Vec query(const uint8_t* bytes) { return _mm512_loadu_ps(bytes); }
  static ELANUS_INLINE Vec row(const uint8_t* bytes) { return Element::load(bytes); }
  static ELANUS_INLINE Vec row_tail(const uint8_t* bytes, size_t size) {
    return Element::load_tail(bytes, size / Element::kBytes);
  }
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) { return _mm512_fmadd_ps(query, row, acc); }
  template <size_t R>
  static ELANUS_INLINE void reduce(const Vec* acc, float* out) {
    static_assert(R == 8);
    reduce8(acc, out);
  }
};

template <class Element>
struct SquareDistance : Dot<Element> {
  static ELANUS_INLINE Vec accumulate(Vec acc, Vec query, Vec row) {
    const Vec difference = _mm512_sub_ps(query, row);
    return _mm512_fmadd_ps(difference, difference, acc);
  }
};

template <class Element>
double square_norm(const uint8_t* row, size_t dim) {
  __m512d low = _mm512_setzero_pd();
  __m512d high = _mm512_setzero_pd();
  const auto add = [&](Vec v) ELANUS_INLINE_LAMBDA {
    const __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    const __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
    low = _mm512_fmadd_pd(a, a, low);
    high = _mm512_fmadd_pd(b, b, high);
  };
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) add(Element::load(row + i * Element::kBytes));
  if (i < dim) add(Element::load_tail(row + i * Element::kBytes, dim - i));
  return _mm512_reduce_add_pd(_mm512_add_pd(low, high));
}

template <class Element>
void widen(const uint8_t* vector, size_t dim, float* out) {
  size_t i = 0;
  for (; i + 16 <= dim; i += 16) _mm512_storeu_ps(out + i, Element::load(vector + i * Element::kBytes));
  if (i == dim) return;
  const __mmask16 rest = static_cast<__mmask16>((1u << (dim - i)) - 1);
  _mm512_mask_storeu_ps(out + i, rest, Element::load_tail(vector + i * Element::kBytes, dim - i));
}

template <class Element>
constexpr FloatLoops loops() {
  return {score_tile<Dot<Element>>, score_tile<SquareDistance<Element>>, score_run<Dot<Element>>,
          score_run<SquareDistance<Element>>, square_norm<Element>, widen<Element>};
}

}  // namespace

const FloatLoops kFloat32Avx512 = loops<Float32>();
const FloatLoops kFloat16Avx512 = loops<Float16>();
const FloatLoops kBFloat16Avx512 = loops<BFloat16>();

uint64_t read_all_avx512(const uint8_t* bytes, size_t size) {
  __m512i sum[2 * kReadStreams] = {};
  const size_t stream = size / kReadStreams;
  for (size_t at = 0; at < stream; at += 128) {
#pragma GCC unroll 8
    for (size_t i = 0; i < 2 * kReadStreams; ++i)
      sum[i] = _mm512_xor_si512(sum[i], _mm512_loadu_si512(bytes + i / 2 * stream + at + i % 2 * 64));
  }
  for (size_t i = 1; i < 2 * kReadStreams; ++i) sum[0] = _mm512_xor_si512(sum[0], sum[i]);
  return static_cast<uint64_t>(_mm512_reduce_add_epi64(sum[0]));
}

CodeFactors encode_avx512(const uint8_t* row, size_t dim, int8_t* code) { return encode(row, dim, code); }

}  // namespace elanus
