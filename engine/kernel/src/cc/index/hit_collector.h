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
    hits_.push_back(hit);
    if (hits_.size() >= 2 * size_t{k_} + kSlack) shrink();
  }

  // How many hits there are, at most k.
  size_t size() const { return std::min<size_t>(hits_.size(), k_); }

  // The k best, best first.
  const std::vector<IndexHit>& sorted() {
    if (hits_.size() > k_) shrink();
    std::sort(hits_.begin(), hits_.end());
    return hits_;
  }

 private:
  static constexpr size_t kSlack = 16;

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
