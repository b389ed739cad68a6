// SPARSE_INVERTED_INDEX: exact search over sparse rows, by inner product or BM25.
#pragma once

#include <memory>

#include "graph.h"
#include "sparse_postings.h"
#include "vector_index.h"

namespace elanus {

std::unique_ptr<VectorIndex> make_sparse_index(const ElanusSimd& simd, SparsePostings postings);
FileFault open_sparse_index(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
