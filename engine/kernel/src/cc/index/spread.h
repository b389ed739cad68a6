// What is known of a number that was measured several times.
#pragma once

#include <algorithm>
#include <cmath>

namespace elanus {

struct Spread {
  double sum = 0;
  double squares = 0;
  double count = 0;

  // Leaves out what is no number.
  void add(double value) {
    if (!std::isfinite(value)) return;
    sum += value;
    squares += value * value;
    count += 1;
  }
  double mean() const { return count == 0 ? 0 : sum / count; }
  double mean_square() const { return count == 0 ? 0 : squares / count; }
  double deviation() const { return std::sqrt(std::max(0.0, mean_square() - mean() * mean())); }
};

}  // namespace elanus
