#include "select_links.h"

#include <algorithm>

namespace elanus {

bool LinkSelector::is_nearer_to_taken(const LinkCandidate& candidate, float distance) {
  if (taken_rows_.empty()) return false;
  codes_.prepare_row(candidate.row, &query_);
  const float addend = codes_.addend(candidate.row);
  float ranks[kRowTile];
  for (size_t first = 0; first < taken_rows_.size(); first += kRowTile) {
    const size_t count = std::min(kRowTile, taken_rows_.size() - first);
    codes_.score(query_, taken_rows_.data() + first, count, ranks);
    // Not farther either: of equal rows one is enough, the others would leave no link for the way out.
    for (size_t i = 0; i < count; ++i) {
      if (ranks[i] + addend <= distance) return true;
    }
  }
  return false;
}

size_t LinkSelector::select(uint32_t row, const std::vector<LinkCandidate>& candidates, size_t links_max,
                            uint32_t* links) {
  const float addend = codes_.addend(row);
  taken_rows_.clear();
  passed_over_.clear();
  size_t count = 0;
  for (const LinkCandidate& candidate : candidates) {
    if (count == links_max) break;
    if (is_nearer_to_taken(candidate, candidate.rank + addend)) {
      passed_over_.push_back(candidate.node);
      continue;
    }
    taken_rows_.push_back(candidate.row);
    links[count++] = candidate.node;
  }
  for (size_t i = 0; i < passed_over_.size() && count < links_max; ++i) links[count++] = passed_over_[i];
  return count;
}

}  // namespace elanus
