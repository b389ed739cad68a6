// Makes the postings of a sparse index.
#pragma once

#include "elanus/index.h"
#include "graph.h"
#include "sparse_postings.h"

namespace elanus {

// The outcome depends on the rows and on `build.bm25`, not on the number of threads. ELANUS_CORRUPT_INPUT when offsets
// do not fit their bytes, when dimensions do not ascend, when a value is not finite or, of BM25, not positive;
// ELANUS_INVALID_ARGUMENT when there is more of anything than an index can hold. Throws std::bad_alloc.
ElanusStatus build_sparse_postings(const ElanusSparseBuild& build, WorkControl* control, SparsePostings* postings);

}  // namespace elanus
