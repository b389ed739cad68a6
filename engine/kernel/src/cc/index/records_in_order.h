// Records of equal length that change their places.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

// Makes what was record from[i] record i, without memory for a second copy. Each record has `size` values.
// REQUIRES: `from` holds each number below its size once.
template <class T>
void put_records_in_order(const std::vector<uint32_t>& from, size_t size, T* records) {
  std::vector<bool> is_there(from.size());
  std::vector<T> first(size);
  for (size_t begin = 0; begin < from.size(); ++begin) {
    if (is_there[begin]) continue;
    // A ring of records, each of which goes where the one before it was.
    std::copy_n(records + begin * size, size, first.data());
    size_t at = begin;
    for (; from[at] != begin; at = from[at]) {
      std::copy_n(records + from[at] * size, size, records + at * size);
      is_there[at] = true;
    }
    std::copy_n(first.data(), size, records + at * size);
    is_there[at] = true;
  }
}

}  // namespace elanus
