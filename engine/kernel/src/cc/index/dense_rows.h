// The vectors of an index, as it keeps them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "elanus/kernel.h"
#include "mapped_pages.h"

namespace elanus {

// Row numbers, and what stands for none.
inline constexpr uint32_t kNoRow = 0xffffffff;
// The highest bit of a row number is the walks' own.
inline constexpr uint32_t kIndexRowsMax = 0x7fffffff;

// Rows that one pointer stands for where vectors lie in several arrays.
inline constexpr uint32_t kGroupBits = 6;
inline constexpr uint32_t kGroupRows = 1u << kGroupBits;

// Vectors, of any alignment: one array, or several, cut into groups that are arrays each.
struct DenseRows {
  ElanusVectorType type{};
  uint32_t dim = 0;
  size_t stride = 0;  // bytes of a vector
  const uint8_t* bytes = nullptr;
  uint32_t rows = 0;
  const float* inverse_norms = nullptr;  // COSINE only: one a row, 0 for zero vectors
  const uint8_t* const* groups = nullptr;  // Where each kGroupRows rows begin; null where there is one array.
  MappedPages* pages = nullptr;            // Told of every row that is asked for, so that it can give them back.

  const uint8_t* at(uint32_t row) const {
    const uint8_t* const vector =
        groups == nullptr ? bytes + row * stride : groups[row >> kGroupBits] + (row & (kGroupRows - 1)) * stride;
    if (pages != nullptr) pages->read(vector, stride);
    return vector;
  }
};

}  // namespace elanus
