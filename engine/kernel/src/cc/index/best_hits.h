// The k best hits so far, with the worst of them at hand.
#pragma once

#include <algorithm>
#include <vector>

#include "vector_index.h"

namespace elanus {

// For searches that go from the best to the worst and want to know at every step what can still count. Takes hits in
// any order; which are left does not depend on it.
class BestHits {
 public:
  void reset(uint32_t k, const HitRange& range) {
    hits_.clear();
    k_ = k;
    range_ = range;
  }

  // No hit with a rank above this is wanted.
  float threshold() const {
    return hits_.size() < k_ ? range_.highest : std::min(range_.highest, hits_.front().rank);
  }

  void offer(const IndexHit& hit) {
    if (!range_.has(hit)) return;
    if (hits_.size() < k_) {
      hits_.push_back(hit);
      std::push_heap(hits_.begin(), hits_.end());
      return;
    }
    if (!(hit < hits_.front())) return;
    std::pop_heap(hits_.begin(), hits_.end());
    hits_.back() = hit;
    std::push_heap(hits_.begin(), hits_.end());
  }

  // The k best, best first. Nothing may be offered afterwards.
  const std::vector<IndexHit>& sorted() {
    std::sort_heap(hits_.begin(), hits_.end());
    return hits_;
  }

 private:
  std::vector<IndexHit> hits_;  // a heap, the worst in front
  uint32_t k_ = 1;
  HitRange range_{};
};

}  // namespace elanus
