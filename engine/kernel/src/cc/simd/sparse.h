// What a search of a sparse index asks of an instruction set. Every loop gives the same bits on every machine: sums of
// integers, and float sums in the order of the terms without fused operations.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus {

// Rows of one block: one a lane.
inline constexpr size_t kSparseBlockRows = 16;
// Blocks of one chapter, which have their bounds side by side; and of each of the groups that they are searched by.
inline constexpr size_t kSparseChapterBlocks = 4096;
inline constexpr size_t kSparseGroupBlocks = 64;
// Terms of a block that share one place in `value_starts`.
inline constexpr size_t kSparseTermGroup = 16;
// What is read of `terms` and `values` reaches up to so many bytes beyond their ends.
inline constexpr size_t kSparseSlack = 64;

// Terms of a block up to `end` are `base` + what `terms` says.
struct SparseSegment {
  uint32_t base;
  uint32_t end;
};

// The rows of a block, by term. Nothing of it is trusted but the sizes.
struct SparseBlock {
  const SparseSegment* segments;
  uint32_t segment_count;
  uint32_t term_count;
  const uint16_t* terms;         // ascending within a segment
  const uint16_t* masks;         // by term: which rows have it
  const uint32_t* value_starts;  // by kSparseTermGroup terms: the first of their values
  const void* values;            // by term, then by row: float, or uint8_t
  uint32_t value_count;
  bool are_bytes;
  const float* lengths;  // BM25 only: one a row
};

// The terms of a query that the index has, ascending.
struct SparseTerms {
  const uint32_t* bits;  // one for each term that a block can name, least significant first; kSparseBitsSlack more
  uint32_t bits_end;     // bases of segments beyond it are lies
  // kSparseFolds bits, of which bit i is set when a term is i modulo their number: most other terms are told by it.
  const uint16_t* folded;
  // By a term modulo kSparseFolds the place of one that is the same in `ids`; anything where there is none.
  const uint32_t* places;
  const uint32_t* ids;
  const float* weights;
  uint32_t count;
  bool is_bm25;
  float norm_base;
  float norm_slope;
};
inline constexpr size_t kSparseBitsSlack = 0x10000;
inline constexpr size_t kSparseFolds = 2048;

struct SparsePeak {
  uint32_t bound;
  uint32_t at;
};

struct SparseLoops {
  // Adds (impact * multiplier >> 8) + 1 to the bound of each listed block.
  void (*add_list)(const uint16_t* blocks, const uint8_t* impacts, size_t count, uint32_t multiplier, uint16_t* bounds);
  // The same for the impacts of all blocks of a chapter, those of 0 left out. REQUIRES: multiplier < 65536.
  void (*add_all)(const uint8_t* impacts, uint32_t multiplier, uint16_t* bounds);
  // The first of the highest of kSparseGroupBlocks bounds.
  SparsePeak (*find_peak)(const uint16_t* bounds);
  // Writes kSparseBlockRows scores, in the order of the terms. Returns the rows that have any term.
  uint32_t (*score)(const SparseBlock& block, const SparseTerms& query, float* scores);
};

}  // namespace elanus
