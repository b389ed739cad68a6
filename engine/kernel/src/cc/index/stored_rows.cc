#include "stored_rows.h"

#include <cstring>

#include "../norms.h"

namespace elanus {
namespace {

constexpr char kVectorsSection[] = "vectors";

}  // namespace

StoredRows::StoredRows(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
    : simd_(simd), type_(type), metric_(metric), dim_(dim), stride_(dense_bytes(type, dim)) {}

DenseRows StoredRows::view(uint32_t rows) const {
  return {type_, dim_, stride_, bytes_.data(), rows, metric_ == ELANUS_COSINE ? inverse_norms_.data() : nullptr};
}

void StoredRows::reserve(size_t rows) {
  bytes_.reserve(rows * stride_);
  if (rows > rows_) is_lent_ = false;
  if (metric_ == ELANUS_COSINE) inverse_norms_.reserve(rows);
}

void StoredRows::append(const uint8_t* bytes, uint32_t count) {
  if (count == 0) return;
  bytes_.resize((size_t{rows_} + count) * stride_);
  is_lent_ = false;
  std::memcpy(bytes_.data() + rows_ * stride_, bytes, count * stride_);
  if (metric_ == ELANUS_COSINE) {
    inverse_norms_.resize(size_t{rows_} + count);
    elanus_inverse_norms(&simd_, type_, dim_, bytes, count * stride_, count, inverse_norms_.data() + rows_);
  }
  rows_ += count;
}

void StoredRows::write(IndexFileWriter& writer, VectorPlace place) const {
  if (place == VectorPlace::kInside) writer.add(kVectorsSection, bytes_.data(), bytes_.size());
  if (metric_ == ELANUS_COSINE) writer.add("inverse norms", inverse_norms_.data(), inverse_norms_.size());
}

FileFault StoredRows::read(const IndexFile& file, uint32_t rows, const ElanusRows* outside) {
  const size_t size = rows * stride_;
  is_lent_ = file.section(kVectorsSection) == nullptr;
  if (is_lent_ && outside == nullptr)
    return {ELANUS_INVALID_ARGUMENT, "the vectors of the index file " + file.path() + " are not in it"};
  if (is_lent_ && (outside->rows != rows || outside->bytes_size < size))
    return {ELANUS_INVALID_ARGUMENT, "the vectors for the index file " + file.path() + " are not as many as its rows"};
  const auto* const bytes = is_lent_ ? outside->bytes : file.array<uint8_t>(kVectorsSection, size);
  if (bytes == nullptr && size > 0) return file.damaged("its vectors are not as many as its rows");
  bytes_ = HugeArray<uint8_t>::borrow(bytes, size);
  if (metric_ == ELANUS_COSINE) {
    const auto* const norms = file.array<float>("inverse norms", rows);
    if (norms == nullptr) return file.damaged("its lengths are not as many as its rows");
    inverse_norms_ = HugeArray<float>::borrow(norms, rows);
  }
  rows_ = rows;
  return {};
}

}  // namespace elanus
