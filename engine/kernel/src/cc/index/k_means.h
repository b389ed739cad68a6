// Lloyd's algorithm.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "../aligned.h"
#include "code_loops.h"

namespace elanus {

// Centroids that can be asked which of them is nearest.
class NearestCentroids {
 public:
  virtual ~NearestCentroids() = default;
  // The first call says how many there are.
  virtual void set(const float* centroids, size_t count) = 0;
  // The nearest one of each of `count` vectors, and its squared distance. By several threads at once.
  virtual void find(const float* vectors, size_t count, uint32_t* nearest, float* distances) const = 0;
};

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
  // Called after each iteration with the share of all that is done; may be null.
  std::function<void(float)> on_progress = nullptr;
};

// `clusters` centroids of `count` vectors that stand one behind the other. Begins with a sample of the vectors; a
// cluster that loses its last vector is set anew beside the centre of the largest, which it cuts in two; where there
// are fewer different vectors than clusters, some stay empty. The same for the same seed, vectors and instruction
// set, whatever the number of threads. Void when cancelled.
// REQUIRES: count >= 1, dim >= 1, clusters >= 1.
std::vector<float> k_means(const CodeLoops& loops, const float* vectors, size_t count, size_t dim,
                           const KMeansOptions& options);
// The same with somebody else to look for the nearest, who may be wrong about it now and then.
std::vector<float> k_means(NearestCentroids& centroids, const float* vectors, size_t count, size_t dim,
                           const KMeansOptions& options);

}  // namespace elanus
