// Loops of the quantizers in the compiler's own vectors, for every machine.
#include "code_tile.h"

namespace elanus {
namespace {

struct Portable {
  typedef float Vec __attribute__((vector_size(16)));
  typedef int32_t Integers __attribute__((vector_size(16)));
  static constexpr size_t kLanes = 4;
  static constexpr size_t kCodes = 2;
  static constexpr size_t kPoints = 2;
  static constexpr size_t kVectors = 4;

  static ELANUS_INLINE Vec load(const float* from) {
    Vec v;
    memcpy(&v, from, sizeof v);
    return v;
  }
  static ELANUS_INLINE void store(float* to, Vec v) { memcpy(to, &v, sizeof v); }
  static ELANUS_INLINE Vec broadcast(float value) { return Vec{value, value, value, value}; }
  static ELANUS_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return a * b + c; }
  static ELANUS_INLINE Vec subtract_product(Vec c, Vec a, Vec b) { return c - a * b; }
  static ELANUS_INLINE float sum(Vec v) { return (v[0] + v[2]) + (v[1] + v[3]); }

  template <size_t Bits>
  static ELANUS_INLINE void unpack(const uint8_t* bytes, Vec* out) {
#pragma GCC unroll 4
    for (size_t quad = 0; quad < 4; ++quad) {
      uint32_t word = 0;
      memcpy(&word, bytes + quad * (Bits / 2), Bits / 2);
      Integers codes = Integers{} + static_cast<int32_t>(word);
      codes >>= Integers{0, Bits, 2 * Bits, 3 * Bits};
      codes &= (1 << Bits) - 1;
      out[quad] = __builtin_convertvector(codes, Vec);
    }
  }
};

}  // namespace

const CodeLoops kCodeLoopsPortable = loops_of<Portable>();

}  // namespace elanus
