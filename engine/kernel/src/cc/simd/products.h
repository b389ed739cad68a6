// The loops of codes by products in the compiler's own vectors, a centroid a lane.
//
// As walk.h, included by one file per instruction set and all in an anonymous namespace.
#pragma once

#include "walk.h"

namespace elanus {
namespace {

// Every second of a pair of halves, quarters and so on changes places with the first.
template <int Distance, class Vector>
ELANUS_INLINE Vector swapped(Vector x) {
  constexpr int D = Distance;
  return __builtin_shufflevector(x, x, 0 ^ D, 1 ^ D, 2 ^ D, 3 ^ D, 4 ^ D, 5 ^ D, 6 ^ D, 7 ^ D, 8 ^ D, 9 ^ D, 10 ^ D,
                                 11 ^ D, 12 ^ D, 13 ^ D, 14 ^ D, 15 ^ D);
}

template <class Vector>
ELANUS_INLINE Vector smaller(Vector a, Vector b) {
  return a < b ? a : b;
}

// Of all lanes, in the first.
template <class Vector>
ELANUS_INLINE auto smallest(Vector x) {
  x = smaller(x, swapped<8>(x));
  x = smaller(x, swapped<4>(x));
  x = smaller(x, swapped<2>(x));
  return smaller(x, swapped<1>(x))[0];
}

// The lane with the smallest number, as far as 20 bits of it tell. REQUIRES: none is below 0.
ELANUS_INLINE uint8_t lane_of_smallest(Lanes x) {
  LaneInts bits;
  memcpy(&bits, &x, sizeof bits);
  // Floats above 0 are in the order of their bits; the last ones make room for the lane.
  constexpr LaneInts kLaneNumbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return static_cast<uint8_t>(smallest((bits & ~15) | kLaneNumbers) & 15);
}

// The products of a part with the centroids of its place.
ELANUS_INLINE Lanes product_lanes(const DigitProducts& products, size_t place, const float* vector) {
  const size_t part = products.part();
  const float* const centroids = products.centroids + place * part * kDigitCentroids;
  Lanes dots = {};
  for (size_t d = 0; d < part; ++d) dots += load_lanes(centroids + d * kDigitCentroids) * vector[place * part + d];
  return dots;
}

void fill_product_tables(const DigitProducts& products, const float* query, DigitTables* tables) {
  // All places share the step of the one that spans most.
  float base = 0;
  float largest = 0;
  for (size_t p = 0; p < products.places; ++p) {
    const Lanes dots = product_lanes(products, p, query);
    const float least = smallest(dots);
    const float span = -smallest(-dots) - least;
    base += least;
    largest = span > largest ? span : largest;
  }
  const bool are_small = products.part() > 1;
  const float byte_max = are_small ? kSmallByteMax : 255;
  const float step = largest / byte_max;
  const float scale = byte_max / largest;
  // As in begin_tables: numbers too small or too large to say anything count as none.
  const bool usable = step > 0 && scale < 3e38f && base > -3e38f && base < 3e38f;
  tables->step = usable ? step : 0;
  tables->base = usable ? base : 0;
  tables->are_small = are_small;
  const size_t used = usable ? products.places : 0;
  for (size_t p = 0; p < used; ++p) {
    const Lanes dots = product_lanes(products, p, query);
    store_table(tables->bytes + kDigitCentroids * p, dots, -smallest(dots), scale);
  }
  memset(tables->bytes + kDigitCentroids * used, 0, kDigitCentroids * (tables->places - used));
}

// Whoever divides the product with a code by that of the vector and its own code has no error along the vector: what is
// left is the error across it, and that is least where the cosine is largest. So this is anisotropic quantization (Guo
// et al., Accelerating Large-Scale Inference with Anisotropic Vector Quantization, arXiv 1908.10396) with all weight
// on one side.
void choose_products(const DigitProducts& products, const float* vector, uint8_t* digits) {
  constexpr int kRounds = 3;
  const auto squares_of = [&](size_t place) ELANUS_INLINE_LAMBDA {
    return load_lanes(products.squares + place * kDigitCentroids);
  };
  // What all chosen centroids together have along the vector, and their squared length.
  float along = 0;
  float square = 0;
  for (size_t p = 0; p < products.places; ++p) {
    const Lanes dots = product_lanes(products, p, vector);
    const Lanes losses = squares_of(p) - (dots + dots);
    digits[p] = lane_of_smallest(losses - smallest(losses));
    along += dots[digits[p]];
    square += squares_of(p)[digits[p]];
  }
  bool changed = true;
  for (int round = 0; round < kRounds && changed; ++round) {
    changed = false;
    for (size_t p = 0; p < products.places; ++p) {
      const Lanes dots = product_lanes(products, p, vector);
      const Lanes squares = squares_of(p);
      const Lanes alongs = dots + (along - dots[digits[p]]);
      const Lanes all_squares = squares + (square - squares[digits[p]]);
      // The square of one by the cosine: where that is not above 0, as bad as can be.
      const Lanes badness = alongs > 0 ? all_squares / (alongs * alongs) : all_lanes(__builtin_inff());
      const uint8_t best = lane_of_smallest(badness > 0 ? badness : Lanes{});
      if (best == digits[p] || !(badness[best] < badness[digits[p]])) continue;
      digits[p] = best;
      along = alongs[best];
      square = all_squares[best];
      changed = true;
    }
  }
}

}  // namespace
}  // namespace elanus
