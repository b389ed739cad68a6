// What the bit-counting loops of all instruction sets share beside the register tile: rows that stand one behind the other.
#pragma once

#include "tile.h"

namespace elanus {
namespace {

// So far ahead of what is compared the rows of a stretch are asked for.
inline constexpr size_t kStretchAheadBytes = 1024;

// The ranks of kRowTile rows that stand `apart` bytes from each other.
template <class Op>
ELANUS_INLINE void rank_tile(const uint8_t* query, const uint8_t* rows, size_t apart, size_t row_bytes, float* ranks) {
  typename Op::Acc acc[kRowTile];
#pragma GCC unroll 16
  for (size_t r = 0; r < kRowTile; ++r) acc[r] = Op::zero();
  const size_t whole = row_bytes / Op::kRowStep * Op::kRowStep;
  for (size_t at = 0; at < whole; at += Op::kRowStep) {
    const typename Op::Query query_part = Op::query(query + at);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRowTile; ++r) acc[r] = Op::accumulate(acc[r], query_part, Op::row(rows + r * apart + at));
  }
  if (whole < row_bytes) {
    const typename Op::Query query_part = Op::query(query + whole);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRowTile; ++r)
      acc[r] = Op::accumulate(acc[r], query_part, Op::row_tail(rows + r * apart + whole, row_bytes - whole));
  }
  alignas(64) int32_t bits[kRowTile];
  Op::template reduce<kRowTile>(acc, bits);
  for (size_t r = 0; r < kRowTile; ++r) ranks[r] = static_cast<float>(bits[r]);
}

template <class Op, size_t RowBytes>
ELANUS_INLINE void rank_tiles(const BitRun& run, float* ranks) {
  const size_t row_bytes = RowBytes == 0 ? run.row_bytes : RowBytes;
  for (size_t r = 0; r + kRowTile <= run.row_count; r += kRowTile) {
    rank_tile<Op>(run.query, run.rows + r * row_bytes, row_bytes, row_bytes, ranks + r);
    const uint8_t* const soon = run.soon + r * row_bytes;
#pragma GCC unroll 16
    for (size_t at = 0; at < kRowTile * row_bytes; at += 64) __builtin_prefetch(soon + at);
  }
}

template <class Op>
void rank_run(const BitRun& run, float* ranks) {
  // Where a row is one step the compiler knows where each of them is.
  if (run.row_bytes == 64)
    rank_tiles<Op, 64>(run, ranks);
  else
    rank_tiles<Op, 0>(run, ranks);
}

// A row at each place, into the second-level cache.
ELANUS_INLINE void ask_for_places(const uint8_t* rows, size_t apart, size_t row_bytes) {
  for (size_t at = 0; at < row_bytes; at += 64) {
#pragma GCC unroll 16
    for (size_t r = 0; r < kRowTile; ++r) __builtin_prefetch(rows + r * apart + at, 0, 2);
  }
}

template <class Op, size_t RowBytes>
ELANUS_INLINE void rank_places(const BitStretches& run, float* ranks) {
  const size_t row_bytes = RowBytes == 0 ? run.row_bytes : RowBytes;
  const size_t apart = run.stretch * row_bytes;
  const size_t rows_ahead = (kStretchAheadBytes + row_bytes - 1) / row_bytes;
  const size_t ahead = rows_ahead < run.stretch ? rows_ahead : run.stretch;
  const size_t inside = run.stretch - ahead;
  const uint8_t* rows = run.rows;
  for (size_t i = 0; i < run.stretch; ++i, rows += row_bytes) {
    rank_tile<Op>(run.query, rows, apart, row_bytes, ranks + i * kRowTile);
    if (i < inside)
      ask_for_places(rows + ahead * row_bytes, apart, row_bytes);
    else
      ask_for_places(run.then + (i - inside) * row_bytes, run.then_stretch * row_bytes, row_bytes);
  }
}

template <class Op>
void rank_stretches(const BitStretches& run, float* ranks) {
  if (run.row_bytes == 64)
    rank_places<Op, 64>(run, ranks);
  else
    rank_places<Op, 0>(run, ranks);
}

// Words of a row whose numbers of bits are added up in bytes before these might overflow.
inline constexpr size_t kWordsInBytes = 31;

// In the compiler's own vectors: bits are counted in pairs, in halves of bytes and in bytes, these of many words.
inline void rank_blocks(const BitBlocks& run, float* ranks) {
  typedef uint32_t Words __attribute__((vector_size(4 * kBlockRows)));
  for (size_t block = 0; block < run.blocks; ++block) {
    const uint32_t* const rows = run.words + block * run.words_per_row * kBlockRows;
    Words sum = {};
    for (size_t first = 0; first < run.words_per_row; first += kWordsInBytes) {
      const size_t rest = run.words_per_row - first;
      const size_t end = first + (rest < kWordsInBytes ? rest : kWordsInBytes);
      Words bytes = {};
      for (size_t w = first; w < end; ++w) {
        uint32_t query;
        memcpy(&query, run.query + 4 * w, sizeof query);
        Words bits;
        memcpy(&bits, rows + w * kBlockRows, sizeof bits);
        bits ^= query;
        bits -= (bits >> 1) & 0x55555555;
        bits = (bits & 0x33333333) + ((bits >> 2) & 0x33333333);
        bytes += (bits + (bits >> 4)) & 0x0f0f0f0f;
      }
      const Words pairs = (bytes & 0x00ff00ff) + ((bytes >> 8) & 0x00ff00ff);
      sum += (pairs & 0xffff) + (pairs >> 16);
    }
    for (size_t i = 0; i < kBlockRows; ++i) ranks[block * kBlockRows + i] = static_cast<float>(static_cast<int32_t>(sum[i]));
  }
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
