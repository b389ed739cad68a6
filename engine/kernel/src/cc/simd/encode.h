// 8-bit codes of float vectors, in loops that the compiler turns into the vectors of each instruction set.
//
// Included by one file per instruction set, like tile.h and under its rules.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>

#include "simd.h"
#include "tile.h"

namespace elanus {
namespace {

inline constexpr size_t kLanes = 16;
inline constexpr float kCodeMax = 127;
// Beyond this the squares of a search's own arithmetic would not fit a float.
inline constexpr float kEncodedMax = 1e15f;

struct Lanes {
  float at[kLanes];
};

ELANUS_INLINE Lanes load_lanes(const uint8_t* row, size_t count) {
  Lanes lanes = {};
  memcpy(lanes.at, row, count * sizeof(float));
  return lanes;
}

// Calls `visit(first, count, lanes)` for every sixteen elements; the last are followed by zeroes.
template <class Visit>
ELANUS_INLINE void for_each_lanes(const uint8_t* row, size_t dim, const Visit& visit) {
  size_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) visit(i, kLanes, load_lanes(row + i * sizeof(float), kLanes));
  if (i < dim) visit(i, dim - i, load_lanes(row + i * sizeof(float), dim - i));
}

ELANUS_INLINE float largest_magnitude(const uint8_t* row, size_t dim) {
  Lanes largest = {};
  for_each_lanes(row, dim, [&](size_t, size_t, const Lanes& x) ELANUS_INLINE_LAMBDA {
    for (size_t l = 0; l < kLanes; ++l) {
      const float magnitude = __builtin_fabsf(x.at[l]);
      largest.at[l] = magnitude > largest.at[l] ? magnitude : largest.at[l];
    }
  });
  float all = 0;
  for (const float magnitude : largest.at) all = magnitude > all ? magnitude : all;
  return all;
}

ELANUS_INLINE CodeFactors encode(const uint8_t* row, size_t dim, int8_t* code) {
  // Adding it leaves the nearest integer, modulo 256 in the lowest byte.
  constexpr float kRounder = 3 << 22;
  const float largest = largest_magnitude(row, dim);
  const float scale = largest / kCodeMax;
  // Below the smallest normal float all codes are zero and everything is lost.
  const float inverse = scale > std::numeric_limits<float>::min() && largest < kEncodedMax ? 1 / scale : 0;
  Lanes lost = {};
  int32_t squares[kLanes] = {};
  for_each_lanes(row, dim, [&](size_t first, size_t count, const Lanes& x) ELANUS_INLINE_LAMBDA {
    int8_t codes[kLanes];
    for (size_t l = 0; l < kLanes; ++l) {
      const float rounded = x.at[l] * inverse + kRounder;
      int32_t bits;
      memcpy(&bits, &rounded, sizeof bits);
      codes[l] = static_cast<int8_t>(bits);
      const float nearest = rounded - kRounder;
      const float rest = x.at[l] - nearest * scale;
      lost.at[l] += rest * rest;
      squares[l] += codes[l] * codes[l];
    }
    memcpy(code + first, codes, count);
  });
  double lost_square = 0;
  double square = 0;
  for (size_t l = 0; l < kLanes; ++l) {
    lost_square += static_cast<double>(lost.at[l]);
    square += static_cast<double>(squares[l]);
  }
  // NaN is in the sum when it, or an infinity, is in the row.
  if (!(largest < kEncodedMax) || !(lost_square < static_cast<double>(kEncodedMax) * kEncodedMax)) {
    memset(code, 0, dim);
    return {0, 0, std::numeric_limits<float>::infinity()};
  }
  // Room for the rounding of 2,048 additions a lane, and for squares too small for a float.
  constexpr double kSlack = 1.001;
  constexpr double kLeast = 1e-18;
  const float used = inverse == 0 ? 0 : scale;
  return {used, static_cast<float>(static_cast<double>(used) * __builtin_sqrt(square)),
          static_cast<float>(__builtin_sqrt(lost_square) * kSlack + kLeast * dim)};
}

}  // namespace
}  // namespace elanus
