// Rows of floats that stand one behind the other, compared with one query: bound by memory alone.
#pragma once

#include "tile.h"

namespace elanus {
namespace {

// Memory is read at eight places at a time, one row of each: while the machine looks up a page of one, or finds out that it is
// to be read on, the others go on. What each will read is asked for this far ahead, for the second-level cache.
inline constexpr size_t kRunAhead = 512;

template <class Op>
void score_run(const FloatRun& run, float* scores) {
  const size_t steps = run.dim / Op::kElements;
  const size_t rest = run.dim - steps * Op::kElements;
  const size_t rest_bytes = rest * (Op::kRowStep / Op::kElements);
  for (size_t i = 0; i < run.row_count; ++i) {
    const uint8_t* row[kRowTile];
    typename Op::Acc acc[kRowTile];
#pragma GCC unroll 8
    for (size_t s = 0; s < kRowTile; ++s) {
      row[s] = run.rows + s * run.stretch_bytes + i * run.row_bytes;
      acc[s] = Op::zero();
    }
    size_t row_at = 0;
    size_t query_at = 0;
    for (size_t step = 0; step < steps; ++step) {
      const typename Op::Query query_part = Op::query(run.query + query_at);
      const bool begins_line = Op::kRowStep >= 64 || row_at % 64 == 0;
#pragma GCC unroll 8
      for (size_t s = 0; s < kRowTile; ++s) {
        // What lies beyond the end harms nobody.
        if (begins_line) __builtin_prefetch(row[s] + row_at + kRunAhead, 0, 2);
        acc[s] = Op::accumulate(acc[s], query_part, Op::row(row[s] + row_at));
      }
      row_at += Op::kRowStep;
      query_at += Op::kQueryStep;
    }
    if (rest != 0) {
      const typename Op::Query query_part = Op::query(run.query + query_at);
#pragma GCC unroll 8
      for (size_t s = 0; s < kRowTile; ++s)
        acc[s] = Op::accumulate(acc[s], query_part, Op::row_tail(row[s] + row_at, rest_bytes));
    }
    Op::template reduce<kRowTile>(acc, scores + kRowTile * i);
  }
}

}  // namespace
}  // namespace elanus
