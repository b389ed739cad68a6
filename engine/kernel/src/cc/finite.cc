// Numbers that are NaN or infinite: all bits of their exponent are ones.
#include <algorithm>
#include <cstring>

#include "elanus/kernel.h"

namespace elanus {
namespace {

// Numbers that are looked at before anybody asks whether one of them was found.
constexpr size_t kStretch = 4096;

template <class Word>
bool is_non_finite(const uint8_t* bytes, size_t i, Word exponent) {
  Word word;
  std::memcpy(&word, bytes + i * sizeof(Word), sizeof(Word));
  return (word & exponent) == exponent;
}

template <class Word>
size_t find(const uint8_t* bytes, size_t count, Word exponent) {
  for (size_t begin = 0; begin < count; begin += kStretch) {
    const size_t end = std::min(count, begin + kStretch);
    Word any = 0;
    for (size_t i = begin; i < end; ++i) any |= is_non_finite(bytes, i, exponent) ? 1 : 0;
    if (any == 0) continue;
    size_t i = begin;
    while (!is_non_finite(bytes, i, exponent)) ++i;
    return i;
  }
  return count;
}

}  // namespace
}  // namespace elanus

extern "C" size_t elanus_find_non_finite(ElanusNumberType type, const uint8_t* bytes, size_t count) {
  switch (type) {
    case ELANUS_NUMBER_FLOAT16:
      return elanus::find<uint16_t>(bytes, count, 0x7c00);
    case ELANUS_NUMBER_BFLOAT16:
      return elanus::find<uint16_t>(bytes, count, 0x7f80);
    case ELANUS_NUMBER_FLOAT32:
      return elanus::find<uint32_t>(bytes, count, 0x7f80'0000);
    case ELANUS_NUMBER_FLOAT64:
      return elanus::find<uint64_t>(bytes, count, 0x7ff0'0000'0000'0000);
  }
  return count;
}
