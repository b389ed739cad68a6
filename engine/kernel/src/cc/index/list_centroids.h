// The centroids of lists: which of them are nearest to a query. Where there are many, very short codes of them leave few
// to be compared.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "exact_ranks.h"
#include "index_file.h"
#include "k_means.h"
#include "scan_codes.h"
#include "vector_index.h"

namespace elanus {

// What one thread works with.
struct CentroidScratch {
  ScanQuery query;
  RowPool pool;
  ExactRanks exact;
  std::vector<uint32_t> ids;
  std::vector<float> ranks;
  std::vector<IndexHit> lists;
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
  size_t memory_bytes() const { return (values_.size() + squares_.size()) * sizeof(float) + codes_.memory_bytes(); }

  // About the `wanted` nearest, nearest first, by their ranks: squared distances, or negative products for IP. All of
  // them, exactly, where there are no more. Valid until the scratch is used again. `query` as a RowReader gives it.
  const std::vector<IndexHit>& nearest(const float* query, uint32_t wanted, CentroidScratch& scratch) const;

  // Sections "list centroids" and, where there are many, those of ScanCodes. What is read is a copy, but for the codes.
  void write(IndexFileWriter& writer) const;
  FileFault read(const IndexFile& file, uint32_t count);

 private:
  void set(AlignedVector<float> values);
  bool are_many() const;
  DenseRows rows() const;
  void rank(const float* query, CentroidScratch& scratch) const;

  const ElanusSimd& simd_;
  const ElanusMetric metric_;  // ELANUS_IP or ELANUS_L2
  const uint32_t dim_;
  AlignedVector<float> values_;
  std::vector<float> squares_;
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
