// Whether fewer coordinates keep the order of near neighbours, found out on a few rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "principal_axes.h"

namespace elanus {

// What the axes hold of all that vectors differ in says little of it: where clusters lie far apart it is nearly all of
// their distances and nothing of what tells the rows of one cluster apart.
class NeighbourOrder {
 public:
  // Looks for the nearest of some rows by their vectors, among all rows or a million of them. Void when cancelled.
  // REQUIRES: `axes` and `mean` (as rows are read) outlive it.
  NeighbourOrder(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, const float* mean,
                 const PrincipalAxes& axes, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

  // How many of the ten nearest rows are among the first twenty of a hundred near ones when those are ordered by the
  // first `axis_count` coordinates; 1 of too few rows to tell. Counts must not fall from call to call.
  double kept(size_t axis_count);

 private:
  // A row in the role of a query (first) and the rows nearest to it, nearest first.
  struct Probe {
    std::vector<float> centred;      // (1 + near) * dim
    std::vector<float> coordinates;  // (1 + near) * axes so far, by row
    std::vector<float> known;        // of each near row, the part of its rank that no axis is needed for
  };

  void extend(Probe* probe, size_t axis_count) const;
  double kept_of(const Probe& probe, size_t axis_count) const;

  ElanusMetric metric_;
  const PrincipalAxes& axes_;
  size_t dim_;
  uint32_t threads_;
  const std::atomic<bool>* cancelled_;
  size_t axis_count_ = 0;
  std::vector<Probe> probes_;
};

}  // namespace elanus
