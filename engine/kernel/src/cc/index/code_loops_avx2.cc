// Loops of the quantizers for AVX2.
#include <immintrin.h>

#include "code_tile.h"

namespace elanus {
namespace {

struct Avx2 {
  using Vec = __m256;
  typedef int32_t Integers __attribute__((vector_size(32)));
  static constexpr size_t kLanes = 8;
  static constexpr size_t kCodes = 4;
  static constexpr size_t kPoints = 4;
  static constexpr size_t kVectors = 2;

  static ELANUS_INLINE Vec load(const float* from) { return _mm256_loadu_ps(from); }
  static ELANUS_INLINE void store(float* to, Vec v) { _mm256_storeu_ps(to, v); }
  static ELANUS_INLINE Vec broadcast(float value) { return _mm256_set1_ps(value); }
  static ELANUS_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
  static ELANUS_INLINE Vec subtract_product(Vec c, Vec a, Vec b) { return _mm256_fnmadd_ps(a, b, c); }
  static ELANUS_INLINE float sum(Vec v) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }

  template <size_t Bits>
  static ELANUS_INLINE void unpack(const uint8_t* bytes, Vec* out) {
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
    if constexpr (Bits == 8) {
      out[0] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(codes));
      out[1] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(codes, 8)));
    } else {
      // Four codes lie in Bits / 2 bytes: each of their lanes takes all of these and shifts its own down.
      constexpr char kNone = -1;
      constexpr size_t kBytes = Bits / 2;
      const __m256i both = _mm256_broadcastsi128_si256(codes);
      const auto quad = [](size_t i) ELANUS_INLINE_LAMBDA {
        const char a = static_cast<char>(i * kBytes);
        const char b = static_cast<char>(i * kBytes + 1);
        const char c = Bits == 6 ? static_cast<char>(i * kBytes + 2) : kNone;
        return _mm_setr_epi8(a, b, c, kNone, a, b, c, kNone, a, b, c, kNone, a, b, c, kNone);
      };
      const __m256i shifts = _mm256_broadcastsi128_si256(_mm_setr_epi32(0, Bits, 2 * Bits, 3 * Bits));
      const __m256i mask = _mm256_set1_epi32((1 << Bits) - 1);
      for (size_t v = 0; v < 2; ++v) {
        const __m256i places = _mm256_set_m128i(quad(2 * v + 1), quad(2 * v));
        const __m256i spread = _mm256_srlv_epi32(_mm256_shuffle_epi8(both, places), shifts);
        out[v] = _mm256_cvtepi32_ps(_mm256_and_si256(spread, mask));
      }
    }
  }
};

}  // namespace

const CodeLoops kCodeLoopsAvx2 = loops_of<Avx2>();

}  // namespace elanus
