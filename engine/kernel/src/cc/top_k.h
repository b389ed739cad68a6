// The k best hits of one query, in bounded memory.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "elanus/kernel.h"

namespace elanus {

// Scores are ranked so that smaller is better: a distance is its own rank, a similarity's rank is its negative.
struct Hit {
  float rank;
  uint32_t block;
  uint32_t row;
};

// Total order of hits: by rank, then by primary key, then by place (for keys that stand in several blocks).
class HitOrder {
 public:
  HitOrder(const ElanusBlock* blocks, ElanusKeyType key_type) : blocks_(blocks), key_type_(key_type) {}

  bool operator()(const Hit& a, const Hit& b) const {
    if (a.rank != b.rank) return a.rank < b.rank;
    return before_at_same_rank(a, b);
  }

 private:
  bool before_at_same_rank(const Hit& a, const Hit& b) const;

  const ElanusBlock* blocks_;
  ElanusKeyType key_type_;
};

// Collects hits in any order. The outcome depends on which hits were offered, not on their order.
class TopK {
 public:
  // Starts anew and keeps the memory. Hits ranked above `threshold` are known not to be wanted.
  void reset(uint32_t k, float threshold) {
    hits_.clear();
    k_ = k;
    capacity_ = k + (k < kSlackMin ? kSlackMin : k);
    threshold_ = threshold;
    threshold_is_hit_ = false;
  }

  // No hit with a rank above this can be among the k best. Shrinks as hits come in.
  float threshold() const { return threshold_; }

  // REQUIRES: hit.rank <= threshold(), which no NaN is.
  void offer(const Hit& hit, const HitOrder& order) {
    if (threshold_is_hit_ && hit.rank == threshold_ && !order(hit, worst_)) return;
    hits_.push_back(hit);
    if (hits_.size() == capacity_) shrink(order);
  }

  // Takes over what `other` has collected.
  void merge(const TopK& other, const HitOrder& order) {
    for (const Hit& hit : other.hits_) {
      if (hit.rank <= threshold_) offer(hit, order);
    }
  }

  // The k best, best first; valid until the next call of anything.
  const std::vector<Hit>& sorted(const HitOrder& order);

  // Frees the memory.
  void clear() { hits_ = std::vector<Hit>(); }

  // Learns the best threshold from what is there.
  void tighten(const HitOrder& order) {
    if (hits_.size() > k_) shrink(order);
  }

 private:
  static constexpr uint32_t kSlackMin = 16;

  void shrink(const HitOrder& order);

  std::vector<Hit> hits_;
  uint32_t k_ = 0;
  uint32_t capacity_ = 0;
  float threshold_ = std::numeric_limits<float>::infinity();
  // Whether k hits are known and `worst_` is the last of them.
  bool threshold_is_hit_ = false;
  Hit worst_{};
};

}  // namespace elanus
