// The vectors that an index owns, finds in its file, or is lent.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "elanus/index.h"
#include "huge_array.h"
#include "index_file.h"
#include "mapped_pages.h"

namespace elanus {

// Whether the file of an index holds its vectors, or who opens it lends them.
enum class VectorPlace { kInside, kOutside };

// Vectors of others, row after row over all blocks; none where the file has them.
struct LentRows {
  const ElanusRows* blocks = nullptr;
  size_t count = 0;
};

class StoredRows {
 public:
  StoredRows(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim);

  // Of the first `rows`. Valid until the next `append`.
  DenseRows view(uint32_t rows) const;
  // The same for a build, which has no more of mapped blocks in memory at once than it was lent them for.
  DenseRows sparing_view(uint32_t rows) const;
  uint32_t rows() const { return rows_; }
  ElanusMetric metric() const { return metric_; }
  // Without what the index is lent.
  size_t memory_bytes() const { return (is_lent_ ? groups_bytes() : bytes_.bytes()) + inverse_norms_.bytes(); }

  void reserve(size_t rows);
  // From now on these are the vectors, where they lie; they must outlive this. `mapped_bytes_max`: of mapped blocks,
  // what sparing views have in memory at once. REQUIRES: there are none yet, and the blocks hold as many as they say.
  void lend(LentRows outside, size_t mapped_bytes_max = kAllBytes);
  // Copies. REQUIRES: `count` vectors in `bytes`; none is lent.
  void append(const uint8_t* bytes, uint32_t count);

  // Sections "vectors", if they go inside, and, of COSINE, "inverse norms".
  void write(IndexFileWriter& writer, VectorPlace place) const;
  // Views of the file, or of `outside` where the file has no vectors; both must outlive them. The members of the
  // constructor and `rows` were read before.
  FileFault read(const IndexFile& file, uint32_t rows, LentRows outside);

 private:
  bool holds(LentRows outside, uint32_t rows) const;
  void point_to(LentRows outside);
  void group(LentRows outside);
  size_t groups_bytes() const { return groups_.size() * sizeof(groups_[0]) + copies_.size(); }

  const ElanusSimd& simd_;
  ElanusVectorType type_;
  ElanusMetric metric_;
  uint32_t dim_;
  size_t stride_;
  uint32_t rows_ = 0;
  bool is_lent_ = false;
  HugeArray<uint8_t> bytes_;
  // Of what was lent in several arrays: where each group begins, and groups that lie in more than one of them.
  std::vector<const uint8_t*> groups_;
  std::vector<uint8_t> copies_;
  std::unique_ptr<MappedPages> pages_;
  HugeArray<float> inverse_norms_;
};

}  // namespace elanus
