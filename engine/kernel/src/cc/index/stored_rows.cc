#include "stored_rows.h"

#include <cstring>

#include "../norms.h"

namespace elanus {

StoredRows::StoredRows(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
    : simd_(simd), type_(type), metric_(metric), dim_(dim), stride_(dense_bytes(type, dim)) {}

DenseRows StoredRows::view(uint32_t rows) const {
  return {type_, dim_, stride_, bytes_.data(), rows, metric_ == ELANUS_COSINE ? inverse_norms_.data() : nullptr};
}

void StoredRows::reserve(size_t rows) {
  bytes_.reserve(rows * stride_);
  if (metric_ == ELANUS_COSINE) inverse_norms_.reserve(rows);
}

void StoredRows::append(const uint8_t* bytes, uint32_t count) {
  if (count == 0) return;
  bytes_.resize((size_t{rows_} + count) * stride_);
  std::memcpy(bytes_.data() + rows_ * stride_, bytes, count * stride_);
  if (metric_ == ELANUS_COSINE) {
    inverse_norms_.resize(size_t{rows_} + count);
    elanus_inverse_norms(&simd_, type_, dim_, bytes, count * stride_, count, inverse_norms_.data() + rows_);
  }
  rows_ += count;
}

void StoredRows::write(IndexFileWriter& writer) const {
  writer.add("vectors", bytes_.data(), bytes_.size());
  if (metric_ == ELANUS_COSINE) writer.add("inverse norms", inverse_norms_.data(), inverse_norms_.size());
}

FileFault StoredRows::read(const IndexFile& file, uint32_t rows) {
  const auto* const bytes = file.array<uint8_t>("vectors", rows * stride_);
  if (bytes == nullptr) return file.damaged("its vectors are not as many as its rows");
  bytes_ = HugeArray<uint8_t>::borrow(bytes, rows * stride_);
  if (metric_ == ELANUS_COSINE) {
    const auto* const norms = file.array<float>("inverse norms", rows);
    if (norms == nullptr) return file.damaged("its lengths are not as many as its rows");
    inverse_norms_ = HugeArray<float>::borrow(norms, rows);
  }
  rows_ = rows;
  return {};
}

}  // namespace elanus
