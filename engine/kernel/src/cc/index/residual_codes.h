// The rows of lists as longer codes of what they are off their centroids.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "coded_rows.h"
#include "dense_rows.h"
#include "huge_array.h"
#include "list_centroids.h"
#include "list_order.h"
#include "row_reader.h"

namespace elanus {

// What one search knows of a row whose residual code is to be compared.
struct ResidualPlace {
  uint32_t position;
  float rank_of_centroid;
};

class ResidualCodes {
 public:
  // Void when cancelled. `mean` is any place among the rows. REQUIRES: is_valid_quantizer(spec), metric IP; there are
  // rows.
  static ResidualCodes encode(const QuantizerSpec& spec, const ElanusSimd& simd, ElanusMetric metric,
                              const DenseRows& rows, const ListCentroids& centroids, const ListOrder& order,
                              const float* mean, const Training& training);

  size_t memory_bytes() const { return codes_.memory_bytes() + added_.bytes(); }
  const Quantizer& quantizer() const { return codes_.quantizer(); }

  // Sections whose names begin with "residual".
  void write(IndexFileWriter& writer) const;
  // A view of the file, which must outlive it.
  static FileFault read(const ElanusSimd& simd, const IndexFile& file, ElanusMetric metric, uint32_t dim, uint32_t rows,
                        ResidualCodes* codes);

  std::unique_ptr<Scorer> scorer() const { return codes_.quantizer().scorer(); }
  // The ranks of rows; `scorer` was made ready for the query less the mean. Any bytes are codes.
  void rank(Scorer& scorer, const ResidualPlace* places, size_t count, float* ranks) const;

 private:
  ElanusMetric metric_{};
  CodedRows codes_;
  // What a row adds to every rank, whatever the query.
  HugeArray<float> added_;
};

// Rows in the order of their lists, as an index compares them.
class OrderedRows : public VectorSource {
 public:
  OrderedRows(const RowReader& reader, const DenseRows& rows, const ListOrder& order)
      : reader_(reader), rows_(rows), order_(order) {}
  uint32_t rows() const override { return order_.rows(); }
  void read(uint32_t position, float* out) const override { reader_.read(rows_.at(order_.row(position)), out); }

 private:
  const RowReader& reader_;
  const DenseRows& rows_;
  const ListOrder& order_;
};

}  // namespace elanus
