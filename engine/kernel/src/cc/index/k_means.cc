#include "k_means.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

// Vectors that a thread assigns at a stretch.
constexpr size_t kVectorsAtOnce = 512;

// Compares with each.
class ComparedCentroids : public NearestCentroids {
 public:
  ComparedCentroids(const CodeLoops& loops, size_t dim) : loops_(loops), dim_(dim) {}

  void set(const float* centroids, size_t count) override {
    if (table_.stride() == 0)
      table_ = CentroidTable(centroids, count, dim_);
    else
      table_.set(centroids, count);
  }
  void find(const float* vectors, size_t count, uint32_t* nearest, float* distances) const override {
    loops_.nearest_centroids(table_.view(), vectors, dim_, count, nearest, distances);
  }

 private:
  const CodeLoops& loops_;
  const size_t dim_;
  CentroidTable table_;
};

class KMeans {
 public:
  KMeans(NearestCentroids& finder, const float* vectors, size_t count, size_t dim, const KMeansOptions& options)
      : finder_(finder),
        vectors_(vectors),
        count_(count),
        dim_(dim),
        options_(options),
        centroids_(options.clusters * dim),
        nearest_(count, ~0u),
        distances_(count),
        order_(count),
        starts_(options.clusters + size_t{1}) {}

  std::vector<float> run() {
    seed();
    bool refilled = false;
    // A cluster that was set anew gets some time to settle.
    for (uint32_t i = 0; i < (refilled ? 2 : 1) * options_.iterations && !is_set(options_.cancelled); ++i) {
      if (!assign()) break;
      sort_by_cluster();
      move_to_means();
      refilled = refill_empty_clusters();
      if (options_.on_progress) options_.on_progress(std::min(1.0f, static_cast<float>(i + 1) / options_.iterations));
    }
    return std::move(centroids_);
  }

 private:
  float* centroid(size_t cluster) { return centroids_.data() + cluster * dim_; }
  const float* vector(size_t i) const { return vectors_ + i * dim_; }
  size_t size_of(size_t cluster) const { return starts_[cluster + 1] - starts_[cluster]; }

  void seed() {
    const std::vector<uint32_t> chosen =
        sample_numbers(static_cast<uint32_t>(count_), options_.clusters, options_.seed);
    for (size_t c = 0; c < options_.clusters; ++c)
      std::copy_n(vector(chosen[c % chosen.size()]), dim_, centroid(c));
  }

  // Whether any vector has changed its cluster.
  bool assign() {
    finder_.set(centroids_.data(), options_.clusters);
    std::atomic<bool> changed = false;
    parallel_for(options_.threads, count_, kVectorsAtOnce, options_.cancelled, [&](size_t begin, size_t end) {
      uint32_t nearest[kVectorsAtOnce];
      finder_.find(vector(begin), end - begin, nearest, distances_.data() + begin);
      if (std::equal(nearest, nearest + (end - begin), nearest_.begin() + static_cast<ptrdiff_t>(begin))) return;
      std::copy_n(nearest, end - begin, nearest_.begin() + static_cast<ptrdiff_t>(begin));
      changed.store(true, std::memory_order_relaxed);
    });
    return changed.load();
  }

  // order_[starts_[c] .. starts_[c + 1]] are the vectors of cluster c, ascending.
  void sort_by_cluster() {
    std::fill(starts_.begin(), starts_.end(), 0);
    // A cancelled assignment has left some without a cluster.
    for (uint32_t& cluster : nearest_) cluster = std::min(cluster, options_.clusters - 1);
    for (const uint32_t cluster : nearest_) ++starts_[cluster + 1];
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (size_t i = 0; i < count_; ++i) order_[next[nearest_[i]]++] = static_cast<uint32_t>(i);
  }

  void move_to_means() {
    parallel_for(options_.threads, options_.clusters, 8, options_.cancelled, [&](size_t begin, size_t end) {
      std::vector<double> sum(dim_);
      for (size_t c = begin; c < end; ++c) {
        if (size_of(c) == 0) continue;
        std::fill(sum.begin(), sum.end(), 0);
        for (size_t i = starts_[c]; i < starts_[c + 1]; ++i) {
          const float* const member = vector(order_[i]);
          for (size_t d = 0; d < dim_; ++d) sum[d] += static_cast<double>(member[d]);
        }
        const double size = static_cast<double>(size_of(c));
        for (size_t d = 0; d < dim_; ++d) centroid(c)[d] = static_cast<float>(sum[d] / size);
      }
    });
  }

  // The farthest member of a cluster, seen from its centroid of before; none when all are at one place.
  const float* farthest_member(size_t cluster) const {
    const float* farthest = nullptr;
    float distance = 0;
    for (size_t i = starts_[cluster]; i < starts_[cluster + 1]; ++i) {
      if (!(distances_[order_[i]] > distance)) continue;
      distance = distances_[order_[i]];
      farthest = vector(order_[i]);
    }
    return farthest;
  }

  // Moves the two apart, along the way to the farthest member and to the same distance from where the one was: the
  // border between them runs through the mean of the members, so that each side has some.
  void split(size_t cluster, size_t empty, const float* towards) {
    for (size_t d = 0; d < dim_; ++d) {
      const float middle = centroid(cluster)[d];
      const float step = (towards[d] - middle) / 2;
      centroid(cluster)[d] = middle - step;
      centroid(empty)[d] = middle + step;
    }
  }

  // Whether there were any.
  bool refill_empty_clusters() {
    std::vector<uint32_t> empty;
    std::vector<uint32_t> largest_first;
    for (uint32_t c = 0; c < options_.clusters; ++c) (size_of(c) == 0 ? empty : largest_first).push_back(c);
    if (empty.empty()) return false;
    std::stable_sort(largest_first.begin(), largest_first.end(),
                     [this](uint32_t a, uint32_t b) { return size_of(a) > size_of(b); });
    size_t next = 0;
    for (const uint32_t cluster : empty) {
      const float* towards = nullptr;
      while (next < largest_first.size() && (towards = farthest_member(largest_first[next])) == nullptr) ++next;
      if (towards == nullptr) return false;  // every vector stands on a centroid
      split(largest_first[next++], cluster, towards);
    }
    return true;
  }

  NearestCentroids& finder_;
  const float* const vectors_;
  const size_t count_;
  const size_t dim_;
  const KMeansOptions& options_;

  std::vector<float> centroids_;
  std::vector<uint32_t> nearest_;
  std::vector<float> distances_;
  std::vector<uint32_t> order_;
  std::vector<size_t> starts_;
};

}  // namespace

CentroidTable::CentroidTable(const float* centroids, size_t count, size_t dim)
    : dim_(dim), stride_((count + kCodeGroup - 1) / kCodeGroup * kCodeGroup), values_(dim * stride_) {
  set(centroids, count);
}

void CentroidTable::set(const float* centroids, size_t count) {
  std::fill(values_.begin(), values_.end(), std::numeric_limits<float>::infinity());
  for (size_t c = 0; c < count; ++c) {
    for (size_t d = 0; d < dim_; ++d) values_[d * stride_ + c] = centroids[c * dim_ + d];
  }
}

std::vector<float> k_means(const CodeLoops& loops, const float* vectors, size_t count, size_t dim,
                           const KMeansOptions& options) {
  ComparedCentroids centroids(loops, dim);
  return k_means(centroids, vectors, count, dim, options);
}

std::vector<float> k_means(NearestCentroids& centroids, const float* vectors, size_t count, size_t dim,
                           const KMeansOptions& options) {
  return KMeans(centroids, vectors, count, dim, options).run();
}

}  // namespace elanus
