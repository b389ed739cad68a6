#include "select_links.h"

#include <algorithm>

namespace elanus {
namespace {

// Candidates that are looked at together: as a rule the nearest fill all places, or rule nearly all others out.
constexpr size_t kFirstWindow = 32;

}  // namespace

void LinkSelector::take(const LinkCandidate& candidate, size_t number) {
  if (taken_.size() <= number) taken_.resize(number + 1);
  codes_.prepare_row(candidate.row, &taken_[number].query);
  taken_[number].addend = codes_.addend(candidate.row);
}

// Leaves out those of the candidates from `first` on that are not farther from `taken` than from the row: of equal rows one
// is enough, the others would leave no link for the way out. Those before `first` go as well.
void LinkSelector::pass_over_nearer_to(const Taken& taken, size_t first) {
  const size_t count = left_.size() - first;
  ranks_.resize((count + kRowTile - 1) / kRowTile * kRowTile);
  codes_.score(taken.query, rows_.data() + first, count, ranks_.data());
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    left_[kept] = left_[first + i];
    rows_[kept] = rows_[first + i];
    distances_[kept] = distances_[first + i];
    kept += !(ranks_[i] + taken.addend <= distances_[kept]);
  }
  left_.resize(kept);
}

size_t LinkSelector::select(uint32_t row, const std::vector<LinkCandidate>& candidates, size_t links_max,
                            uint32_t* links) {
  const float addend = codes_.addend(row);
  is_taken_.assign(candidates.size(), false);
  size_t count = 0;
  for (size_t begin = 0, window = kFirstWindow; begin < candidates.size() && count < links_max;) {
    const size_t end = std::min(begin + window, candidates.size());
    left_.clear();
    rows_.resize(end - begin);
    distances_.resize(end - begin);
    for (size_t i = begin; i < end; ++i) {
      left_.push_back(static_cast<uint32_t>(i));
      rows_[i - begin] = candidates[i].row;
      distances_[i - begin] = candidates[i].rank + addend;
    }
    for (size_t t = 0; t < count && !left_.empty(); ++t) pass_over_nearer_to(taken_[t], 0);
    while (!left_.empty() && count < links_max) {
      const LinkCandidate& nearest = candidates[left_[0]];
      take(nearest, count);
      is_taken_[left_[0]] = true;
      links[count] = nearest.node;
      pass_over_nearer_to(taken_[count++], 1);
    }
    begin = end;
    window *= 2;
  }
  for (size_t i = 0; i < candidates.size() && count < links_max; ++i) {
    if (!is_taken_[i]) links[count++] = candidates[i].node;
  }
  return count;
}

}  // namespace elanus
