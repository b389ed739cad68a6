// The loops of the quantizers, written once for vectors of any width.
//
// Included by one file per instruction set, each compiled with its own machine flags, under the rules of
// simd/tile.h. `Ops` has
//   Vec, Integers       vectors of kLanes floats and of as many int32_t
//   load, store, broadcast, sum
//   multiply_add(a, b, c)   a * b + c
//   subtract_product(c, a, b)   c - a * b
//   unpack<Bits>(bytes, out)    kCodeGroup codes of Bits bits as floats, in kCodeGroup / kLanes vectors
//   kPoints, kVectors   shape of the register tile of points x centroids
#pragma once

#include "../simd/tile.h"
#include "code_loops.h"

namespace elanus {
namespace {

enum class Measure { kSquareDistance, kDot };

template <class Ops, size_t Bits, Measure M, size_t R>
ELANUS_INLINE void score_some_codes(const CodeQuery& query, const uint8_t* const* codes, float* out) {
  using Vec = typename Ops::Vec;
  constexpr size_t V = kCodeGroup / Ops::kLanes;
  Vec sums[R][V];
#pragma GCC unroll 16
  for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) sums[r][v] = Ops::broadcast(0);
  }
  for (size_t group = 0; group < query.groups; ++group) {
    Vec target[V];
    [[maybe_unused]] Vec steps[V];
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) {
      target[v] = Ops::load(query.query + group * kCodeGroup + v * Ops::kLanes);
      if constexpr (M == Measure::kSquareDistance)
        steps[v] = Ops::load(query.steps + group * kCodeGroup + v * Ops::kLanes);
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
      Vec code[V];
      Ops::template unpack<Bits>(codes[r] + group * (kCodeGroup * Bits / 8), code);
#pragma GCC unroll 4
      for (size_t v = 0; v < V; ++v) {
        if constexpr (M == Measure::kSquareDistance) {
          const Vec difference = Ops::subtract_product(target[v], steps[v], code[v]);
          sums[r][v] = Ops::multiply_add(difference, difference, sums[r][v]);
        } else {
          sums[r][v] = Ops::multiply_add(target[v], code[v], sums[r][v]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (size_t r = 0; r < R; ++r) {
    Vec sum = sums[r][0];
#pragma GCC unroll 4
    for (size_t v = 1; v < V; ++v) sum = sum + sums[r][v];
    out[r] = Ops::sum(sum);
  }
}

template <class Ops, size_t Bits, Measure M>
void score_codes(const CodeQuery& query, const uint8_t* const* codes, size_t count, float* out) {
  constexpr size_t R = Ops::kCodes;
  size_t i = 0;
  for (; i + R <= count; i += R) score_some_codes<Ops, Bits, M, R>(query, codes + i, out + i);
  for (; i < count; ++i) score_some_codes<Ops, Bits, M, 1>(query, codes + i, out + i);
}

template <class Ops, Measure M>
ELANUS_INLINE typename Ops::Vec add_term(typename Ops::Vec sum, typename Ops::Vec value, typename Ops::Vec centroid) {
  if constexpr (M == Measure::kDot) return Ops::multiply_add(value, centroid, sum);
  const typename Ops::Vec difference = value - centroid;
  return Ops::multiply_add(difference, difference, sum);
}

template <class Ops, Measure M>
void compare_with_centroids(const Centroids& centroids, const float* vector, float* out) {
  for (size_t c = 0; c < centroids.stride; c += kCodeGroup) {
    constexpr size_t V = kCodeGroup / Ops::kLanes;
    typename Ops::Vec sums[V];
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) sums[v] = Ops::broadcast(0);
    const float* at = centroids.values + c;
    for (size_t d = 0; d < centroids.dim; ++d, at += centroids.stride) {
      const typename Ops::Vec value = Ops::broadcast(vector[d]);
#pragma GCC unroll 4
      for (size_t v = 0; v < V; ++v) sums[v] = add_term<Ops, M>(sums[v], value, Ops::load(at + v * Ops::kLanes));
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) Ops::store(out + c + v * Ops::kLanes, sums[v]);
  }
}

// The best that each lane has seen for each of P points.
template <class Ops, size_t P>
struct NearestInLanes {
  typename Ops::Vec distance[P];
  typename Ops::Integers centroid[P];
};

// Compares P points with V vectors of centroids from `first` on.
template <class Ops, size_t P, size_t V>
ELANUS_INLINE void compare_points(const Centroids& centroids, const float* points, size_t stride, size_t first,
                                  NearestInLanes<Ops, P>* nearest) {
  typename Ops::Vec sums[P][V];
#pragma GCC unroll 4
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) sums[p][v] = Ops::broadcast(0);
  }
  const float* at = centroids.values + first;
  for (size_t d = 0; d < centroids.dim; ++d, at += centroids.stride) {
    typename Ops::Vec part[V];
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) part[v] = Ops::load(at + v * Ops::kLanes);
#pragma GCC unroll 4
    for (size_t p = 0; p < P; ++p) {
      const typename Ops::Vec value = Ops::broadcast(points[p * stride + d]);
#pragma GCC unroll 4
      for (size_t v = 0; v < V; ++v) sums[p][v] = add_term<Ops, Measure::kSquareDistance>(sums[p][v], value, part[v]);
    }
  }
#pragma GCC unroll 4
  for (size_t p = 0; p < P; ++p) {
#pragma GCC unroll 4
    for (size_t v = 0; v < V; ++v) {
      const typename Ops::Integers nearer = sums[p][v] < nearest->distance[p];
      nearest->distance[p] = nearer ? sums[p][v] : nearest->distance[p];
      // Lane l of vector n holds centroid n * kLanes + l; the lane is added in the end.
      const auto base = static_cast<int32_t>(first + v * Ops::kLanes);
      nearest->centroid[p] = nearer ? typename Ops::Integers{} + base : nearest->centroid[p];
    }
  }
}

