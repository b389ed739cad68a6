// Inverted lists: rows stand with the centroid that is nearest to them, and a search looks through the lists of the
// centroids nearest to its query. IVF_FLAT, IVF_SQ8, IVF_PQ, IVF_RABITQ and SCANN.
#pragma once

#include <memory>

#include "graph.h"
#include "stored_rows.h"
#include "vector_index.h"

namespace elanus {

// Whether there are such lists.
bool is_valid_inverted_lists(const ElanusIndexBuild& build);

// nullptr when cancelled. REQUIRES: is_valid_inverted_lists(build). Takes the vectors of the build from `rows`.
std::unique_ptr<VectorIndex> build_inverted_lists(const ElanusSimd& simd, StoredRows rows,
                                                  const ElanusIndexBuild& build, WorkControl* control);

// A view of the file and, where it has no vectors of its own, of `vectors`.
FileFault open_inverted_lists(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                              std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
