// What the bit-counting loops of all instruction sets share beside the register tile: rows that stand one behind the other.
#pragma once

#include "tile.h"

namespace elanus {
namespace {

// The ranks of kRowTile rows from `rows` on, `stride` bytes apart.
template <class Op, size_t Stride>
ELANUS_INLINE void rank_tile(const uint8_t* query, const uint8_t* rows, const uint8_t* soon, size_t row_bytes,
                             float* ranks) {
  const size_t stride = Stride == 0 ? row_bytes : Stride;
  typename Op::Acc acc[kRowTile];
#pragma GCC unroll 16
  for (size_t r = 0; r < kRowTile; ++r) acc[r] = Op::zero();
  const size_t whole = stride / Op::kRowStep * Op::kRowStep;
  for (size_t at = 0; at < whole; at += Op::kRowStep) {
    const typename Op::Query query_part = Op::query(query + at);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRowTile; ++r) acc[r] = Op::accumulate(acc[r], query_part, Op::row(rows + r * stride + at));
  }
  if (whole < stride) {
    const typename Op::Query query_part = Op::query(query + whole);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRowTile; ++r)
      acc[r] = Op::accumulate(acc[r], query_part, Op::row_tail(rows + r * stride + whole, stride - whole));
  }
#pragma GCC unroll 16
  for (size_t at = 0; at < kRowTile * stride; at += 64) __builtin_prefetch(soon + at);
  alignas(64) int32_t bits[kRowTile];
  Op::template reduce<kRowTile>(acc, bits);
  for (size_t r = 0; r < kRowTile; ++r) ranks[r] = static_cast<float>(bits[r]);
}

template <class Op, size_t Stride>
ELANUS_INLINE void rank_tiles(const BitRun& run, float* ranks) {
  for (size_t r = 0; r + kRowTile <= run.row_count; r += kRowTile)
    rank_tile<Op, Stride>(run.query, run.rows + r * run.row_bytes, run.soon + r * run.row_bytes, run.row_bytes, ranks + r);
}

template <class Op>
void rank_run(const BitRun& run, float* ranks) {
  // Where a row is one step the compiler knows where each of them is.
  if (run.row_bytes == 64)
    rank_tiles<Op, 64>(run, ranks);
  else
    rank_tiles<Op, 0>(run, ranks);
}

// Branches would be wrong as often as not.
inline size_t find_at_most(const float* ranks, size_t count, float most, uint32_t* found) {
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    found[size] = static_cast<uint32_t>(i);
    size += ranks[i] <= most;
  }
  return size;
}

}  // namespace
}  // namespace elanus
