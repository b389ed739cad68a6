// BIN_IVF_FLAT: binary vectors in lists, each of those nearest to one of some centres. A search compares with the rows of
// the lists whose centres are nearest to it.
#pragma once

#include <memory>

#include "graph.h"
#include "vector_index.h"

namespace elanus {

// A list is to have so many rows at least: of fewer rows there are fewer lists.
inline constexpr uint32_t kListRowsMin = 39;

bool is_valid_binary_lists(const ElanusIndexBuild& build);

// An index of copies of `rows`, which are those of the blocks. nullptr when cancelled. REQUIRES: is_valid_binary_lists.
// Throws std::bad_alloc.
std::unique_ptr<VectorIndex> build_binary_lists(const ElanusSimd& simd, const StoredRows& rows,
                                                const ElanusIndexBuild& build, WorkControl* control);

// The index in a file of kind kBinaryLists, as a view of it. Checks that its parts fit each other.
FileFault open_binary_lists(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
