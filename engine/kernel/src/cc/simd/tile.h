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

// Asks for rows before they are wanted, in the order in which they lie in memory: one stream for the machine to
// follow, and few pages at a time.
template <size_t R>
class Prefetcher {
 public:
  ELANUS_INLINE Prefetcher(const uint8_t* const* rows, size_t row_bytes) : rows_(rows), row_bytes_(row_bytes) {}

  // The next bytes; what is beyond the last row harms nobody.
  template <size_t Bytes>
  ELANUS_INLINE void step() {
#pragma GCC unroll 8
    for (size_t i = 0; i < Bytes; i += 64) __builtin_prefetch(rows_[row_] + at_ + i, 0, kReadOnce);
    at_ += Bytes;
    if (at_ < row_bytes_) return;
    at_ = 0;
    if (row_ + 1 < R) ++row_;
  }

 private:
  // Leaves the outer caches to what is read more than once.
  static constexpr int kReadOnce = 0;

  const uint8_t* const* rows_;
  size_t row_bytes_;
  size_t row_ = 0;
  size_t at_ = 0;
};

// What a register tile does about the rows after it. Where none are wanted soon it must ask for nothing: what it asked for
// would take the place of what somebody waits for.
enum class Ahead { kNothing, kPrefetch };

template <class Op, size_t Q, size_t R, Ahead A>
ELANUS_INLINE void score_register_tile(const Tile& tile, size_t first_query, size_t first_row) {
  const uint8_t* row[R];
  for (size_t r = 0; r < R; ++r) row[r] = tile.rows[first_row + r];
  [[maybe_unused]] Prefetcher<R> ahead(tile.soon + first_row, tile.soon_bytes);
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
#pragma GCC unroll 16
      for (size_t q = 0; q < Q; ++q) acc[q][r] = Op::accumulate(acc[q][r], query_part[q], row_part);
    }
    if constexpr (A == Ahead::kPrefetch) ahead.template step<R * Op::kRowStep>();
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

// Asks for R of the rows that are wanted soon, a part of each at a call, all of them in `parts` calls.
template <size_t R>
ELANUS_INLINE void prefetch_part(const Tile& tile, size_t first_row, size_t part, size_t parts) {
  const size_t lines = (tile.soon_bytes + 63) / 64;
  const size_t begin = lines * part / parts * 64;
  const size_t end = lines * (part + 1) / parts * 64;
  for (size_t at = begin; at < end; at += 64) {
    for (size_t r = 0; r < R; ++r) __builtin_prefetch(tile.soon[first_row + r] + at, 0, 2);
  }
}

// From this many wide tiles on, there is time to spread the prefetching over all of them.
inline constexpr size_t kSpreadTilesMin = 5;

// The rows of a register tile stay in the first-level cache while the queries stream by from the second.
template <class Op>
void score_many(const Tile& tile) {
  constexpr size_t Q = Op::kQueries;
  constexpr size_t R = Op::kRows;
  const size_t wide_tiles = tile.query_count / Q;
  const bool asks_at_once = tile.soon_bytes > 0 && wide_tiles < kSpreadTilesMin;
  for (size_t r = 0; r < tile.row_count; r += R) {
    for (size_t t = 0; t < wide_tiles; ++t) {
      if (wide_tiles >= kSpreadTilesMin) prefetch_part<R>(tile, r, t, wide_tiles);
      if (asks_at_once && t == 0)
        score_register_tile<Op, Q, R, Ahead::kPrefetch>(tile, 0, r);
      else
        score_register_tile<Op, Q, R, Ahead::kNothing>(tile, t * Q, r);
    }
    size_t q = wide_tiles * Q;
    if constexpr (Q > 2) {
      // Two queries alone are the codes of one: see screen.h.
      if (tile.query_count == 2 && asks_at_once)
        score_register_tile<Op, 2, R, Ahead::kPrefetch>(tile, 0, r);
      else if (tile.query_count - q == 2)
        score_register_tile<Op, 2, R, Ahead::kNothing>(tile, q, r);
      if (tile.query_count - q == 2) continue;
    }
    for (; q < tile.query_count; ++q) score_register_tile<Op, 1, R, Ahead::kNothing>(tile, q, r);
  }
}

template <class Op>
void score_tile(const Tile& tile) {
  if (tile.query_count > 1) return score_many<Op>(tile);
  const bool asks = tile.soon_bytes > 0;
  for (size_t r = 0; r < tile.row_count; r += kRowTile) {
    if (asks)
      score_register_tile<Op, 1, kRowTile, Ahead::kPrefetch>(tile, 0, r);
    else
      score_register_tile<Op, 1, kRowTile, Ahead::kNothing>(tile, 0, r);
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
