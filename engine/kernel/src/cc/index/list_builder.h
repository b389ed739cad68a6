// Divides rows among lists and codes them.
#pragma once

#include <memory>

#include "graph.h"
#include "list_parts.h"

namespace elanus {

// nullptr when cancelled. The same for the same build and instruction set, whatever the number of threads.
// REQUIRES: is_valid_inverted_lists(build).
std::unique_ptr<ListParts> build_list_parts(const ElanusSimd& simd, StoredRows rows, const ElanusIndexBuild& build,
                                            WorkControl* control);

}  // namespace elanus
