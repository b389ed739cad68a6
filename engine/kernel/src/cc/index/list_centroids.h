// The centroids of lists: which of them are nearest to a query. Where there are many, very short codes of them leave few
// to be compared.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "../aligned.h"
#include "exact_ranks.h"
#include "index_file.h"
#include "k_means.h"
#include "scan_codes.h"
#include "vector_index.h"

namespace elanus {

// How the rows of lists lie about their centroids, so that one can tell how near the best of a list may be.
struct ListSpreads {
  // Of each list the root of the mean square of its rows' distances from the centroid; none where nothing is known.
  std::vector<float> lengths;
  // The share of such a distance by which the best row of a list comes nearer to a query, as a rule and hardly ever more.
  float usual = 0;
  float most = 0;
};

// A list by the place that it has among the others.
struct NearList {
  float order;  // the rank that its best row has, as a rule
  float rank;   // of its centroid
  uint32_t list;

  bool operator<(const NearList& other) const { return order != other.order ? order < other.order : list < other.list; }
};

// What one thread works with.
struct CentroidScratch {
  ScanQuery query;
  AlignedVector<float> estimates;
  std::vector<float> picked;
  ExactRanks exact;
  std::vector<uint32_t> ids;
  std::vector<float> ranks;
  std::vector<NearList> lists;
};

class ListCentroids {
 public:
  ListCentroids(const ElanusSimd& simd, ElanusMetric metric, uint32_t dim) : simd_(simd), metric_(metric), dim_(dim) {}

  // From `count` centroids that stand one behind the other; learns how they are coded from themselves.
  void learn(AlignedVector<float> values, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);
  // The same, coded as others were.
  void take(AlignedVector<float> values, const ScanCodes& code, uint32_t threads);

  uint32_t count() const { return static_cast<uint32_t>(values_.size() / dim_); }
  const float* at(uint32_t list) const { return values_.data() + size_t{list} * dim_; }
  // The squared length of a centroid.
  float square(uint32_t list) const { return squares_[list]; }
  size_t memory_bytes() const {
    return (values_.size() + squares_.size() + spreads_.lengths.size()) * sizeof(float) + codes_.memory_bytes();
  }

  const ListSpreads& spreads() const { return spreads_; }
  // REQUIRES: as many as lists.
  void set_spread_lengths(std::vector<float> lengths) { spreads_.lengths = std::move(lengths); }
  // Once, when there are lengths. Queries are, as a rule, so far from the nearest centroids.
  void set_gains(float usual, float most, float usual_distance);

  // About the `wanted` lists whose best rows are likely to be nearest, best first; where nothing is known of the rows,
  // those whose centroids are. Ranks are squared distances, or negative products for IP. All of them, exactly, where
  // there are no more. Valid until the scratch is used again. `query` as a RowReader gives it.
  const std::vector<NearList>& nearest(const float* query, uint32_t wanted, CentroidScratch& scratch) const;

  // The rank of a row of a list that comes nearer to a query of this length by `gain` of the list's spread.
  // REQUIRES: there are spreads.
  float rank_of_row(uint32_t list, float rank_of_centroid, float query_length, float gain) const {
    const float length = spreads_.lengths[list];
    if (metric_ == ELANUS_IP) return rank_of_centroid - gain * query_length * length;
    return rank_of_centroid + length * (length - 2 * gain * std::sqrt(std::max(rank_of_centroid, 0.0f)));
  }

  // Sections "list centroids", "list spreads" where they are known and, where there are many, those of ScanCodes. What
  // is read is a copy, but for the codes.
  void write(IndexFileWriter& writer) const;
  FileFault read(const IndexFile& file, uint32_t count);

 private:
  void set(AlignedVector<float> values);
  bool are_many() const;
  DenseRows rows() const;
  void pick_by_codes(const float* query, float query_length, uint32_t wanted, CentroidScratch& scratch) const;
  void pick_estimated(uint32_t wanted, float beyond, CentroidScratch& scratch) const;
  void rank(const float* query, float query_length, CentroidScratch& scratch) const;
  float order_of(uint32_t list, float rank, float query_length) const {
    return spreads_.lengths.empty() ? rank : rank_of_row(list, rank, query_length, spreads_.usual);
  }

  const ElanusSimd& simd_;
  const ElanusMetric metric_;  // ELANUS_IP or ELANUS_L2
  const uint32_t dim_;
  AlignedVector<float> values_;
  std::vector<float> squares_;
  ListSpreads spreads_;
  ScanCodes codes_;
};

// For k-means over vectors like those of `sample`.
class CodedCentroids : public NearestCentroids {
 public:
  // Learns how centroids are coded from the vectors that they will be among.
  CodedCentroids(const ElanusSimd& simd, const DenseRows& sample, uint64_t seed, uint32_t threads,
                 const std::atomic<bool>* cancelled);

  void set(const float* centroids, size_t count) override;
  void find(const float* vectors, size_t count, uint32_t* nearest, float* distances) const override;

 private:
  const uint32_t dim_;
  const uint32_t threads_;
  ScanCodes code_;
  ListCentroids centroids_;
};

}  // namespace elanus
