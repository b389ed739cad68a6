// Scores of sparse vectors: pairs of uint32 index and float32 value, indices ascending.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bm25.h"

namespace elanus {

inline constexpr size_t kSparsePairBytes = 8;

struct SparseVector {
  const uint8_t* bytes;  // any alignment
  size_t pairs;
};

// Vector `i` of those that `offsets` cuts out of `bytes`; false when the offsets are not a cut of whole pairs.
inline bool sparse_vector_at(const uint8_t* bytes, size_t size, const uint32_t* offsets, uint32_t i,
                             SparseVector* vector) {
  const uint32_t begin = offsets[i];
  const uint32_t end = offsets[i + 1];
  if (begin > end || end > size || (end - begin) % kSparsePairBytes != 0) return false;
  *vector = {bytes + begin, (end - begin) / kSparsePairBytes};
  return true;
}

struct SparsePair {
  uint32_t dimension;
  float value;
};
static_assert(sizeof(SparsePair) == kSparsePairBytes);

inline SparsePair sparse_pair_at(const SparseVector& vector, size_t i) {
  SparsePair pair;
  std::memcpy(&pair, vector.bytes + i * kSparsePairBytes, sizeof pair);
  return pair;
}

// Whether dimensions ascend and values are finite: neither is taken for granted of what an index is to work with.
bool is_sound(const SparseVector& vector);

// The sum of products over common indices, in ascending order of index. NaN when there is no common index.
float sparse_dot(const SparseVector& a, const SparseVector& b);

// The sum of all values, in ascending order of index: the length of a row.
float sparse_sum(const SparseVector& row);

// BM25 of a row of length `length`. NaN when there is no common index.
float sparse_bm25(const SparseVector& query, const SparseVector& row, float length, const Bm25& bm25);

}  // namespace elanus
