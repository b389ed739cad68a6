// Very short codes of the rows of lists, each as if it were a neighbour of its list's centroid: blocks of 32, all
// estimated at once by table look-up, with one table a query for all lists.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "huge_array.h"
#include "list_centroids.h"
#include "list_order.h"
#include "neighbour_code.h"
#include "scan_codes.h"

namespace elanus {

class ListCodes {
 public:
  explicit ListCodes(ElanusMetric metric) : metric_(metric) {}
  // With what tells rows of lists apart; `mean` is any place among them.
  ListCodes(ElanusMetric metric, AlignedVector<float> mean, NeighbourCode code);

  size_t memory_bytes() const { return blocks_.bytes() + code_.memory_bytes(); }
  size_t block_bytes() const { return block_bytes_; }
  const AlignedVector<float>& mean() const { return mean_; }

  // Codes all rows, once.
  void encode(const ElanusSimd& simd, const DenseRows& rows, const ListCentroids& centroids, const ListOrder& order,
              uint32_t threads, const std::atomic<bool>* cancelled);

  // How far estimates are off, as a rule, at a distance of 1 from the centroid: for searches to know.
  float error() const { return error_; }
  void set_error(float error) { error_ = error; }

  // Sections "list code", "list values" and "list blocks".
  void write(IndexFileWriter& writer) const;
  // A view of the file, which must outlive it.
  static FileFault read(const IndexFile& file, ElanusMetric metric, uint32_t dim, const ListOrder& order,
                        ListCodes* codes);

  // Makes ready for `query->query`, which is as a RowReader gives it. `query_bits`, where not 0, is how many bits are left
  // of each number that codes by signs are compared with.
  void prepare(const WalkLoops& loops, ScanQuery* query, uint32_t query_bits = 0) const;
  // Fills `estimates`, on a 64-byte border, for the rows of a block in a list whose centroid has this rank. Returns
  // those below `bound`.
  uint32_t estimate(const WalkLoops& loops, const ScanQuery& query, uint32_t block, float rank_of_centroid, float bound,
                    float* estimates) const {
    return loops.estimate(block_at(block), query.tables, rank_of_centroid, bound, estimates);
  }
  // Asks for a block before it is wanted.
  void prefetch(uint32_t block) const {
    const uint8_t* const bytes = blocks_.data() + block * block_bytes_;
    for (size_t at = 0; at < block_bytes_; at += 64) __builtin_prefetch(bytes + at);
  }

 private:
  void set_code(NeighbourCode code);
  void encode_list(const ElanusSimd& simd, const DenseRows& rows, const float* centroid, const ListOrder& order,
                   uint32_t list);
  NeighbourBlock block_at(size_t block) const;

  ElanusMetric metric_;
  size_t block_bytes_ = 0;
  float error_ = 0;
  AlignedVector<float> mean_;
  NeighbourCode code_;
  // As those of ScanCodes.
  HugeArray<uint8_t> blocks_;
};

}  // namespace elanus
