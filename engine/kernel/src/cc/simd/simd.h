// What every instruction set provides, and how a search asks for it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "elanus/kernel.h"
#include "sparse.h"
#include "walk_loops.h"

namespace elanus {

// Rows come in tiles of a multiple of this many; callers repeat a row pointer to fill the last tile.
inline constexpr size_t kRowTile = 8;
// Prepared queries are followed by zeroes up to a multiple of this many bytes.
inline constexpr size_t kQueryPadding = 64;

// All pairs of some queries and some rows.
struct Tile {
  const uint8_t* queries;  // padded, `query_stride` bytes apart; float32 whatever the float type of the rows
  size_t query_stride;
  size_t query_count;
  const int32_t* query_sums;  // int8 only: the sum of each query's elements
  const uint8_t* const* rows;
  const uint8_t* const* soon;  // as many rows that will be wanted next, where they lie now
  size_t soon_bytes;           // of each of them; 0: nothing is known of what will be wanted
  size_t row_count;            // a multiple of kRowTile
  size_t dim;                  // elements; of binary vectors, bytes
  void* scores;                // float or int32_t, those of query q from q * score_stride on
  size_t score_stride;
};

// Fills `tile.scores`. The score of a pair depends on nothing but the two vectors and the instruction set: one
// vector accumulator, filled in the order of the dimensions, summed across its lanes in one order.
using ScoreTile = void (*)(const Tile& tile);

// Squared length of one row. Sum in double precision for floats, exact for the others (bits: how many are set).
using SquareNorm = double (*)(const uint8_t* row, size_t dim);

// Writes `dim` elements as float32.
using Widen = void (*)(const uint8_t* vector, size_t dim, float* out);

// A query, and kRowTile stretches of rows that stand one behind the other.
struct FloatRun {
  const uint8_t* query;  // padded float32
  const uint8_t* rows;
  size_t row_bytes;
  size_t stretch_bytes;  // from the first row of a stretch to that of the next
  size_t row_count;      // of each stretch
  size_t dim;
};

// scores[kRowTile * i + s]: what ScoreTile says of the query and row i of stretch s, to the bit.
using ScoreRun = void (*)(const FloatRun& run, float* scores);

struct FloatLoops {
  ScoreTile dot;
  ScoreTile square_distance;
  ScoreRun dot_run;
  ScoreRun square_distance_run;
  SquareNorm square_norm;
  Widen widen;
};

// What is known of a row beside its code: the row is about `scale` times its code, which is `length` long, and the
// row's true place is at most `lost` away.
struct CodeFactors {
  float scale;
  float length;
  float lost;
};
static_assert(sizeof(CodeFactors) == ELANUS_CODE_FACTORS * sizeof(float));

// Writes the code of one float32 row, of `dim` elements.
using Encode = CodeFactors (*)(const uint8_t* row, size_t dim, int8_t* code);

struct Int8Loops {
  ScoreTile dot;
  SquareNorm square_norm;
};

// Rows of bits that stand one behind the other, and a query.
struct BitRun {
  const uint8_t* query;  // padded
  const uint8_t* rows;
  const uint8_t* soon;  // as many rows that will be wanted next
  size_t row_bytes;
  size_t row_count;  // a multiple of kRowTile
};

// ranks[i]: in how many bits the query and the i-th row differ.
using RankRun = void (*)(const BitRun& run, float* ranks);

// The same of rows that are read at kRowTile places at once: each place has a stretch of so many rows, one stretch behind
// the other.
struct BitStretches {
  const uint8_t* query;  // padded
  const uint8_t* rows;
  size_t stretch;
  const uint8_t* then;  // rows in stretches, too, that will be wanted next
  size_t then_stretch;
  size_t row_bytes;
};

// ranks[kRowTile * i + place] of the i-th row of that place's stretch.
using RankStretches = void (*)(const BitStretches& run, float* ranks);

// And of rows that stand side by side, kBlockRows in a block: their first words of 32 bits, then their second ones.
inline constexpr size_t kBlockRows = 16;
struct BitBlocks {
  const uint8_t* query;  // padded
  const uint32_t* words;
  size_t words_per_row;  // what is beyond the end of a row is 0, in the query as well
  size_t blocks;
};

// ranks[kBlockRows * block + i] of the i-th row of a block.
using RankBlocks = void (*)(const BitBlocks& run, float* ranks);

// Writes which of `count` numbers are at most `most`, ascending, and returns how many they are.
// REQUIRES: `found` has room for kFoundSlack more than `count`; what is written there means nothing.
inline constexpr size_t kFoundSlack = 16;
using FindAtMost = size_t (*)(const float* numbers, size_t count, float most, uint32_t* found);

struct BitLoops {
  ScoreTile and_count;
  ScoreTile xor_count;
  SquareNorm square_norm;
  RankRun rank_run;
  RankStretches rank_stretches;
  RankBlocks rank_blocks;
  FindAtMost find_at_most;
};

// Reads every byte, from four places at a time, and returns something that depends on it.
// REQUIRES: size is a multiple of kReadStep.
inline constexpr size_t kReadStreams = 4;
inline constexpr size_t kReadStep = kReadStreams * 128;
using ReadAll = uint64_t (*)(const uint8_t* bytes, size_t size);

}  // namespace elanus

struct ElanusSimd {
  const char* name;
  elanus::FloatLoops float32;
  elanus::FloatLoops float16;
  elanus::FloatLoops bfloat16;
  elanus::Int8Loops int8;
  elanus::BitLoops bits;
  elanus::ReadAll read_all;
  elanus::Encode encode;
  elanus::WalkLoops walk;
  elanus::SparseLoops sparse;
};
