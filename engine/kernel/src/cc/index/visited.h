// Which nodes a walk has seen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

// A set of numbers, one bit each, so that it stays in the nearest cache; emptied by taking out what was put in, or all.
class Visited {
 public:
  // Empties the set and makes room for the numbers below `count`.
  void reset(size_t count) {
    empty();
    const size_t words = (count + 63) / 64;
    if (words_.size() < words) words_.assign(words + words / 4, 0);
  }

  // Puts `number` in; false when it was in already. Without a branch that nobody could foretell.
  bool insert(uint32_t number) {
    if (count_ == numbers_.size()) numbers_.resize(std::max<size_t>(1024, 2 * count_));
    uint64_t& word = words_[number / 64];
    const uint64_t bit = uint64_t{1} << number % 64;
    const bool is_new = (word & bit) == 0;
    word |= bit;
    numbers_[count_] = number;
    count_ += is_new;
    return is_new;
  }

  // Puts the numbers in that stand before the first one that is not below `end`. Writes those that were not in already to
  // `fresh`, which has room for all, and returns how many they are. Without a branch that nobody could foretell.
  size_t insert_run(const uint32_t* numbers, size_t count, size_t end, uint32_t* fresh) {
    uint64_t* const words = words_.data();
    size_t found = 0;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t number = numbers[i];
      if (number >= end) break;
      const uint64_t before = words[number / 64];
      words[number / 64] = before | uint64_t{1} << number % 64;
      fresh[found] = number;
      found += (before >> number % 64 & 1) == 0;
    }
    if (count_ + found > numbers_.size()) numbers_.resize(std::max<size_t>(1024, 2 * (count_ + found)));
    std::copy_n(fresh, found, numbers_.data() + count_);
    count_ += found;
    return found;
  }

 private:
  // Words that are emptied as quickly one behind the other as one somewhere.
  static constexpr size_t kWordsPerNumber = 16;

  void empty() {
    if (count_ * kWordsPerNumber >= words_.size()) {
      std::fill(words_.begin(), words_.end(), uint64_t{0});
    } else {
      for (size_t i = 0; i < count_; ++i) words_[numbers_[i] / 64] = 0;
    }
    count_ = 0;
  }

  std::vector<uint64_t> words_;
  std::vector<uint32_t> numbers_;  // what is in
  size_t count_ = 0;
};

}  // namespace elanus
