// The rows that a search may return.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../simd/simd.h"
#include "dense_rows.h"

namespace elanus {

// A bitmap, one bit a row, least significant first; or all rows. Rows beyond its end, which were added after it was
// made, are not in it.
class AllowedRows {
 public:
  AllowedRows() = default;
  // REQUIRES: `rows` bits in `bits`, which outlive this.
  AllowedRows(const ElanusSimd& simd, const uint8_t* bits, uint32_t rows) : bits_(bits), end_(rows) {
    count_ = static_cast<uint32_t>(simd.bits.square_norm(bits, rows / 8));
    if (rows % 8 != 0) count_ += static_cast<uint32_t>(std::popcount(bits[rows / 8] & ((1u << rows % 8) - 1)));
  }

  bool are_all() const { return bits_ == nullptr; }
  bool has(uint32_t row) const { return bits_ == nullptr || (row < end_ && (bits_[row / 8] >> row % 8 & 1) != 0); }
  // Which of the rows 16 * number and the 15 behind it there are, the first one lowest.
  uint32_t sixteen(uint32_t number) const {
    if (bits_ == nullptr) return 0xffff;
    const uint64_t first = uint64_t{number} * 16;
    if (first + 16 <= end_) {
      uint16_t bits;
      std::memcpy(&bits, bits_ + first / 8, sizeof bits);
      return bits;
    }
    uint32_t bits = 0;
    for (uint64_t row = first; row < end_; ++row)
      bits |= static_cast<uint32_t>(has(static_cast<uint32_t>(row))) << (row - first);
    return bits;
  }
  // How many there are of the first `rows`, which are at least those of the bitmap.
  uint32_t count(uint32_t rows) const { return bits_ == nullptr ? rows : count_; }

  // Which of the rows [first, first + 32) are allowed and below `rows`, the first one's bit lowest.
  // REQUIRES: `first` is a multiple of 32.
  uint32_t word(uint32_t first, uint32_t rows) const {
    const uint32_t end = bits_ == nullptr ? rows : std::min(rows, end_);
    if (first >= end) return 0;
    const uint32_t left = end - first;
    uint32_t word = ~0u;
    if (bits_ != nullptr) {
      word = 0;
      std::memcpy(&word, bits_ + first / 8, std::min<size_t>(sizeof word, (left + 7) / 8));
    }
    return left >= 32 ? word : word & ((1u << left) - 1);
  }
  // How many of these words are not empty; the last one, if it is not a whole one, always counts.
  uint32_t words(uint32_t rows) const {
    const uint32_t end = bits_ == nullptr ? rows : std::min(rows, end_);
    uint32_t count = end % 32 != 0;
    if (bits_ == nullptr) return count + end / 32;
    for (size_t i = 0; i < end / 32; ++i) {
      uint32_t bits;
      std::memcpy(&bits, bits_ + 4 * i, sizeof bits);
      count += bits != 0;
    }
    return count;
  }

  // Calls `visit(row)` for each of those below `rows`, in ascending order, as long as it returns true.
  template <class Visit>
  void for_each(uint32_t rows, const Visit& visit) const {
    if (bits_ == nullptr) {
      for (uint32_t row = 0; row < rows && visit(row);) ++row;
      return;
    }
    const uint32_t end = std::min(rows, end_);
    const size_t bytes = (size_t{end} + 7) / 8;
    for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, bits_ + at, std::min(sizeof word, bytes - at));
      for (; word != 0; word &= word - 1) {
        const auto row = static_cast<uint32_t>(at * 8 + static_cast<size_t>(std::countr_zero(word)));
        if (row >= end || !visit(row)) return;
      }
    }
  }

  // Calls `visit(row)` for at most `most` of those below `rows`: every so many-th of them, in ascending order.
  template <class Visit>
  void for_some(uint32_t rows, uint32_t most, const Visit& visit) const {
    const uint64_t step = std::max(1u, (count(rows) + most - 1) / most);
    uint64_t next = step / 2;
    if (bits_ == nullptr) {
      for (; next < rows; next += step) visit(static_cast<uint32_t>(next));
      return;
    }
    const uint32_t end = std::min(rows, end_);
    uint64_t seen = 0;
    for (uint32_t first = 0; first < end; first += 32) {
      uint32_t word = this->word(first, rows);
      const auto here = static_cast<uint64_t>(std::popcount(word));
      for (; next < seen + here; next += step) {
        uint32_t left = word;
        for (uint64_t before = next - seen; before > 0; --before) left &= left - 1;
        visit(first + static_cast<uint32_t>(std::countr_zero(left)));
      }
      seen += here;
    }
  }

 private:
  const uint8_t* bits_ = nullptr;
  uint32_t end_ = 0;
  uint32_t count_ = 0;
};

}  // namespace elanus
