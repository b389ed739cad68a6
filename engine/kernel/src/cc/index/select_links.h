// Which of the nodes near to a node it is linked to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "walk_codes.h"

namespace elanus {

struct LinkCandidate {
  float rank;  // with the node to be linked as query
  uint32_t node;
  uint32_t row;

  bool operator<(const LinkCandidate& other) const {
    return rank != other.rank ? rank < other.rank : node < other.node;
  }
};

class LinkSelector {
 public:
  explicit LinkSelector(const WalkCodes& codes) : codes_(codes) {}

  // Of candidates in ascending order those that are nearer to `row` than to any before them that was taken, at most
  // `links_max` (algorithm 4 of arXiv 1603.09320). What is left of places goes to the nearest of the others. Returns
  // how many nodes were written to `links`.
  size_t select(uint32_t row, const std::vector<LinkCandidate>& candidates, size_t links_max, uint32_t* links);

 private:
  bool is_nearer_to_taken(const LinkCandidate& candidate, float distance);

  const WalkCodes& codes_;
  WalkQuery query_;
  std::vector<uint32_t> taken_rows_;
  std::vector<uint32_t> passed_over_;
};

}  // namespace elanus
