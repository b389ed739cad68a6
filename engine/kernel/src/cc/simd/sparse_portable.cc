// Sparse loops for any machine.
#include "loops.h"
#include "sparse_generic.h"

namespace elanus {
namespace {

uint32_t score(const SparseBlock& block, const SparseTerms& query, float* scores) {
  return score_block<RowScores>(block, query, scores, find_terms);
}

}  // namespace

const SparseLoops kSparsePortable = {add_list, add_all, find_peak, score};

}  // namespace elanus
