// Which codes suit the data of a FastGraph, found out by trying them on a sample of its edges.
#pragma once

#include "fast_records.h"

namespace elanus {

struct FastCodes {
  RowCode row_code;
  NeighbourCode neighbour_code;
};

// `mean` is that of all rows as the reader gives them. The same for the same arguments; void when cancelled.
FastCodes choose_codes(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const Graph& graph,
                       const float* mean, uint64_t seed, const std::atomic<bool>* cancelled);

}  // namespace elanus
