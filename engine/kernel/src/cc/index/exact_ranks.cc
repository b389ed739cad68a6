#include "exact_ranks.h"

#include <algorithm>
#include <cstring>

#include "row_reader.h"

namespace elanus {
namespace {

constexpr size_t kRowsAtOnce = 8 * kRowTile;
// Of each row that comes next; the machine itself asks for the rest.
constexpr size_t kPrefetchedBytes = 4096;

}  // namespace

// Prepares queries as Scanner does, in scan.cc.
void ExactRanks::begin(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim,
                       const uint8_t* query) {
  type_ = type;
  metric_ = metric;
  dim_ = dim;
  square_norm_ = square_norm_loop(simd, type);
  const FloatLoops* const loops = float_loops_of(simd, type);
  const size_t bytes = loops == nullptr ? dim : dim * sizeof(float);
  query_.assign((bytes + kQueryPadding - 1) / kQueryPadding * kQueryPadding, 0);
  if (loops != nullptr) {
    score_ = metric == ELANUS_L2 ? loops->square_distance : loops->dot;
    RowReader(simd, type, metric, dim).read(query, reinterpret_cast<float*>(query_.data()));
    return;
  }
  score_ = simd.int8.dot;
  std::memcpy(query_.data(), query, dim);
  query_norm_ = square_norm_(query, dim);
  if (metric == ELANUS_COSINE) query_norm_ = inverse_length(query_norm_);
  query_sum_ = 0;
  for (uint32_t d = 0; d < dim; ++d) query_sum_ += static_cast<int8_t>(query[d]);
}

void ExactRanks::rank(const DenseRows& rows, const uint32_t* ids, size_t count, float* ranks) const {
  const uint8_t* at[2 * kRowsAtOnce];
  for (size_t first = 0; first < count; first += kRowsAtOnce) {
    const size_t left = count - first;
    for (size_t i = 0; i < 2 * kRowsAtOnce; ++i) at[i] = rows.at(ids[first + std::min(i, left - 1)]);
    const size_t here = std::min(left, kRowsAtOnce);
    score_({.queries = query_.data(),
            .query_stride = query_.size(),
            .query_count = 1,
            .query_sums = &query_sum_,
            .rows = at,
            .soon = at + kRowTile,
            .soon_bytes = std::min(rows.stride, kPrefetchedBytes),
            .row_count = (here + kRowTile - 1) / kRowTile * kRowTile,
            .dim = dim_,
            .scores = ranks + first,
            .score_stride = kRowsAtOnce});
    to_ranks(rows, ids + first, here, ranks + first);
  }
}

// Turns scores into ranks as Scanner does.
void ExactRanks::to_ranks(const DenseRows& rows, const uint32_t* ids, size_t count, float* scores) const {
  if (type_ != ELANUS_INT8) {
    if (metric_ == ELANUS_L2) return;
    for (size_t i = 0; i < count; ++i)
      scores[i] = metric_ == ELANUS_IP ? -scores[i] : -clamp_cosine(scores[i] * rows.inverse_norms[ids[i]]);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    int32_t integer;
    std::memcpy(&integer, &scores[i], sizeof integer);
    const auto dot = static_cast<double>(integer);
    if (metric_ == ELANUS_L2)
      scores[i] = static_cast<float>(query_norm_ + square_norm_(rows.at(ids[i]), dim_) - 2 * dot);
    else if (metric_ == ELANUS_IP)
      scores[i] = static_cast<float>(-dot);
    else
      scores[i] = -clamp_cosine(static_cast<float>(dot * query_norm_ * static_cast<double>(rows.inverse_norms[ids[i]])));
  }
}

}  // namespace elanus
