#include "sparse.h"

#include <cmath>
#include <limits>

namespace elanus {
namespace {

// The sum of `part(value of a, value of b)` over common indices, ascending; NaN when there is none.
template <class Part>
float sum_of_common(const SparseVector& a, const SparseVector& b, const Part& part) {
  float sum = 0;
  bool common = false;
  size_t i = 0;
  size_t j = 0;
  while (i < a.pairs && j < b.pairs) {
    const SparsePair of_a = sparse_pair_at(a, i);
    const SparsePair of_b = sparse_pair_at(b, j);
    if (of_a.dimension == of_b.dimension) {
      sum += part(of_a.value, of_b.value);
      common = true;
    }
    i += of_a.dimension <= of_b.dimension;
    j += of_b.dimension <= of_a.dimension;
  }
  return common ? sum : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

bool is_sound(const SparseVector& vector) {
  uint64_t from = 0;
  for (size_t i = 0; i < vector.pairs; ++i) {
    const SparsePair pair = sparse_pair_at(vector, i);
    if (pair.dimension < from || !std::isfinite(pair.value)) return false;
    from = uint64_t{pair.dimension} + 1;
  }
  return true;
}

float sparse_dot(const SparseVector& a, const SparseVector& b) {
  return sum_of_common(a, b, [](float x, float y) { return x * y; });
}

float sparse_sum(const SparseVector& row) {
  float sum = 0;
  for (size_t i = 0; i < row.pairs; ++i) sum += sparse_pair_at(row, i).value;
  return sum;
}

float sparse_bm25(const SparseVector& query, const SparseVector& row, float length, const Bm25& bm25) {
  const float norm = bm25.norm(length);
  return sum_of_common(query, row, [&](float weight, float frequency) {
    return bm25_part(weight * bm25.gain(), frequency, norm);
  });
}

}  // namespace elanus
