// Loops of the quantizers for AVX-512.
#include <immintrin.h>

#include "code_tile.h"

namespace elanus {
namespace {

struct Avx512 {
  using Vec = __m512;
  typedef int32_t Integers __attribute__((vector_size(64)));
  static constexpr size_t kLanes = 16;
  static constexpr size_t kCodes = 8;
  static constexpr size_t kPoints = 4;
  static constexpr size_t kVectors = 4;

  static ELANUS_INLINE Vec load(const float* from) { return _mm512_loadu_ps(from); }
  static ELANUS_INLINE void store(float* to, Vec v) { _mm512_storeu_ps(to, v); }
  static ELANUS_INLINE Vec broadcast(float value) { return _mm512_set1_ps(value); }
  static ELANUS_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
  static ELANUS_INLINE Vec subtract_product(Vec c, Vec a, Vec b) { return _mm512_fnmadd_ps(a, b, c); }
  static ELANUS_INLINE float sum(Vec v) { return _mm512_reduce_add_ps(v); }

  template <size_t Bits>
  static ELANUS_INLINE void unpack(const uint8_t* bytes, Vec* out) {
    if constexpr (Bits == 8) {
      const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
      out[0] = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(codes));
    } else {
      // Four codes lie in Bits / 2 bytes: each of their lanes takes all of these and shifts its own down.
      constexpr char kNone = -1;
      constexpr size_t kBytes = Bits / 2;
      const __m512i all = _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
      const auto quad = [](size_t i) ELANUS_INLINE_LAMBDA {
        const char a = static_cast<char>(i * kBytes);
        const char b = static_cast<char>(i * kBytes + 1);
        const char c = Bits == 6 ? static_cast<char>(i * kBytes + 2) : kNone;
        return _mm_setr_epi8(a, b, c, kNone, a, b, c, kNone, a, b, c, kNone, a, b, c, kNone);
      };
      __m512i places = _mm512_castsi128_si512(quad(0));
      places = _mm512_inserti32x4(places, quad(1), 1);
      places = _mm512_inserti32x4(places, quad(2), 2);
      places = _mm512_inserti32x4(places, quad(3), 3);
      const __m512i shifts = _mm512_broadcast_i32x4(_mm_setr_epi32(0, Bits, 2 * Bits, 3 * Bits));
      const __m512i spread = _mm512_srlv_epi32(_mm512_shuffle_epi8(all, places), shifts);
      out[0] = _mm512_cvtepi32_ps(_mm512_and_si512(spread, _mm512_set1_epi32((1 << Bits) - 1)));
    }
  }
};

}  // namespace

const CodeLoops kCodeLoopsAvx512 = loops_of<Avx512>();

}  // namespace elanus
