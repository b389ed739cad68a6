// Inner products of sparse vectors: pairs of uint32 index and float32 value, indices ascending.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus {

inline constexpr size_t kSparsePairBytes = 8;

struct SparseVector {
  const uint8_t* bytes;  // any alignment
  size_t pairs;
};

// The sum of products over common indices, in ascending order of index. NaN when there is no common index.
float sparse_dot(const SparseVector& a, const SparseVector& b);

}  // namespace elanus
