// Lloyd's algorithm.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "code_loops.h"

namespace elanus {

// Centroids in the order in which the loops want them.
class CentroidTable {
 public:
  CentroidTable() = default;
  // From `count` centroids one behind the other.
  CentroidTable(const float* centroids, size_t count, size_t dim);

  Centroids view() const { return {values_.data(), dim_, stride_}; }
  // Places that the loops fill for one vector.
  size_t stride() const { return stride_; }
  void set(const float* centroids, size_t count);

 private:
  size_t dim_ = 0;
  size_t stride_ = 0;
  AlignedVector<float> values_;
};

struct KMeansOptions {
  uint32_t clusters;
  uint32_t iterations;  // fewer when nothing changes any more, up to twice as many while clusters are empty
  uint64_t seed;
  uint32_t threads;
  const std::atomic<bool>* cancelled = nullptr;
};

// `clusters` centroids of `count` vectors that stand one behind the other. Begins with a sample of the vectors; a
// cluster that loses its last vector is set anew beside the centre of the largest, which it cuts in two; where there
// are fewer different vectors than clusters, some stay empty. The same for the same seed, vectors and instruction
// set, whatever the number of threads. Void when cancelled.
// REQUIRES: count >= 1, dim >= 1, clusters >= 1.
std::vector<float> k_means(const CodeLoops& loops, const float* vectors, size_t count, size_t dim,
                           const KMeansOptions& options);

}  // namespace elanus
