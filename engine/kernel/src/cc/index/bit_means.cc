#include "bit_means.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "bit_ranks.h"
#include "least_bound.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

// Vectors that a thread takes at a stretch, and clusters.
constexpr size_t kVectorsAtOnce = 512;
constexpr size_t kClustersAtOnce = 8;
// Most rounds are over few of the vectors, which move centres about as well as all do.
constexpr size_t kFewStep = 4;
constexpr uint32_t kLastRounds = 2;
// Counters of 8 bits hold so many vectors.
constexpr uint32_t kCountedMax = 255;

// Of each byte its bits, spread over the bytes of a word.
constexpr std::array<uint64_t, 256> spread_bits() {
  std::array<uint64_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (uint32_t bit = 0; bit < 8; ++bit) table[byte] |= static_cast<uint64_t>(byte >> bit & 1) << 8 * bit;
  }
  return table;
}
constexpr std::array<uint64_t, 256> kSpreadBits = spread_bits();

// Of a number of vectors how many have each bit.
class BitCounter {
 public:
  explicit BitCounter(size_t bytes) : few_(bytes), many_(8 * bytes) {}

  void clear() {
    std::fill(many_.begin(), many_.end(), 0);
    vectors_ = 0;
  }

  void add(const uint8_t* vector) {
    for (size_t i = 0; i < few_.size(); ++i) few_[i] += kSpreadBits[vector[i]];
    if (++vectors_ % kCountedMax == 0) carry();
  }

  // Bits that as many have as have not stay as they are.
  void write_majority(uint8_t* centre) {
    carry();
    for (size_t bit = 0; bit < many_.size(); ++bit) {
      const auto mask = static_cast<uint8_t>(1u << bit % 8);
      if (2 * many_[bit] > vectors_) centre[bit / 8] |= mask;
      if (2 * many_[bit] < vectors_) centre[bit / 8] &= static_cast<uint8_t>(~mask);
    }
  }

 private:
  void carry() {
    for (size_t i = 0; i < few_.size(); ++i) {
      for (size_t bit = 0; bit < 8; ++bit) many_[8 * i + bit] += few_[i] >> 8 * bit & 255;
      few_[i] = 0;
    }
  }

  std::vector<uint64_t> few_;
  std::vector<uint64_t> many_;
  uint64_t vectors_ = 0;
};

class BitMeans {
 public:
  BitMeans(const ElanusSimd& simd, const uint8_t* vectors, size_t count, uint32_t dim, const BitMeansOptions& options)
      : simd_(simd),
        vectors_(vectors),
        all_(count),
        dim_(dim),
        bytes_(dim / 8),
        options_(options),
        centres_(options.clusters * bytes_),
        starts_(options.clusters + size_t{1}) {}

  std::vector<uint8_t> run() {
    const std::vector<uint32_t> chosen = sample_numbers(static_cast<uint32_t>(all_), options_.clusters, options_.seed);
    for (size_t c = 0; c < options_.clusters; ++c)
      std::memcpy(centre(c), vectors_ + chosen[c % chosen.size()] * bytes_, bytes_);
    const uint32_t last = std::min(options_.iterations, kLastRounds);
    iterate(all_ / kFewStep >= options_.clusters ? kFewStep : 1, options_.iterations - last);
    iterate(1, last);
    return std::move(centres_);
  }

 private:
  uint8_t* centre(size_t cluster) { return centres_.data() + cluster * bytes_; }
  const uint8_t* vector(size_t i) const { return vectors_ + i * step_ * bytes_; }

  // Over every so many-th vector.
  void iterate(size_t step, uint32_t iterations) {
    step_ = step;
    count_ = (all_ + step - 1) / step;
    nearest_.assign(count_, ~0u);
    ranks_.resize(count_);
    order_.resize(count_);
    for (uint32_t i = 0; i < iterations && !is_set(options_.cancelled); ++i) {
      if (!assign()) break;
      sort_by_cluster();
      move_to_majorities();
      refill_empty_clusters();
    }
  }

  // Whether any vector has changed its cluster.
  bool assign() {
    std::vector<uint32_t> before = nearest_;
    DenseRows rows;
    rows.dim = dim_;
    rows.stride = step_ * bytes_;
    rows.bytes = vectors_;
    rows.rows = static_cast<uint32_t>(count_);
    find_nearest_centres(simd_, centres_, rows, options_, nearest_.data(), ranks_.data());
    return before != nearest_;
  }

