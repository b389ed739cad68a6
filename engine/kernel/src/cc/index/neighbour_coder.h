// Codes neighbours of rows into blocks, as WalkLoops::estimate reads them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "neighbour_code.h"
#include "ordered_dot.h"

namespace elanus {

// A NeighbourBlock that is being written. Its digits are zeroes to begin with.
struct NeighbourSlots {
  float* added;
  float* factors;
  uint8_t* digits;
};

// One thread's working memory.
class NeighbourCoder {
 public:
  NeighbourCoder(const WalkLoops& loops, const NeighbourCode& code, ElanusMetric metric)
      : loops_(loops),
        code_(code),
        is_l2_(metric == ELANUS_L2),
        row_(code.dim()),
        turned_row_(code.coordinates()),
        edge_(code.dim()),
        turned_edge_(code.coordinates()),
        coded_(code.coordinates()),
        digits_(code.places()) {}

  // The row whose neighbours come next, and the same less the mean.
  void begin(const float* row, const float* centred) {
    std::copy_n(row, code_.dim(), row_.begin());
    code_.turn(loops_, centred, turned_row_.data());
  }

  // A neighbour that is never near.
  static void clear(const NeighbourSlots& slots, size_t slot) {
    slots.added[slot] = std::numeric_limits<float>::infinity();
    slots.factors[slot] = 0;
  }

  // Codes a neighbour; false, and cleared, where the numbers are too large to say anything.
  //
  // The distance of query q and neighbour o of row c, with r = o - c:
  //   L2   |q - o|^2 = |q - c|^2 + |r|^2 - 2 <r, q - c>
  //   IP   -<q, o>   = -<q, c> - <r, c> - <r, q - c>
  // where <r, q - c> is about k <x, q - c>, x being what the digits of r stand for. The product of x and the query
  // comes from tables; that of x and c is known now.
  bool code(const float* neighbour, const NeighbourSlots& slots, size_t slot) {
    clear(slots, slot);
    const size_t dim = code_.dim();
    for (size_t d = 0; d < dim; ++d) edge_[d] = neighbour[d] - row_[d];
    const float square = square_length(edge_.data(), dim);
    const float beside = ordered_dot(edge_.data(), row_.data(), dim);
    const float length = std::sqrt(square);
    if (!std::isfinite(square + beside)) return false;
    const float inverse = length > 1e-30f ? 1 / length : 0;
    for (size_t d = 0; d < dim; ++d) edge_[d] *= inverse;
    code_.turn(loops_, edge_.data(), turned_edge_.data());
    code_.encode(loops_, turned_edge_.data(), digits_.data(), coded_.data());
    for (size_t p = 0; p < code_.places(); ++p) {
      uint8_t& pair = slots.digits[16 * p + slot % 16];
      pair = static_cast<uint8_t>(pair | (slot < 16 ? digits_[p] : digits_[p] << 4));
    }
    const float along = ordered_dot(coded_.data(), turned_edge_.data(), coded_.size());
    const float coded_square = square_length(coded_.data(), coded_.size());
    const bool is_telling = along > 0 && along * along > kSquareCosineMin * coded_square;
    const float k = length * (is_telling ? 1 / along : coded_square > 0 ? along / coded_square : 0);
    const float known = k * ordered_dot(coded_.data(), turned_row_.data(), coded_.size());
    slots.added[slot] = is_l2_ ? square + 2 * known : known - beside;
    slots.factors[slot] = is_l2_ ? -2 * k : -k;
    return true;
  }

 private:
  // Below this, squared, the cosine of an edge and its code says too little to be divided by.
  static constexpr float kSquareCosineMin = 0.05f;

  const WalkLoops& loops_;
  const NeighbourCode& code_;
  const bool is_l2_;
  AlignedVector<float> row_;
  AlignedVector<float> turned_row_;
  AlignedVector<float> edge_;
  AlignedVector<float> turned_edge_;
  AlignedVector<float> coded_;
  std::vector<uint8_t> digits_;
};

}  // namespace elanus
