// What searches of an index take as a rule: learnt when it is built, for the choice between walk and scan.
#pragma once

#include <cstddef>

namespace elanus {

// How much a walk compares is a matter of the rows: in a cluster of some hundred it ends when all have been met. And
// where rows are crowded, a scan of short codes learns from the vectors that it has to go through the codes once more.
struct UsualSearch {
  float first;  // rows that a walk compares whatever its `ef`
  float each;   // and more of them for each of the `ef`
  float scans;  // how often a scan of short codes goes through them, from 1 to 2

  // Measured on three data sets: 350 rows to begin with, 11 more for each at degree 32.
  static UsualSearch of_degree(size_t degree) {
    return {11 * static_cast<float>(degree), 0.35f * static_cast<float>(degree), 1};
  }

  // Where any row is as likely to be allowed as any other.
  double rows_walked(double ef, double allowed_share) const {
    return static_cast<double>(first) + static_cast<double>(each) * ef / allowed_share;
  }

  // Whether a file may say so.
  bool is_sound() const {
    constexpr float kFirstMax = 1 << 30;
    constexpr float kEachMax = 1 << 16;
    return first >= 0 && first <= kFirstMax && each >= 0 && each <= kEachMax && scans >= 1 && scans <= 2;
  }
};

}  // namespace elanus
