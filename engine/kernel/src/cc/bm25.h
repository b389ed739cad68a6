// BM25 of one pair of query and row, term by term.
#pragma once

#include <cmath>

#include "elanus/kernel.h"

namespace elanus {

// Every step in float32, so that whoever scores a pair, a scan or an index, gets the same bits: the sum over the
// common terms, in ascending order of dimension, of
//
//   weight * (k1 + 1) * (frequency / (frequency + norm)),  norm = k1 * (1 - b + b * length / average length)
class Bm25 {
 public:
  Bm25() = default;
  // REQUIRES: is_valid(scoring).
  explicit Bm25(const ElanusBm25& scoring)
      : gain_(static_cast<float>(scoring.k1 + 1)),
        norm_base_(static_cast<float>(scoring.k1 * (1 - scoring.b))),
        norm_slope_(static_cast<float>(scoring.k1 * scoring.b / scoring.average_length)) {}

  static bool is_valid(const ElanusBm25& scoring) {
    return scoring.k1 >= 0 && scoring.k1 <= 1000 && scoring.b >= 0 && scoring.b <= 1 &&
           scoring.average_length >= 1e-6 && std::isfinite(scoring.average_length);
  }

  // What a weight of the query is to be multiplied with beforehand.
  float gain() const { return gain_; }
  float norm_base() const { return norm_base_; }
  float norm_slope() const { return norm_slope_; }
  float norm(float length) const { return norm_base_ + norm_slope_ * length; }

 private:
  float gain_ = 1;
  float norm_base_ = 0;
  float norm_slope_ = 0;
};

// The part of one term; `weight` has been multiplied with the gain.
inline float bm25_part(float weight, float frequency, float norm) { return weight * (frequency / (frequency + norm)); }

}  // namespace elanus
