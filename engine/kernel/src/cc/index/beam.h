// The nodes nearest to a query that a walk knows of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace elanus {

// Nodes by rank, nearest first, in one sorted array: for the sizes that searches have, moving some hundred bytes
// costs less than a heap's branches.
class Beam {
 public:
  struct Entry {
    float rank;
    uint32_t node_and_flag;

    uint32_t node() const { return node_and_flag & ~kExpanded; }
  };

  // REQUIRES: capacity >= 1.
  void reset(size_t capacity) {
    if (entries_.size() < capacity + 1) entries_.resize(capacity + 1);
    capacity_ = capacity;
    size_ = 0;
    next_ = 0;
    worst_ = std::numeric_limits<float>::infinity();
  }

  size_t size() const { return size_; }
  bool is_full() const { return size_ == capacity_; }
  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + size_; }

  // Only what ranks below this enters.
  float worst() const { return worst_; }
  // The rank of the `count`th nearest. REQUIRES: 1 <= count <= size().
  float rank_of(size_t count) const { return entries_[count - 1].rank; }

  // Takes the node up unless as many are known that are nearer. REQUIRES: a node not offered before.
  void offer(float rank, uint32_t node) {
    if (!(rank < worst_)) return;
    const size_t place = place_of(rank);
    // There is room for one more than the capacity.
    std::memmove(entries_.data() + place + 1, entries_.data() + place, (size_ - place) * sizeof(Entry));
    if (size_ < capacity_) ++size_;
    entries_[place] = {rank, node};
    if (size_ == capacity_) worst_ = entries_[size_ - 1].rank;
    if (place < next_) next_ = place;
  }

  // The nearest node that was not returned yet; false when there is none.
  bool expand_next(uint32_t* node) {
    if (next_ == size_) return false;
    *node = entries_[next_].node();
    entries_[next_].node_and_flag |= kExpanded;
    while (next_ < size_ && (entries_[next_].node_and_flag & kExpanded) != 0) ++next_;
    return true;
  }

  // What `expand_next` would return now; false when nothing.
  bool peek_next(uint32_t* node) const {
    if (next_ == size_) return false;
    *node = entries_[next_].node();
    return true;
  }
  bool peek_next(uint32_t* node, float* rank) const {
    if (!peek_next(node)) return false;
    *rank = entries_[next_].rank;
    return true;
  }

 private:
  static constexpr uint32_t kExpanded = 0x80000000;
  // Entries that are compared at once where a new one's place is looked for.
  static constexpr size_t kPivots = 16;

  // How many entries are no farther. By steps of so many pivots, all compared without a branch: where a node goes is as
  // good as chance, and halving the entries would go the wrong way half of the time.
  size_t place_of(float rank) const {
    const Entry* from = entries_.data();
    size_t left = size_;
    while (left > kPivots) {
      const size_t step = left / kPivots;
      size_t passed = 0;
      for (size_t i = 1; i <= kPivots; ++i) passed += from[i * step - 1].rank <= rank;
      from += passed * step;
      left = passed < kPivots ? step - 1 : left - kPivots * step;
    }
    size_t passed = 0;
    for (size_t i = 0; i < left; ++i) passed += from[i].rank <= rank;
    return static_cast<size_t>(from - entries_.data()) + passed;
  }

  std::vector<Entry> entries_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t next_ = 0;  // all entries before it are expanded
  float worst_ = 0;
};

}  // namespace elanus
