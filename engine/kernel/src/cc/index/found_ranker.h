// Which of the rows that a walk by codes has found are the best by their vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "search_scratch.h"

namespace elanus {

// Ranks by their vectors those of the rows found by codes that may be among the best.
class FoundRanker {
 public:
  // REQUIRES: `scratch.exact` is ready for the query, `scratch.hits` for its hits; `found` may be reordered.
  FoundRanker(const DenseRows& rows, SearchScratch& scratch, std::vector<IndexHit>& found)
      : rows_(rows), scratch_(scratch), found_(found) {}

  // As many as are needed for the k best.
  void rank_best(uint32_t k) {
    rank_first(k + std::max(kRankedMore, k / 4));
    rank_doubtful(k);
  }

  // The `count` best by their codes.
  void rank_first(size_t count) {
    if (count < found_.size()) std::nth_element(found_.begin(), at(count), found_.end());
    rank_next(std::min(count, found_.size()));
  }

  // Of the ranks so far, wanted or not.
  float highest() const { return highest_; }

 private:
  // Row codes are so exact, as a rule, that few rows beyond the k best need to be ranked by their vectors.
  static constexpr uint32_t kRankedMore = 8;
  // Where they are not, as for queries far from all rows, those are ranked too whose codes are as much better than
  // usual ones as this many standard deviations.
  static constexpr double kDeviations = 2;
  static constexpr size_t kRankedAtOnce = 32;

  std::vector<IndexHit>::iterator at(size_t i) { return found_.begin() + static_cast<ptrdiff_t>(i); }

  // And those whose codes may be wrong by so much that they are among the k best.
  void rank_doubtful(uint32_t k) {
    while (ranked_ < found_.size() && scratch_.hits.size() >= k) {
      const float kth = scratch_.hits.sorted()[k - 1].rank;
      const auto limit = static_cast<float>(static_cast<double>(kth) - least_error());
      const auto end = std::partition(at(ranked_), found_.end(), [&](const IndexHit& hit) { return hit.rank <= limit; });
      const auto doubtful = static_cast<size_t>(end - at(ranked_));
      if (doubtful == 0) return;
      const size_t count = std::min(doubtful, kRankedAtOnce);
      if (count < doubtful) std::nth_element(at(ranked_), at(ranked_ + count), end);
      rank_next(count);
    }
  }

  void rank_next(size_t count) {
    std::vector<uint32_t>& ids = scratch_.rows;
    ids.clear();
    for (size_t i = ranked_; i < ranked_ + count; ++i) {
      ids.push_back(found_[i].row);
      const uint8_t* const vector = rows_.at(found_[i].row);
      for (size_t line = 0; line < rows_.stride; line += 64) __builtin_prefetch(vector + line);
    }
    scratch_.ranks.resize(count + kRowTile);
    scratch_.exact.rank(rows_, ids.data(), count, scratch_.ranks.data());
    for (size_t i = 0; i < count; ++i) {
      const float rank = scratch_.ranks[i];
      const double error = static_cast<double>(rank) - static_cast<double>(found_[ranked_ + i].rank);
      if (std::isfinite(error)) {
        sum_ += error;
        square_sum_ += error * error;
        ++errors_;
      }
      highest_ = std::max(highest_, rank);
      scratch_.hits.offer({rank, ids[i]});
    }
    ranked_ += count;
    scratch_.effort.compare(count, rows_.stride);
  }

  // By how much less than its code says a rank may be.
  double least_error() const {
    if (errors_ == 0) return 0;
    const double mean = sum_ / errors_;
    return mean - kDeviations * std::sqrt(std::max(0.0, square_sum_ / errors_ - mean * mean));
  }

  const DenseRows& rows_;
  SearchScratch& scratch_;
  std::vector<IndexHit>& found_;
  size_t ranked_ = 0;
  double sum_ = 0;
  double square_sum_ = 0;
  double errors_ = 0;
  float highest_ = -std::numeric_limits<float>::infinity();
};

}  // namespace elanus
