// The nodes that a walk under a filter has met and not stood on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

// A heap of four branches: such a walk knows of thousands, so many that keeping them in order, as a beam does, would move
// more memory than it compares.
class Frontier {
 public:
  void clear() { entries_.clear(); }

  // Takes the node up; beyond all measure none is.
  void offer(float rank, uint32_t node) {
    if (entries_.size() == kMost) return;
    size_t at = entries_.size();
    entries_.push_back({rank, node});
    while (at > 0) {
      const size_t above = (at - 1) / kBranches;
      if (entries_[above].rank <= rank) break;
      entries_[at] = entries_[above];
      at = above;
    }
    entries_[at] = {rank, node};
  }

  // The nearest node; false when there is none.
  bool peek_next(uint32_t* node) const {
    if (entries_.empty()) return false;
    *node = entries_.front().node;
    return true;
  }
  bool peek_next(uint32_t* node, float* rank) const {
    if (!peek_next(node)) return false;
    *rank = entries_.front().rank;
    return true;
  }

  // Takes the nearest node out. REQUIRES: there is one.
  uint32_t take_next() {
    const uint32_t node = entries_.front().node;
    const Entry last = entries_.back();
    entries_.pop_back();
    const size_t size = entries_.size();
    size_t at = 0;
    for (;;) {
      const size_t first = at * kBranches + 1;
      if (first >= size) break;
      size_t least = first;
      const size_t end = std::min(first + kBranches, size);
      for (size_t below = first + 1; below < end; ++below) least = entries_[below].rank < entries_[least].rank ? below : least;
      if (last.rank <= entries_[least].rank) break;
      entries_[at] = entries_[least];
      at = least;
    }
    if (size > 0) entries_[at] = last;
    return node;
  }

 private:
  struct Entry {
    float rank;
    uint32_t node;
  };

  static constexpr size_t kBranches = 4;
  static constexpr size_t kMost = size_t{1} << 22;

  std::vector<Entry> entries_;
};

}  // namespace elanus
