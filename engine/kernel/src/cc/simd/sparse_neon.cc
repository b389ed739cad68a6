// Sparse loops for NEON: the plain ones, which the compiler makes wide.
#include "loops.h"
#include "sparse_generic.h"

namespace elanus {
namespace {

uint32_t score(const SparseBlock& block, const SparseTerms& query, float* scores) {
  return score_block<RowScores>(block, query, scores, find_terms);
}

}  // namespace

const SparseLoops kSparseNeon = {add_list, add_all, find_peak, score};

}  // namespace elanus
