// DISKANN where memory is enough for the links as well: searches walk in memory alone, on codes, and read the vectors of
// what they have found, all at once.
#pragma once

#include <memory>
#include <optional>

#include "disk_graph.h"
#include "vector_index.h"
#include "walk_codes.h"

namespace elanus {

// How rows are coded of which code and links fit into the memory that the build allows for a row: nothing where they do
// not, or when cancelled. REQUIRES: is_valid_disk_graph.
std::optional<CodeModel> find_disk_vectors_model(const ElanusSimd& simd, const StoredRows& rows,
                                                 const ElanusIndexBuild& build, const std::atomic<bool>* cancelled);

// Builds the graph too. Until it is saved and opened the index has everything in memory. nullptr when cancelled.
// Throws std::bad_alloc.
std::unique_ptr<VectorIndex> build_disk_vectors(const ElanusSimd& simd, StoredRows rows, CodeModel model,
                                                const ElanusIndexBuild& build, WorkControl* control);

// The index in a file of kind kDiskVectors. Checks that its parts fit each other.
FileFault open_disk_vectors(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
