// The fast layout: a graph whose records hold codes of all neighbours, and the vectors, by which what a walk has
// found is ranked.
#pragma once

#include <memory>

#include "fast_records.h"
#include "scan_codes.h"
#include "stored_rows.h"
#include "vector_index.h"

namespace elanus {

// Whether the fast layout can hold a graph of this m.
bool is_valid_fast_graph(uint32_t m);

// The index of `rows`, which `records` are of. A walk keeps `stretch` times `ef` in view (walk_trial.h).
std::unique_ptr<VectorIndex> make_fast_graph(const ElanusSimd& simd, StoredRows rows, ScanCodes scan_codes,
                                             FastRecords records, float stretch);

// The index in a file of kind kFastGraph, as a view of it, and of `vectors` where they are not in it. Checks that its
// parts fit each other.
FileFault open_fast_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                          std::unique_ptr<VectorIndex>* index);

}  // namespace elanus
