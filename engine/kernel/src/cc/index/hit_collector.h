// The k best hits of one query to an index.
#pragma once

#include <algorithm>
#include <vector>

#include "vector_index.h"

namespace elanus {

// Takes hits in any order; which are left does not depend on it.
class HitCollector {
 public:
  void reset(uint32_t k, const HitRange& range) {
    hits_.clear();
    k_ = k;
    range_ = range;
  }

  // No hit with a rank above this is wanted. Shrinks as hits come in.
  float threshold() const { return range_.highest; }

  void offer(const IndexHit& hit) {
    if (!range_.has(hit)) return;
    if (is_ordered()) return insert(hit);
    hits_.push_back(hit);
    if (hits_.size() >= 2 * size_t{k_} + kSlack) shrink();
  }

  // How many hits there are, at most k.
  size_t size() const { return std::min<size_t>(hits_.size(), k_); }

  // The k best, best first.
  const std::vector<IndexHit>& sorted() {
    if (is_ordered()) return hits_;
    if (hits_.size() > k_) shrink();
    std::sort(hits_.begin(), hits_.end());
    return hits_;
  }

 private:
  static constexpr size_t kSlack = 16;
  // So few hits are kept in order, so that the threshold is never late.
  static constexpr uint32_t kOrderedMax = 32;

  bool is_ordered() const { return k_ <= kOrderedMax; }

  void insert(const IndexHit& hit) {
    if (hits_.size() < k_)
      hits_.push_back(hit);
    else if (!(hit < hits_.back()))
      return;
    size_t at = hits_.size() - 1;
    for (; at > 0 && hit < hits_[at - 1]; --at) hits_[at] = hits_[at - 1];
    hits_[at] = hit;
    if (hits_.size() == k_) range_.highest = hits_.back().rank;
  }

  void shrink() {
    std::nth_element(hits_.begin(), hits_.begin() + (k_ - 1), hits_.end());
    hits_.resize(k_);
    range_.highest = hits_[k_ - 1].rank;
  }

  std::vector<IndexHit> hits_;
  uint32_t k_ = 1;
  HitRange range_{};
};

}  // namespace elanus
