// MINHASH_LSH: vectors that are hashes, by their bands. A search finds the rows that have a band in common with it.
#pragma once

#include <memory>

#include "graph.h"
#include "vector_index.h"

namespace elanus {

bool is_valid_hash_bands(const ElanusIndexBuild& build);

// An index of `vectors`, which are those of the blocks. nullptr when cancelled. REQUIRES: is_valid_hash_bands. Throws
// std::bad_alloc.
std::unique_ptr<VectorIndex> build_hash_bands(StoredRows vectors, const ElanusIndexBuild& build,
                                              WorkControl* control);

// The index in a file of kind kHashBands, as a view of it. Checks that its parts fit each other.
FileFault open_hash_bands(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                          std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
