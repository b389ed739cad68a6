// The vectors that an index owns, or finds in its file.
#pragma once

#include <cstdint>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "elanus/index.h"
#include "huge_array.h"
#include "index_file.h"

namespace elanus {

class StoredRows {
 public:
  StoredRows(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim);

  // Of the first `rows`. Valid until the next `append`; where `reserve` made room for it, it stays valid.
  DenseRows view(uint32_t rows) const;
  uint32_t rows() const { return rows_; }
  ElanusMetric metric() const { return metric_; }
  size_t memory_bytes() const { return bytes_.bytes() + inverse_norms_.bytes(); }

  void reserve(size_t rows);
  // Copies. REQUIRES: `count` vectors in `bytes`.
  void append(const uint8_t* bytes, uint32_t count);

  // Sections "vectors" and, of COSINE, "inverse norms".
  void write(IndexFileWriter& writer) const;
  // Views of the file, which must outlive them. The members of the constructor and `rows` were read before.
  FileFault read(const IndexFile& file, uint32_t rows);

 private:
  const ElanusSimd& simd_;
  ElanusVectorType type_;
  ElanusMetric metric_;
  uint32_t dim_;
  size_t stride_;
  uint32_t rows_ = 0;
  HugeArray<uint8_t> bytes_;
  HugeArray<float> inverse_norms_;
};

}  // namespace elanus
