// The loops of each instruction set, by the files that define them.
#pragma once

#include "simd.h"

namespace elanus {

#define ELANUS_DECLARE_LOOPS(Set, set)          \
  extern const FloatLoops kFloat32##Set;        \
  extern const FloatLoops kFloat16##Set;        \
  extern const FloatLoops kBFloat16##Set;       \
  extern const Int8Loops kInt8##Set;            \
  extern const BitLoops kBits##Set;             \
  extern const WalkLoops kWalk##Set;            \
  extern const SparseLoops kSparse##Set;        \
  uint64_t read_all_##set(const uint8_t* bytes, size_t size); \
  CodeFactors encode_##set(const uint8_t* row, size_t dim, int8_t* code);

ELANUS_DECLARE_LOOPS(Portable, portable)
ELANUS_DECLARE_LOOPS(Avx2, avx2)
ELANUS_DECLARE_LOOPS(Avx512, avx512)
ELANUS_DECLARE_LOOPS(Neon, neon)

}  // namespace elanus
