// The loops of the quantizers, one set for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "elanus/kernel.h"

namespace elanus {

// Dimensions whose codes are unpacked together. Codes and what goes with them are padded to multiples of it.
inline constexpr size_t kCodeGroup = 16;
// Loads of codes may reach so many bytes beyond the end of one.
inline constexpr size_t kCodeSlack = 16;

// A query as codes of one number a dimension are compared with it; the padding is zero.
struct CodeQuery {
  const float* query;
  const float* steps;  // for distances only
  size_t groups;
};

// Fills out[i] with the distance sum((query[d] - steps[d] * code[d])^2) or the product sum(query[d] * code[d]) of
// codes[i]. Depends on that code, the query and the instruction set, on nothing else.
using ScoreCodes = void (*)(const CodeQuery& query, const uint8_t* const* codes, size_t count, float* out);

// Centroids, dimension by dimension: those of dimension d from d * stride on. Where there are fewer centroids than
// `stride`, a multiple of kCodeGroup, infinity stands.
struct Centroids {
  const float* values;
  size_t dim;
  size_t stride;
};

// Squared distances (or products) of one vector and all centroids, to `stride` places.
using CompareWithCentroids = void (*)(const Centroids& centroids, const float* vector, float* out);

// The nearest centroid of each of `count` vectors that stand `vector_stride` floats apart, and its squared distance;
// the first of equally near ones, and of all when no distance is less than infinity.
using FindNearestCentroids = void (*)(const Centroids& centroids, const float* vectors, size_t vector_stride,
                                      size_t count, uint32_t* nearest, float* distances);

struct CodeLoops {
  struct Measures {
    ScoreCodes square_distance;
    ScoreCodes dot;
  };
  Measures bits4;
  Measures bits6;
  Measures bits8;
  CompareWithCentroids centroid_distances;
  CompareWithCentroids centroid_dots;
  FindNearestCentroids nearest_centroids;
};

// Those for the instruction set of `simd`, or the portable ones where it has none of its own.
const CodeLoops& code_loops(const ElanusSimd& simd);

extern const CodeLoops kCodeLoopsPortable;
extern const CodeLoops kCodeLoopsAvx2;
extern const CodeLoops kCodeLoopsAvx512;

}  // namespace elanus
