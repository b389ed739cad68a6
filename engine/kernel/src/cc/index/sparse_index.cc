#include "sparse_index.h"

#include "search_scratch.h"
#include "sparse_search.h"

namespace elanus {
namespace {

class SparseIndex : public VectorIndex {
 public:
  SparseIndex(const ElanusSimd& simd, SparsePostings postings) : simd_(simd), postings_(std::move(postings)) {}

  uint32_t rows() const override { return postings_.rows; }
  ElanusVectorType type() const override { return ELANUS_SPARSE; }
  ElanusMetric metric() const override { return postings_.metric; }
  uint32_t dim() const override { return 0; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_SPARSE; }
  size_t memory_bytes() const override { return postings_.memory_bytes(); }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    if (scratch.sparse == nullptr) scratch.sparse = std::make_unique<SparseScratch>();
    auto& sparse = static_cast<SparseScratch&>(*scratch.sparse);
    const std::vector<IndexHit>& hits = search_sparse(simd_, postings_, search, sparse);
    const uint64_t blocks = postings_.blocks();
    scratch.effort.visited += sparse.blocks_scored * kSparseBlockRows;
    scratch.effort.compare(sparse.blocks_scored * kSparseBlockRows, 0);
    scratch.effort.bytes += blocks == 0 ? 0 : postings_.memory_bytes() / blocks * sparse.blocks_scored;
    return hits;
  }

  const SparsePostings* sparse_postings() const override { return &postings_; }

  void write(IndexFileWriter& writer, VectorPlace) const override { postings_.write(writer); }
  const IndexFile* file() const override { return postings_.file.get(); }
  bool links_are_sound(const std::atomic<bool>*) const override { return true; }
  IndexKind kind() const override { return IndexKind::kSparse; }

 private:
  const ElanusSimd& simd_;
  const SparsePostings postings_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_sparse_index(const ElanusSimd& simd, SparsePostings postings) {
  return std::make_unique<SparseIndex>(simd, std::move(postings));
}

FileFault open_sparse_index(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index) {
  SparsePostings postings;
  const FileFault fault = SparsePostings::open(std::move(file), &postings);
  if (!fault.failed()) *index = make_sparse_index(simd, std::move(postings));
  return fault;
}

}  // namespace elanus
