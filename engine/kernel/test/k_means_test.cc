// k-means, and the loops that it and the product quantizers share.
#include "../src/cc/index/k_means.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "check.h"
#include "float_vectors.h"

namespace {

using namespace elanus;

void k_means_finds_what_is_there() {
  for (const ElanusSimd* const simd : instruction_sets()) {
    const CodeLoops& loops = code_loops(*simd);
    // Ten places, a hundred vectors at each.
    Vectors vectors(1000, 5);
    for (size_t i = 0; i < 1000; ++i) {
      for (size_t d = 0; d < 5; ++d) vectors.at(i)[d] = static_cast<float>((i % 10) * (d + 1) % 7);
    }
    const std::vector<float> centroids = k_means(loops, vectors.values().data(), 1000, 5, {10, 30, 1, 2});
    for (size_t i = 0; i < 10; ++i) {
      double nearest = INFINITY;
      for (size_t c = 0; c < 10; ++c) nearest = std::min(nearest, square_distance(vectors.at(i), &centroids[c * 5], 5));
      CHECK(nearest < 1e-6);
    }
    // More clusters than vectors: each has its own.
    const std::vector<float> many = k_means(loops, vectors.values().data(), 6, 5, {40, 5, 1, 1});
    for (size_t i = 0; i < 6; ++i) {
      double nearest = INFINITY;
      for (size_t c = 0; c < 40; ++c) nearest = std::min(nearest, square_distance(vectors.at(i), &many[c * 5], 5));
      CHECK(nearest == 0);
    }
  }
}

void no_cluster_stays_empty() {
  const CodeLoops& loops = code_loops(*elanus_simd_find(nullptr));
  // Nine in ten vectors at one place, which most of the sample is drawn from.
  Vectors vectors = clustered(4000, 8, 21);
  for (size_t i = 0; i < vectors.rows(); ++i) {
    if (i % 10 != 0) std::fill_n(vectors.at(i), 8, 0.5f);
  }
  for (const uint32_t threads : {1u, 3u}) {
    const std::vector<float> centroids = k_means(loops, vectors.values().data(), 4000, 8, {64, 25, 3, threads});
    const CentroidTable table(centroids.data(), 64, 8);
    std::vector<uint32_t> nearest(4000);
    std::vector<float> distances(4000);
    loops.nearest_centroids(table.view(), vectors.values().data(), 8, 4000, nearest.data(), distances.data());
    std::vector<uint32_t> sizes(64);
    for (const uint32_t cluster : nearest) ++sizes[cluster];
    CHECK(*std::min_element(sizes.begin(), sizes.end()) > 0);
  }
}

void the_nearest_centroid_is_found() {
  std::mt19937 random(17);
  for (const ElanusSimd* const simd : instruction_sets()) {
    const CodeLoops& loops = code_loops(*simd);
    for (const size_t clusters : {1u, 15u, 16u, 17u, 70u, 256u}) {
      for (const size_t dim : {1u, 4u, 37u}) {
        Vectors centroids(clusters, dim);
        Vectors points(11, dim);
        // Whole numbers, so that sums are exact and ties are many.
        for (size_t i = 0; i < clusters * dim; ++i) centroids.at(0)[i] = static_cast<float>(random() % 4);
        for (size_t i = 0; i < 11 * dim; ++i) points.at(0)[i] = static_cast<float>(random() % 4);
        const CentroidTable table(centroids.values().data(), clusters, dim);
        uint32_t nearest[11];
        float distances[11];
        loops.nearest_centroids(table.view(), points.values().data(), dim, 11, nearest, distances);
        std::vector<float> all(table.stride());
        for (size_t i = 0; i < 11; ++i) {
          loops.centroid_distances(table.view(), points.at(i), all.data());
          const auto first = std::min_element(all.begin(), all.begin() + static_cast<ptrdiff_t>(clusters));
          CHECK(nearest[i] == first - all.begin() && distances[i] == *first);
          CHECK(double{*first} == square_distance(points.at(i), centroids.at(nearest[i]), dim));
          loops.centroid_dots(table.view(), points.at(i), all.data());
          CHECK(double{all[clusters - 1]} == dot(points.at(i), centroids.at(clusters - 1), dim));
        }
      }
    }
  }
}

void threads_make_no_difference() {
  const CodeLoops& loops = code_loops(*elanus_simd_find(nullptr));
  const Vectors vectors = clustered(5000, 19, 4);
  const std::vector<float> alone = k_means(loops, vectors.values().data(), 5000, 19, {50, 12, 9, 1});
  for (const uint32_t threads : {2u, 5u})
    CHECK(k_means(loops, vectors.values().data(), 5000, 19, {50, 12, 9, threads}) == alone);
  CHECK(k_means(loops, vectors.values().data(), 5000, 19, {50, 12, 10, 1}) != alone);
  const std::atomic<bool> cancelled = true;
  CHECK(k_means(loops, vectors.values().data(), 5000, 19, {50, 12, 9, 2, &cancelled}).size() == 50 * 19);
}

}  // namespace

int main() {
  std::printf("k-means: ");
  std::fflush(stdout);
  the_nearest_centroid_is_found();
  k_means_finds_what_is_there();
  no_cluster_stays_empty();
  threads_make_no_difference();
  std::printf("ok\n");
}
