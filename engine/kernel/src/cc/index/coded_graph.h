// HNSW_SQ, HNSW_PQ and HNSW_PRQ: a graph, walked by short codes of the rows, and perhaps longer codes by which the best
// are ranked anew. The vectors themselves are not kept; where they are lent they are read when a filter leaves rows that
// codes cannot tell apart.
#pragma once

#include <memory>

#include "coded_rows.h"
#include "graph.h"
#include "stored_rows.h"
#include "vector_index.h"

namespace elanus {

// Whether vectors of this type and dimension can be coded so.
bool is_valid_coded_graph(ElanusMetric metric, uint32_t dim, const ElanusIndexSpec& spec);

// Codes `rows`, whose graph is `graph`. `control->done` runs from what it is to 1.
// nullptr when cancelled. REQUIRES: is_valid_coded_graph. Throws std::bad_alloc.
std::unique_ptr<VectorIndex> build_coded_graph(const ElanusSimd& simd, StoredRows rows, const ElanusIndexSpec& spec,
                                               Graph graph, uint64_t seed, uint32_t threads, WorkControl* control);

// The index in a file of kind kCodedGraph, as a view of it, and of `vectors`, which there need not be. Checks that its parts
// fit each other.
FileFault open_coded_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                           std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
