// The loop that all instruction sets share: a register tile of queries x rows, one accumulator a pair.
//
// Included by one file per kernel and instruction set, each compiled with its own machine flags. Everything is in an
// anonymous namespace, and nothing of the standard library that could be emitted out of line is used, so that the
// linker can never pick wide instructions for code that runs on every machine.
#pragma once

#include <cstring>

#include "simd.h"

namespace elanus {
namespace {

#define ELANUS_INLINE inline __attribute__((always_inline))
#define ELANUS_INLINE_LAMBDA __attribute__((always_inline))

// An `Op` has
//   Acc, Query, Row       vector types
//   Out                   float or int32_t
//   kRowStep, kQueryStep  bytes consumed a step
//   kElements             elements a step
//   kRows, kQueries       shape of the register tile when there are several queries
//   zero(), query(bytes), row(bytes), row_tail(bytes, size), accumulate(acc, query, row)
//   reduce<R>(acc, out)   the sum across lanes of each of R accumulators

enum class Prefetch { kNone, kNextTile };

template <class Op, size_t Q, size_t R, Prefetch P>
ELANUS_INLINE void score_register_tile(const Tile& tile, size_t first_query, size_t first_row) {
  const uint8_t* row[R];
  const uint8_t* next[R];
  for (size_t r = 0; r < R; ++r) {
    row[r] = tile.rows[first_row + r];
    next[r] = tile.rows[first_row + R + r];
  }
  const uint8_t* query = tile.queries + first_query * tile.query_stride;
  const size_t stride = tile.query_stride;

  typename Op::Acc acc[Q][R];
#pragma GCC unroll 16
  for (size_t q = 0; q < Q; ++q) {
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) acc[q][r] = Op::zero();
  }

  const size_t steps = tile.dim / Op::kElements;
  size_t row_at = 0;
  size_t query_at = 0;
  for (size_t step = 0; step < steps; ++step) {
    typename Op::Query query_part[Q];
#pragma GCC unroll 16
    for (size_t q = 0; q < Q; ++q) query_part[q] = Op::query(query + q * stride + query_at);
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
      const typename Op::Row row_part = Op::row(row[r] + row_at);
      if constexpr (P == Prefetch::kNextTile) __builtin_prefetch(next[r] + row_at, 0, 2);
#pragma GCC unroll 16
      for (size_t q = 0; q < Q; ++q) acc[q][r] = Op::accumulate(acc[q][r], query_part[q], row_part);
    }
    row_at += Op::kRowStep;
    query_at += Op::kQueryStep;
  }
  const size_t rest = tile.dim - steps * Op::kElements;
  if (rest != 0) {
    const size_t rest_bytes = rest * (Op::kRowStep / Op::kElements);
    typename Op::Query query_part[Q];
#pragma GCC unroll 16
    for (size_t q = 0; q < Q; ++q) query_part[q] = Op::query(query + q * stride + query_at);
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
      const typename Op::Row row_part = Op::row_tail(row[r] + row_at, rest_bytes);
#pragma GCC unroll 16
      for (size_t q = 0; q < Q; ++q) acc[q][r] = Op::accumulate(acc[q][r], query_part[q], row_part);
    }
  }

  typename Op::Out* out = static_cast<typename Op::Out*>(tile.scores) + first_query * tile.score_stride + first_row;
#pragma GCC unroll 16
  for (size_t q = 0; q < Q; ++q) Op::template reduce<R>(acc[q], out + q * tile.score_stride);
}

inline constexpr size_t kPrefetchTilesMax = 16;

// Asks for the rows after `first_row + R`, a part of each at a call, all of them in `parts` calls.
template <size_t R>
ELANUS_INLINE void prefetch_part(const Tile& tile, size_t first_row, size_t part, size_t parts) {
  const size_t lines = (tile.row_bytes + 63) / 64;
  const size_t begin = lines * part / parts * 64;
  const size_t end = lines * (part + 1) / parts * 64;
  for (size_t at = begin; at < end; at += 64) {
    for (size_t r = 0; r < R; ++r) __builtin_prefetch(tile.rows[first_row + R + r] + at, 0, 2);
  }
}

template <class Op>
void score_tile(const Tile& tile) {
  if (tile.query_count == 1) {
    for (size_t r = 0; r < tile.row_count; r += kRowTile)
      score_register_tile<Op, 1, kRowTile, Prefetch::kNextTile>(tile, 0, r);
    return;
  }
  // The rows of a tile stay in the first-level cache while the queries stream by from the second.
  const size_t wide_tiles = tile.query_count / Op::kQueries;
  const size_t tiles = wide_tiles + tile.query_count % Op::kQueries;
  // Not earlier than that: the queries would push the coming rows out of the cache again.
  const size_t prefetching = tiles < kPrefetchTilesMax ? tiles : kPrefetchTilesMax;
  for (size_t r = 0; r < tile.row_count; r += Op::kRows) {
    for (size_t t = 0; t < tiles; ++t) {
      if (t >= tiles - prefetching) prefetch_part<Op::kRows>(tile, r, t - (tiles - prefetching), prefetching);
      if (t < wide_tiles)
        score_register_tile<Op, Op::kQueries, Op::kRows, Prefetch::kNone>(tile, t * Op::kQueries, r);
      else
        score_register_tile<Op, 1, Op::kRows, Prefetch::kNone>(tile, wide_tiles * (Op::kQueries - 1) + t, r);
    }
  }
}

// Zero-padded copy of the last `size` bytes of a row, for instruction sets without masked loads.
template <size_t N>
struct Tail {
  alignas(64) uint8_t bytes[N];
  ELANUS_INLINE Tail(const uint8_t* from, size_t size) {
    memset(bytes, 0, N);
    memcpy(bytes, from, size);
  }
};

}  // namespace
}  // namespace elanus
