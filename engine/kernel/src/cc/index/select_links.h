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
  // A node that was taken, in the role of a query.
  struct Taken {
    WalkQuery query;
    float addend = 0;
  };

  void take(const LinkCandidate& candidate, size_t number);
  void pass_over_nearer_to(const Taken& taken, size_t first);

  const WalkCodes& codes_;
  std::vector<Taken> taken_;
  // Of the candidates that are being looked at and may still be taken: which they are, and how far from the row.
  std::vector<uint32_t> left_;
  std::vector<uint32_t> rows_;
  std::vector<float> distances_;
  std::vector<float> ranks_;
  std::vector<bool> is_taken_;
};

}  // namespace elanus
