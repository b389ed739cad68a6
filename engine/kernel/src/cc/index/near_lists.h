// Lists by how near their centres are to a query, the nearest first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../simd/simd.h"
#include "least_bound.h"
#include "vector_index.h"

namespace elanus {

class NearLists {
 public:
  // Room for the ranks of so many centres, rounded up to kRowTile or kBlockRows.
  float* ranks(size_t lists) {
    ranks_.resize(lists + std::max(kRowTile, kBlockRows));
    lists_ = lists;
    return ranks_.data();
  }

  // Makes ready the `wanted` nearest, or all there are. Of equal ones the first are the nearest.
  // REQUIRES: wanted >= 1, the ranks are there, and none is NaN.
  void begin(const ElanusSimd& simd, size_t wanted) {
    last_ = {-kInfinity, 0};
    left_ = std::min(wanted, lists_);
    gather(simd, least_bound(ranks_.data(), lists_, left_));
  }

  // Those that did not belong to the wanted ones follow. REQUIRES: all wanted ones were taken.
  void go_on(const ElanusSimd& simd) {
    gather(simd, kInfinity);
    left_ = heap_.size();
  }

  // How many are still to come.
  size_t left() const { return left_; }
  // The next one, `row` being the list. REQUIRES: left() > 0.
  const IndexHit& peek() const { return heap_.front(); }
  IndexHit take() {
    std::pop_heap(heap_.begin(), heap_.end(), is_farther);
    last_ = heap_.back();
    heap_.pop_back();
    --left_;
    return last_;
  }

 private:
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();

  static bool is_farther(const IndexHit& a, const IndexHit& b) { return b < a; }

  // Those within the bound that come after the last one taken.
  void gather(const ElanusSimd& simd, float bound) {
    found_.resize(lists_ + kFoundSlack);
    const size_t count = simd.bits.find_at_most(ranks_.data(), lists_, bound, found_.data());
    heap_.clear();
    for (size_t i = 0; i < count; ++i) {
      const IndexHit list = {ranks_[found_[i]], found_[i]};
      if (last_ < list) heap_.push_back(list);
    }
    std::make_heap(heap_.begin(), heap_.end(), is_farther);
  }

  std::vector<float> ranks_;
  std::vector<uint32_t> found_;
  std::vector<IndexHit> heap_;  // the nearest in front
  size_t lists_ = 0;
  size_t left_ = 0;
  IndexHit last_{};
};

}  // namespace elanus