  // order_[starts_[c] .. starts_[c + 1]] are the vectors of cluster c, ascending.
  void sort_by_cluster() {
    // A cancelled assignment has left some without a cluster.
    for (uint32_t& cluster : nearest_) cluster = std::min(cluster, options_.clusters - 1);
    std::fill(starts_.begin(), starts_.end(), 0);
    for (const uint32_t cluster : nearest_) ++starts_[cluster + 1];
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (size_t i = 0; i < count_; ++i) order_[next[nearest_[i]]++] = static_cast<uint32_t>(i);
  }

  void move_to_majorities() {
    parallel_for(options_.threads, options_.clusters, kClustersAtOnce, options_.cancelled,
                 [&](size_t begin, size_t end) {
                   BitCounter counter(bytes_);
                   for (size_t c = begin; c < end; ++c) {
                     counter.clear();
                     for (size_t i = starts_[c]; i < starts_[c + 1]; ++i) counter.add(vector(order_[i]));
                     counter.write_majority(centre(c));
                   }
                 });
  }

  void refill_empty_clusters() {
    std::vector<uint32_t> empty;
    for (uint32_t c = 0; c < options_.clusters; ++c) {
      if (starts_[c] == starts_[c + 1]) empty.push_back(c);
    }
    if (empty.empty()) return;
    const size_t wanted = std::min(empty.size(), count_);
    std::vector<uint32_t> farthest(count_);
    std::iota(farthest.begin(), farthest.end(), 0u);
    const auto is_farther = [&](uint32_t a, uint32_t b) {
      return ranks_[a] != ranks_[b] ? ranks_[a] > ranks_[b] : a < b;
    };
    std::partial_sort(farthest.begin(), farthest.begin() + static_cast<ptrdiff_t>(wanted), farthest.end(), is_farther);
    for (size_t i = 0; i < wanted; ++i) std::memcpy(centre(empty[i]), vector(farthest[i]), bytes_);
  }

  const ElanusSimd& simd_;
  const uint8_t* const vectors_;
  const size_t all_;
  const uint32_t dim_;
  const size_t bytes_;
  const BitMeansOptions& options_;
  size_t step_ = 1;
  size_t count_ = 0;
  std::vector<uint8_t> centres_;
  std::vector<uint32_t> nearest_;
  std::vector<float> ranks_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> starts_;
};

}  // namespace

std::vector<uint8_t> bit_means(const ElanusSimd& simd, const uint8_t* vectors, size_t count, uint32_t dim,
                               const BitMeansOptions& options) {
  return BitMeans(simd, vectors, count, dim, options).run();
}

void find_nearest_centres(const ElanusSimd& simd, const std::vector<uint8_t>& centres, const DenseRows& rows,
                          const BitMeansOptions& options, uint32_t* nearest, float* ranks) {
  std::vector<uint32_t> bits_set(options.metric == ELANUS_JACCARD ? options.clusters : 0);
  if (!bits_set.empty()) count_bits(simd, rows.dim, centres.data(), options.clusters, bits_set.data());
  parallel_for(options.threads, rows.rows, kVectorsAtOnce, options.cancelled, [&](size_t begin, size_t end) {
    BitRanks compare;
    std::vector<float> each(options.clusters + kRowTile);
    std::vector<uint32_t> least(options.clusters + kFoundSlack);
    for (size_t i = begin; i < end; ++i) {
      compare.begin(simd, options.metric, rows.dim, rows.at(static_cast<uint32_t>(i)));
      compare.rank(centres.data(), bits_set.data(), options.clusters, each.data(), centres.data());
      // Of few centres they are all looked at.
      const size_t found = simd.bits.find_at_most(each.data(), options.clusters,
                                                  least_bound(each.data(), options.clusters, 1), least.data());
      nearest[i] = *std::min_element(least.begin(), least.begin() + static_cast<ptrdiff_t>(found),
                                     [&](uint32_t a, uint32_t b) { return each[a] < each[b]; });
      ranks[i] = each[nearest[i]];
    }
  });
}

}  // namespace elanus
