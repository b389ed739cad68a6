// Float32 rounded to the two 16-bit float formats, to the nearest, ties to even. What is too large becomes the
// largest finite number, so that no finite vector gets an infinite element; NaN stays NaN.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace elanus {

inline uint16_t bfloat16_from_float(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7fc0);
  const uint32_t rounded = magnitude + 0x7fff + (magnitude >> 16 & 1);
  return static_cast<uint16_t>(sign | (rounded >= 0x7f800000 ? 0x7f7f : rounded >> 16));
}

inline uint16_t float16_from_float(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t sign = bits >> 16 & 0x8000;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7bff);  // 65,520 and more
  if (magnitude < 0x38800000) {
    // Below 2^-14, in steps of 2^-24: adding 0.5, whose last place that is, rounds to them.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000));
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | (rounded - 0x38000000) >> 13);
}

}  // namespace elanus
