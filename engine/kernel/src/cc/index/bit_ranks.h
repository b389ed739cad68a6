// Ranks of binary vectors that stand one behind the other: the scores of exact search, bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../aligned.h"
#include "../simd/simd.h"

namespace elanus {

inline size_t words_of_row(size_t row_bytes) { return (row_bytes + 3) / 4; }
inline size_t blocks_of(size_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

class BitRanks {
 public:
  // Makes ready for one query of `dim` bits, which is borrowed for the call. REQUIRES: HAMMING or JACCARD.
  void begin(const ElanusSimd& simd, ElanusMetric metric, uint32_t dim, const uint8_t* query);

  // ranks[i] of the i-th of `count` vectors from `rows` on. `bits_set` has the number of bits of each; of HAMMING it may
  // be null. `ranks` has room for `count` rounded up to kRowTile. Memory is asked for before it is compared, in the end
  // that from `then` on, which is to be compared next.
  void rank(const uint8_t* rows, const uint32_t* bits_set, size_t count, float* ranks, const uint8_t* then) const;

  // How many rows each of kRowTile places has where `count` are read at all of them at once; 0 where they are not: by
  // JACCARD, and of very few. What is left behind them is for `rank`.
  size_t stretch_of(size_t count) const { return metric_ == ELANUS_HAMMING ? count / kRowTile : 0; }

  // Of kRowTile stretches of rows, one behind the other: ranks[kRowTile * i + place] of the i-th row of that place's. `then`
  // is what is to be compared next, in stretches of `then_stretch`. REQUIRES: stretch > 0, from `stretch_of`.
  void rank_stretches(const uint8_t* rows, size_t stretch, float* ranks, const uint8_t* then, size_t then_stretch) const {
    loops_->rank_stretches({query_.data(), rows, stretch, then, then_stretch, bytes_}, ranks);
  }

  // By HAMMING, of rows that `arrange_bits` has arranged: `ranks` has room for `count` rounded up to kBlockRows.
  void rank_arranged(const uint32_t* words, size_t count, float* ranks) const {
    loops_->rank_blocks({query_.data(), words, words_of_row(bytes_), blocks_of(count)}, ranks);
  }

 private:
  void rank_tiles(const uint8_t* rows, size_t count, float* ranks, const uint8_t* then) const;
  void rank_few(const uint8_t* rows, const uint32_t* bits_set, size_t count, float* ranks, const uint8_t* soon) const;
  void as_ranks(const uint32_t* bits_set, size_t count, float* counts) const;

  ElanusMetric metric_{};
  size_t bytes_ = 0;
  const BitLoops* loops_ = nullptr;
  double query_bits_ = 0;
  AlignedVector<uint8_t> query_;
};

// `count` rows side by side, in blocks of kBlockRows.
AlignedVector<uint32_t> arrange_bits(const uint8_t* rows, size_t row_bytes, size_t count);

// How many bits are set in each of `count` vectors of `dim` bits.
void count_bits(const ElanusSimd& simd, uint32_t dim, const uint8_t* rows, size_t count, uint32_t* bits_set);

}  // namespace elanus
