// The loops of sparse.h in plain C++, which the compiler turns into what the file that includes this is compiled for.
#pragma once

#include "sparse_loops.h"

namespace elanus {
namespace {

void add_all(const uint8_t* impacts, uint32_t multiplier, uint16_t* bounds) {
  for (size_t i = 0; i < kSparseChapterBlocks; ++i) {
    const uint16_t bound = bound_of(impacts[i], multiplier);
    bounds[i] = static_cast<uint16_t>(bounds[i] + (impacts[i] == 0 ? 0 : bound));
  }
}

SparsePeak find_peak(const uint16_t* bounds) {
  uint16_t highest = 0;
  for (size_t i = 0; i < kSparseGroupBlocks; ++i) highest = bounds[i] > highest ? bounds[i] : highest;
  uint32_t at = 0;
  while (bounds[at] != highest) ++at;
  return {highest, at};
}

[[maybe_unused]] size_t find_terms(const uint16_t* terms, uint32_t count, const SparseTerms& query, uint32_t base,
                                   uint32_t first, uint32_t* places) {
  size_t found = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t id = base + terms[i];
    places[found] = first + i;
    found += query.bits[id / 32] >> id % 32 & 1;
  }
  return found;
}

}  // namespace
}  // namespace elanus