template <class Ops, size_t P>
ELANUS_INLINE void find_nearest_of(const Centroids& centroids, const float* points, size_t stride, uint32_t* nearest,
                                   float* distances) {
  NearestInLanes<Ops, P> lanes;
#pragma GCC unroll 4
  for (size_t p = 0; p < P; ++p) {
    lanes.distance[p] = Ops::broadcast(__builtin_inff());
    lanes.centroid[p] = typename Ops::Integers{};
  }
  size_t c = 0;
  constexpr size_t kWide = Ops::kVectors * Ops::kLanes;
  for (; c + kWide <= centroids.stride; c += kWide)
    compare_points<Ops, P, Ops::kVectors>(centroids, points, stride, c, &lanes);
  for (; c < centroids.stride; c += Ops::kLanes) compare_points<Ops, P, 1>(centroids, points, stride, c, &lanes);
  for (size_t p = 0; p < P; ++p) {
    float distance = __builtin_inff();
    uint32_t centroid = 0;
    for (size_t lane = 0; lane < Ops::kLanes; ++lane) {
      const float candidate = lanes.distance[p][lane];
      const uint32_t number = static_cast<uint32_t>(lanes.centroid[p][lane]) + static_cast<uint32_t>(lane);
      if (!(candidate < distance || (candidate == distance && number < centroid))) continue;
      // Where nothing was near, the lane's number means nothing.
      if (candidate == __builtin_inff()) continue;
      distance = candidate;
      centroid = number;
    }
    nearest[p] = centroid;
    distances[p] = distance;
  }
}

template <class Ops>
void find_nearest_centroids(const Centroids& centroids, const float* vectors, size_t vector_stride, size_t count,
                            uint32_t* nearest, float* distances) {
  constexpr size_t P = Ops::kPoints;
  size_t i = 0;
  for (; i + P <= count; i += P)
    find_nearest_of<Ops, P>(centroids, vectors + i * vector_stride, vector_stride, nearest + i, distances + i);
  for (; i < count; ++i)
    find_nearest_of<Ops, 1>(centroids, vectors + i * vector_stride, vector_stride, nearest + i, distances + i);
}

template <class Ops, size_t Bits>
constexpr CodeLoops::Measures measures() {
  return {score_codes<Ops, Bits, Measure::kSquareDistance>, score_codes<Ops, Bits, Measure::kDot>};
}

template <class Ops>
constexpr CodeLoops loops_of() {
  return {measures<Ops, 4>(),
          measures<Ops, 6>(),
          measures<Ops, 8>(),
          compare_with_centroids<Ops, Measure::kSquareDistance>,
          compare_with_centroids<Ops, Measure::kDot>,
          find_nearest_centroids<Ops>};
}

}  // namespace
}  // namespace elanus
