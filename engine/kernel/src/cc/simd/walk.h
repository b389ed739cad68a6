// The loops of a walk in the compiler's own vectors of 16 floats, which it cuts to the size of the machine's.
//
// As tile.h, included by one file per instruction set and all in an anonymous namespace.
#pragma once

#include <cstring>

#include "tile.h"
#include "walk_loops.h"

namespace elanus {
namespace {

typedef float Lanes __attribute__((vector_size(64)));
typedef int32_t LaneInts __attribute__((vector_size(64)));
typedef uint8_t LaneBytes __attribute__((vector_size(16)));

inline constexpr size_t kLanes = 16;

ELANUS_INLINE Lanes load_lanes(const float* from) {
  Lanes lanes;
  memcpy(&lanes, from, sizeof lanes);
  return lanes;
}

ELANUS_INLINE void store_lanes(float* to, Lanes lanes) { memcpy(to, &lanes, sizeof lanes); }

ELANUS_INLINE Lanes all_lanes(float value) { return Lanes{} + value; }

// Up to here a sum of table bytes fits 16 bits.
inline constexpr size_t kPlacesMax16 = 256;

// The last step of an estimate, from the sums of 32 neighbours.
ELANUS_INLINE uint32_t finish_estimate(const NeighbourBlock& block, const DigitTables& tables, float distance,
                                       float bound, const uint32_t* sums, float* estimates) {
  uint32_t below = 0;
  for (size_t i = 0; i < kBlockNeighbours; ++i) {
    const float product = static_cast<float>(static_cast<int32_t>(sums[i])) * tables.step + tables.base;
    estimates[i] = product * block.factors[i] + (block.added[i] + distance);
    below |= static_cast<uint32_t>(estimates[i] < bound) << i;
  }
  return below;
}

// From what each place's table spans, before the tables are filled: `spread[p]` is its largest entry, and minus its
// least. Returns the factor that turns a contribution into bytes, or into small ones.
ELANUS_INLINE float begin_tables(const float* spread, size_t places, bool are_small, DigitTables* tables) {
  const float byte_max = are_small ? kSmallByteMax : 255;
  float largest = 0;
  float base = 0;
  for (size_t p = 0; p < places; ++p) {
    largest = spread[p] > largest ? spread[p] : largest;
    base -= spread[p];
  }
  const float step = 2 * largest / byte_max;
  const float scale = byte_max / (2 * largest);
  // A query of zeroes, or of numbers too small or too large to say anything: all contributions count as none.
  const bool usable = step > 0 && scale < 3e38f && base > -3e38f;
  tables->step = usable ? step : 0;
  tables->base = usable ? base : 0;
  tables->are_small = are_small;
  return usable ? scale : 0;
}

ELANUS_INLINE void store_table(uint8_t* to, Lanes entries, float spread, float scale) {
  const Lanes scaled = (entries + spread) * scale + 0.5f;
  const LaneBytes bytes = __builtin_convertvector(__builtin_convertvector(scaled, LaneInts), LaneBytes);
  memcpy(to, &bytes, sizeof bytes);
}

inline constexpr size_t kTablesAtOnce = 8192;  // 4 * ELANUS_INT8_DIM_MAX / 16

ELANUS_INLINE Lanes sign_lanes(int bit) {
  Lanes lanes;
  for (int digit = 0; digit < 16; ++digit) lanes[digit] = (digit >> bit & 1) != 0 ? 1.0f : -1.0f;
  return lanes;
}

void fill_sign_tables(const float* query, DigitTables* tables) {
  float spread[kTablesAtOnce];
  const auto size_of = [](float x) ELANUS_INLINE_LAMBDA { return x < 0 ? -x : x; };
  for (size_t p = 0; p < tables->places; ++p) {
    const float* const q = query + 4 * p;
    spread[p] = (size_of(q[0]) + size_of(q[1])) + (size_of(q[2]) + size_of(q[3]));
  }
  const float scale = begin_tables(spread, tables->places, true, tables);
  if (scale == 0) {
    memset(tables->bytes, 0, tables->places * 16);
    return;
  }
  const Lanes signs[4] = {sign_lanes(0), sign_lanes(1), sign_lanes(2), sign_lanes(3)};
  for (size_t p = 0; p < tables->places; ++p) {
    const float* const q = query + 4 * p;
    const Lanes entries = (signs[0] * q[0] + signs[1] * q[1]) + (signs[2] * q[2] + signs[3] * q[3]);
    store_table(tables->bytes + 16 * p, entries, spread[p], scale);
  }
}

void fill_level_tables(const float* query, const float* levels, DigitTables* tables) {
  float spread[kTablesAtOnce];
  const Lanes all_levels = load_lanes(levels);
  for (size_t p = 0; p < tables->places; ++p) spread[p] = (query[p] < 0 ? -query[p] : query[p]) * levels[15];
  const float scale = begin_tables(spread, tables->places, false, tables);
  if (scale == 0) {
    memset(tables->bytes, 0, tables->places * 16);
    return;
  }
  for (size_t p = 0; p < tables->places; ++p)
    store_table(tables->bytes + 16 * p, all_levels * query[p], spread[p], scale);
}

// Within a vector: lane i meets lane i ^ Distance.
template <int Distance>
ELANUS_INLINE Lanes butterfly(Lanes x) {
  constexpr int D = Distance;
  Lanes sign;
  for (int i = 0; i < 16; ++i) sign[i] = (i & D) != 0 ? -1.0f : 1.0f;
  const Lanes partner = __builtin_shufflevector(x, x, 0 ^ D, 1 ^ D, 2 ^ D, 3 ^ D, 4 ^ D, 5 ^ D, 6 ^ D, 7 ^ D, 8 ^ D,
                                                9 ^ D, 10 ^ D, 11 ^ D, 12 ^ D, 13 ^ D, 14 ^ D, 15 ^ D);
  return partner + x * sign;
}

void hadamard(float* values, size_t size) {
  for (size_t i = 0; i < size; i += kLanes) {
    store_lanes(values + i, butterfly<8>(butterfly<4>(butterfly<2>(butterfly<1>(load_lanes(values + i))))));
  }
  for (size_t distance = kLanes; distance < size; distance *= 2) {
    for (size_t begin = 0; begin < size; begin += 2 * distance) {
      for (size_t i = begin; i < begin + distance; i += kLanes) {
        const Lanes a = load_lanes(values + i);
        const Lanes b = load_lanes(values + i + distance);
        store_lanes(values + i, a + b);
        store_lanes(values + i + distance, a - b);
      }
    }
  }
}

void project(const float* vector, size_t dim, const float* columns, size_t count, float* out) {
  for (size_t c = 0; c < count; c += kLanes) {
    // Four sums, so that an addition need not wait for the one before it.
    Lanes sums[4] = {};
    size_t r = 0;
    for (; r + 4 <= dim; r += 4) {
#pragma GCC unroll 4
      for (size_t i = 0; i < 4; ++i) sums[i] += load_lanes(columns + (r + i) * count + c) * vector[r + i];
    }
    for (; r < dim; ++r) sums[0] += load_lanes(columns + r * count + c) * vector[r];
    store_lanes(out + c, (sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
}

}  // namespace
}  // namespace elanus
