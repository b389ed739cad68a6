// Which of the rows that a walk or a scan by codes has found are the best by their vectors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "code_errors.h"
#include "search_scratch.h"

namespace elanus {

// Asks for the vector of a row.
inline void prefetch_vector(const DenseRows& rows, uint32_t row) {
  const uint8_t* const vector = rows.at(row);
  for (size_t line = 0; line < rows.stride; line += 64) __builtin_prefetch(vector + line);
}

// Ranks by their vectors those of the rows found by codes that may be among the best.
class FoundRanker {
 public:
  // Learns how far off the codes are from the rows that it ranks, until it is told.
  // REQUIRES: `scratch.exact` is ready for the query, `scratch.hits` for its hits; `found` may be reordered.
  FoundRanker(const DenseRows& rows, SearchScratch& scratch, std::vector<IndexHit>& found,
              double deviations = kDeviations)
      : rows_(rows), scratch_(scratch), found_(found), deviations_(deviations) {}

  // Tells how far off the codes are, and with how many deviations to reckon.
  void expect(const CodeErrors& errors, double deviations) {
    learns_ = false;
    errors_ = errors;
    deviations_ = deviations;
  }

  // How many are ranked in any case to find the k best.
  static uint32_t first_of(uint32_t k) { return k + std::max(kRankedMore, k / 4); }

  // As many as are needed for the k best.
  void rank_best(uint32_t k) {
    rank_first(first_of(k));
    rank_doubtful(k);
  }

  // The `count` best by their codes.
  void rank_first(size_t count) {
    if (count < found_.size()) std::nth_element(found_.begin(), at(count), found_.end());
    count = std::min(count, found_.size());
    if (count > 0) {
      const auto [best, worst] = std::minmax_element(found_.begin(), at(count));
      spread_ = static_cast<double>(worst->rank) - static_cast<double>(best->rank);
    }
    rank_next(count);
  }

  // Those whose codes may be wrong by so much that they are among the k best.
  void rank_doubtful(uint32_t k) {
    while (ranked_ < found_.size()) {
      const float limit = limit_of(k);
      const auto end = std::partition(at(ranked_), found_.end(), [&](const IndexHit& hit) { return hit.rank <= limit; });
      const auto doubtful = static_cast<size_t>(end - at(ranked_));
      if (doubtful == 0) return;
      const size_t count = std::min(doubtful, std::max(kRankedAtOnce, ranked_ / 2));
      if (count < doubtful) std::nth_element(at(ranked_), at(ranked_ + count), end);
      rank_next(count);
    }
  }

  // What has a higher rank by its code is not among the k best.
  float limit_of(uint32_t k) {
    const float worst = scratch_.hits.size() >= k ? scratch_.hits.sorted()[k - 1].rank : scratch_.hits.threshold();
    return static_cast<float>(static_cast<double>(worst) - errors_.mean() + deviations_ * errors_.deviation());
  }

  // Whether the first ones, by their codes, are so near to each other that their order says little. They are the
  // first by their errors as well then, which are larger as a rule than what is learnt from them.
  bool are_crowded() const { return spread_ < kCrowdedDeviations * errors_.deviation(); }

  // Of the ranks so far, wanted or not.
  float highest() const { return highest_; }

 private:
  // Row codes are so exact, as a rule, that few rows beyond the k best need to be ranked by their vectors.
  static constexpr uint32_t kRankedMore = 8;
  // Where they are not, as for queries far from all rows, those are ranked too whose codes are as much better than
  // usual ones as this many standard deviations.
  static constexpr double kDeviations = 2;
  static constexpr double kCrowdedDeviations = 8;
  static constexpr size_t kRankedAtOnce = 32;

  std::vector<IndexHit>::iterator at(size_t i) { return found_.begin() + static_cast<ptrdiff_t>(i); }

  void rank_next(size_t count) {
    std::vector<uint32_t>& ids = scratch_.rows;
    ids.clear();
    for (size_t i = ranked_; i < ranked_ + count; ++i) ids.push_back(found_[i].row);
    // The rest is asked for while these are compared.
    for (size_t i = 0; i < std::min(count, kRankedAtOnce); ++i) prefetch_vector(rows_, ids[i]);
    scratch_.ranks.resize(count + kRowTile);
    scratch_.exact.rank(rows_, ids.data(), count, scratch_.ranks.data());
    for (size_t i = 0; i < count; ++i) {
      const float rank = scratch_.ranks[i];
      if (learns_) errors_.add(static_cast<double>(rank) - static_cast<double>(found_[ranked_ + i].rank));
      highest_ = std::max(highest_, rank);
      scratch_.hits.offer({rank, ids[i]});
    }
    ranked_ += count;
    scratch_.effort.compare(count, rows_.stride);
  }

  const DenseRows& rows_;
  SearchScratch& scratch_;
  std::vector<IndexHit>& found_;
  bool learns_ = true;
  CodeErrors errors_;  // by how much more than its code says a rank is
  double deviations_;
  double spread_ = 0;  // of the codes' ranks of the first ones
  size_t ranked_ = 0;
  float highest_ = -std::numeric_limits<float>::infinity();
};

}  // namespace elanus
