// One search of a sparse index, on one thread.
#pragma once

#include <array>
#include <vector>

#include "../aligned.h"
#include "best_hits.h"
#include "search_scratch.h"
#include "sparse_postings.h"

namespace elanus {

// A term of the query that the index has.
struct SparseTerm {
  const SparseList* list;  // the next of those that are left
  const SparseList* lists_end;
  uint32_t multiplier;  // of impacts
};

struct SparseScratch : LayoutScratch {
  std::vector<uint32_t> ids;
  std::vector<float> weights;
  std::vector<SparseTerm> terms;
  std::vector<uint32_t> bits;  // all 0 between searches
  std::array<uint16_t, kSparseFolds / 16> folded;
  std::array<uint32_t, kSparseFolds> places{};
  AlignedVector<uint16_t> bounds;
  BestHits hits;
  uint32_t blocks_scored = 0;
};

// The hits, best first. Every row that could be among the k best is scored, by all its values: what is left out has an
// upper bound below the worst of k hits. REQUIRES: the query is sound.
const std::vector<IndexHit>& search_sparse(const ElanusSimd& simd, const SparsePostings& postings,
                                           const IndexSearch& search, SparseScratch& scratch);

}  // namespace elanus
