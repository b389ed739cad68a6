// Which nodes a walk has seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

// A set of numbers that is emptied by starting a new epoch.
class Visited {
 public:
  // Empties the set and makes room for the numbers below `count`.
  void reset(size_t count) {
    if (epochs_.size() < count) {
      epochs_.assign(count + count / 4, 0);
      epoch_ = 0;
    }
    if (++epoch_ != 0) return;
    std::fill(epochs_.begin(), epochs_.end(), uint16_t{0});
    epoch_ = 1;
  }

  // Puts `number` in; false when it was in already. Without a branch, which nobody could foretell.
  bool insert(uint32_t number) {
    uint16_t& epoch = epochs_[number];
    const bool is_new = epoch != epoch_;
    epoch = epoch_;
    return is_new;
  }

  void prefetch(uint32_t number) const { __builtin_prefetch(epochs_.data() + number); }

 private:
  std::vector<uint16_t> epochs_;
  uint16_t epoch_ = 0;
};

}  // namespace elanus
