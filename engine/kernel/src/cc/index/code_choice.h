// Which codes suit the data, found out by trying them on a sample.
#pragma once

#include <functional>

#include "fast_records.h"

namespace elanus {

struct FastCodes {
  RowCode row_code;
  NeighbourCode neighbour_code;
};

// The mean of the rows as the reader gives them, or of a sample when there are many.
AlignedVector<float> mean_of(const RowReader& reader, const DenseRows& rows, uint64_t seed);

// The same for the same arguments, whatever `threads`; void when cancelled.
FastCodes choose_codes(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const Graph& graph,
                       const float* mean, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

// What a row is coded as a neighbour of; null: the row is not to be looked at.
using OriginOfRow = std::function<const float*(uint32_t row)>;

// The code for rows that are scanned: as if they were neighbours of their origins.
struct ScanCodeChoice {
  NeighbourCode code;
  // How far off, as a rule, the product is of a row and a query of length 1, both less the origin.
  float error;
};
ScanCodeChoice choose_scan_code(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows,
                                const OriginOfRow& origin_of, uint64_t seed, uint32_t threads,
                                const std::atomic<bool>* cancelled);

// The code of at most so many places, which divide the dimension: products, or levels where they err less.
NeighbourCode learn_digit_code(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows,
                               const OriginOfRow& origin_of, uint32_t places, uint64_t seed, uint32_t threads,
                               const std::atomic<bool>* cancelled);

}  // namespace elanus
