// How far ranks by codes are from those by vectors.
#pragma once

#include <cmath>
#include <cstddef>

namespace elanus {

// Mean and deviation of errors that come one by one: by how much more than its code says a rank is.
class CodeErrors {
 public:
  // What is no number does not count.
  void add(double error) {
    if (!std::isfinite(error)) return;
    sum_ += error;
    square_sum_ += error * error;
    ++count_;
  }

  size_t count() const { return count_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  double deviation() const {
    if (count_ == 0) return 0;
    return std::sqrt(std::fmax(0, square_sum_ / static_cast<double>(count_) - mean() * mean()));
  }

 private:
  double sum_ = 0;
  double square_sum_ = 0;
  size_t count_ = 0;
};

}  // namespace elanus
