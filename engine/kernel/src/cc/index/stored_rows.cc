#include "stored_rows.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "../norms.h"

namespace elanus {
namespace {

constexpr char kVectorsSection[] = "vectors";

}  // namespace

StoredRows::StoredRows(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
    : simd_(simd), type_(type), metric_(metric), dim_(dim), stride_(dense_bytes(type, dim)) {}

DenseRows StoredRows::view(uint32_t rows) const {
  const float* const inverse_norms = metric_ == ELANUS_COSINE ? inverse_norms_.data() : nullptr;
  return {type_, dim_, stride_, bytes_.data(), rows, inverse_norms, groups_.empty() ? nullptr : groups_.data(), nullptr};
}

DenseRows StoredRows::sparing_view(uint32_t rows) const {
  DenseRows sparing = view(rows);
  sparing.pages = pages_.get();
  return sparing;
}

void StoredRows::reserve(size_t rows) {
  bytes_.reserve(rows * stride_);
  if (metric_ == ELANUS_COSINE) inverse_norms_.reserve(rows);
}

void StoredRows::lend(LentRows outside, size_t mapped_bytes_max) {
  is_lent_ = true;
  pages_ = MappedPages::of(outside.blocks, outside.count, mapped_bytes_max);
  point_to(outside);
  for (size_t i = 0; i < outside.count; ++i) {
    const ElanusRows& block = outside.blocks[i];
    if (metric_ == ELANUS_COSINE && block.rows > 0) {
      inverse_norms_.resize(size_t{rows_} + block.rows);
      for (uint32_t first = 0; first < block.rows; first += kGroupRows) {
        const uint8_t* const bytes = block.bytes + first * stride_;
        const uint32_t here = std::min(kGroupRows, block.rows - first);
        if (pages_ != nullptr) pages_->read(bytes, here * stride_);
        elanus_inverse_norms(&simd_, type_, dim_, bytes, here * stride_, here, inverse_norms_.data() + rows_ + first);
      }
    }
    rows_ += block.rows;
  }
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

void StoredRows::write(IndexFileWriter& writer, VectorPlace place) const {
  if (place == VectorPlace::kInside && groups_.empty()) writer.add(kVectorsSection, bytes_.data(), bytes_.size());
  if (place == VectorPlace::kInside && !groups_.empty()) {
    writer.begin(kVectorsSection);
    const DenseRows rows = view(rows_);
    for (uint32_t row = 0; row < rows_; row += kGroupRows)
      writer.append(rows.at(row), std::min(kGroupRows, rows_ - row) * stride_);
  }
  if (metric_ == ELANUS_COSINE) writer.add("inverse norms", inverse_norms_.data(), inverse_norms_.size());
}

bool StoredRows::holds(LentRows outside, uint32_t rows) const {
  uint64_t found = 0;
  for (size_t i = 0; i < outside.count; ++i) {
    const ElanusRows& block = outside.blocks[i];
    if (block.bytes_size / stride_ < block.rows) return false;
    found += block.rows;
  }
  return found == rows;
}

// Where vectors are that lie elsewhere.
void StoredRows::point_to(LentRows outside) {
  if (outside.count > 1) {
    group(outside);
  } else if (outside.count == 1) {
    bytes_ = HugeArray<uint8_t>::borrow(outside.blocks->bytes, outside.blocks->rows * stride_);
  }
}

// Groups within a block are used where they lie; the few that begin in one block and end in another are copied.
void StoredRows::group(LentRows outside) {
  const size_t group_bytes = kGroupRows * stride_;
  std::vector<size_t> copied;
  uint64_t row = 0;
  for (size_t i = 0; i < outside.count; ++i) {
    const ElanusRows& block = outside.blocks[i];
    for (uint64_t at = 0; at < block.rows;) {
      const uint64_t within = (row + at) % kGroupRows;
      const uint64_t here = std::min<uint64_t>(kGroupRows - within, block.rows - at);
      const uint8_t* const from = block.bytes + at * stride_;
      const bool is_last = i + 1 == outside.count && at + here == block.rows;
      if (within == 0 && (here == kGroupRows || is_last)) {
        groups_.push_back(from);
      } else {
        if (within == 0) {
          copied.push_back(groups_.size());
          groups_.push_back(nullptr);
          copies_.resize(copied.size() * group_bytes);
        }
        std::memcpy(copies_.data() + (copied.size() - 1) * group_bytes + within * stride_, from, here * stride_);
      }
      at += here;
    }
    row += block.rows;
  }
  for (size_t i = 0; i < copied.size(); ++i) groups_[copied[i]] = copies_.data() + i * group_bytes;
}

FileFault StoredRows::read(const IndexFile& file, uint32_t rows, LentRows outside) {
  const size_t size = rows * stride_;
  is_lent_ = file.section(kVectorsSection) == nullptr;
  if (is_lent_ && outside.count == 0)
    return {ELANUS_INVALID_ARGUMENT, "the vectors of the index file " + file.path() + " are not in it"};
  if (is_lent_ && !holds(outside, rows))
    return {ELANUS_INVALID_ARGUMENT, "the vectors for the index file " + file.path() + " are not as many as its rows"};
  if (is_lent_) {
    point_to(outside);
  } else {
    const auto* const bytes = file.array<uint8_t>(kVectorsSection, size);
    if (bytes == nullptr && size > 0) return file.damaged("its vectors are not as many as its rows");
    bytes_ = HugeArray<uint8_t>::borrow(bytes, size);
  }
  if (metric_ == ELANUS_COSINE) {
    const auto* const norms = file.array<float>("inverse norms", rows);
    if (norms == nullptr) return file.damaged("its lengths are not as many as its rows");
    inverse_norms_ = HugeArray<float>::borrow(norms, rows);
  }
  rows_ = rows;
  return {};
}

}  // namespace elanus
