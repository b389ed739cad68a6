#include "sparse.h"

#include <cstring>
#include <limits>

namespace elanus {
namespace {

uint32_t index_at(const SparseVector& v, size_t i) {
  uint32_t index;
  std::memcpy(&index, v.bytes + i * kSparsePairBytes, sizeof index);
  return index;
}

float value_at(const SparseVector& v, size_t i) {
  float value;
  std::memcpy(&value, v.bytes + i * kSparsePairBytes + sizeof(uint32_t), sizeof value);
  return value;
}

}  // namespace

float sparse_dot(const SparseVector& a, const SparseVector& b) {
  float sum = 0;
  bool common = false;
  size_t i = 0;
  size_t j = 0;
  while (i < a.pairs && j < b.pairs) {
    const uint32_t index_a = index_at(a, i);
    const uint32_t index_b = index_at(b, j);
    if (index_a == index_b) {
      sum += value_at(a, i) * value_at(b, j);
      common = true;
    }
    i += index_a <= index_b;
    j += index_b <= index_a;
  }
  return common ? sum : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace elanus
