// Lloyd's algorithm over binary vectors: a bit of a centre is what most of its vectors have.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"

namespace elanus {

struct BitMeansOptions {
  ElanusMetric metric;  // HAMMING or JACCARD: by which the nearest centre is found
  uint32_t clusters;
  uint32_t iterations;  // fewer when nothing changes any more
  uint64_t seed;
  uint32_t threads;
  const std::atomic<bool>* cancelled = nullptr;
};

// `clusters` centres of `count` vectors of `dim` bits, which stand one behind the other. Begins with a sample of the
// vectors; a centre that loses its last vector becomes the one that is farthest from its own. The same for the same
// seed and vectors, whatever the threads and the instruction set. Void when cancelled.
// REQUIRES: count >= 1, clusters >= 1, dim a multiple of 8.
std::vector<uint8_t> bit_means(const ElanusSimd& simd, const uint8_t* vectors, size_t count, uint32_t dim,
                               const BitMeansOptions& options);

// The nearest of `clusters` centres to each of these rows, of equal ones the first, and how far it is (its rank).
void find_nearest_centres(const ElanusSimd& simd, const std::vector<uint8_t>& centres, const DenseRows& rows,
                          const BitMeansOptions& options, uint32_t* nearest, float* ranks);

}  // namespace elanus
