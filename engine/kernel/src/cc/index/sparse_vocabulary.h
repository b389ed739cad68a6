// Numbers for the dimensions of sparse rows.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace elanus {

// Dimensions in the order in which they were met; later in ascending order.
class SparseVocabulary {
 public:
  SparseVocabulary() : slots_(size_t{1} << kFirstBits, kNone) {}

  size_t size() const { return dimensions_.size(); }
  const std::vector<uint32_t>& dimensions() const { return dimensions_; }

  // The number of a dimension, a new one where it has none yet.
  uint32_t add(uint32_t dimension) {
    size_t at = first_slot(dimension);
    for (; slots_[at] != kNone; at = (at + 1) & (slots_.size() - 1)) {
      if (dimensions_[slots_[at]] == dimension) return slots_[at];
    }
    const auto number = static_cast<uint32_t>(dimensions_.size());
    slots_[at] = number;
    dimensions_.push_back(dimension);
    if (2 * dimensions_.size() > slots_.size()) rehash(slots_.size() * 4);
    return number;
  }

  // REQUIRES: it has one.
  uint32_t find(uint32_t dimension) const {
    size_t at = first_slot(dimension);
    while (dimensions_[slots_[at]] != dimension) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }

  // Numbers the dimensions anew, in ascending order. Returns the old number of each new one.
  std::vector<uint32_t> sort() {
    std::vector<uint32_t> old(dimensions_.size());
    std::iota(old.begin(), old.end(), 0);
    std::sort(old.begin(), old.end(), [&](uint32_t a, uint32_t b) { return dimensions_[a] < dimensions_[b]; });
    std::sort(dimensions_.begin(), dimensions_.end());
    rehash(slots_.size());
    return old;
  }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr unsigned kFirstBits = 12;

  // Nobody can know the factor beforehand, and so choose dimensions that crowd together. Nothing that is built depends
  // on it.
  static uint64_t random_factor() {
    std::random_device random;
    return (uint64_t{random()} << 32 | random()) | 1;
  }

  size_t first_slot(uint32_t dimension) const {
    return static_cast<size_t>(dimension * factor_ >> 32) & (slots_.size() - 1);
  }

  void rehash(size_t slots) {
    slots_.assign(slots, kNone);
    for (uint32_t i = 0; i < dimensions_.size(); ++i) {
      size_t at = first_slot(dimensions_[i]);
      while (slots_[at] != kNone) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = i;
    }
  }

  std::vector<uint32_t> dimensions_;
  std::vector<uint32_t> slots_;
  const uint64_t factor_ = random_factor();
};

}  // namespace elanus
