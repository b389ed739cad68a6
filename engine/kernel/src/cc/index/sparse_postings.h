// The data of a sparse index: which rows have which terms, twice. By term, upper bounds of what it can add to the score
// of any row of a block of 16; by block, the values themselves. Drawn in docs/formats/vector-index.md.
#pragma once

#include <cstdint>
#include <memory>

#include "../bm25.h"
#include "../simd/sparse.h"
#include "elanus/index.h"
#include "huge_array.h"
#include "index_file.h"

namespace elanus {

inline constexpr size_t kSparseChapterRows = kSparseBlockRows * kSparseChapterBlocks;
// A term that is in so many blocks of a chapter has a bound for all of them, fewer are listed.
inline constexpr uint32_t kSparseAllBlocksMin = 512;
// Lists begin at multiples of so many bytes, blocks of rows too.
inline constexpr size_t kSparseListAlignment = 4;
inline constexpr size_t kSparseBlockAlignment = 16;
// The impact of a value is at most this.
inline constexpr uint32_t kSparseImpactMax = 255;

// The blocks of one chapter that have a term: their numbers in the chapter, 16 bits each, then their impacts, 8 bits
// each; or the impacts of all blocks of the chapter. An impact i says that no row of the block has more than
// i / kSparseImpactMax of the term's maximum.
struct SparseList {
  uint32_t at;  // in units of kSparseListAlignment bytes
  uint16_t chapter;
  uint16_t blocks;

  bool has_all() const { return blocks >= kSparseAllBlocksMin; }
  size_t bytes() const { return has_all() ? kSparseChapterBlocks : size_t{blocks} * (sizeof(uint16_t) + 1); }
};

// Where the bytes of a block of rows begin. Behind it, in this order: the segments; value_starts; terms; masks; values.
struct SparseBlockHead {
  uint32_t terms;
  uint32_t values;
  uint32_t segments;
  uint32_t value_bytes;  // 1 or 4
};

// What `maxima` are the maxima of: of an inner product the absolute value; of BM25, by these parameters and the
// average length of the rows of the index, frequency / (frequency + norm).
struct SparsePostings {
  ElanusMetric metric = ELANUS_IP;
  uint32_t rows = 0;
  double total_length = 0;  // of all rows: the sum of all values
  ElanusBm25 bm25{};        // BM25 only

  // By term, which is a number in the order of dimensions.
  HugeArray<uint32_t> dimensions;   // ascending
  HugeArray<uint32_t> frequencies;  // rows that have it
  HugeArray<float> maxima;
  HugeArray<uint32_t> list_starts;  // one more: the first of its lists
  HugeArray<SparseList> lists;      // of each term, by chapter
  HugeArray<uint8_t> list_bytes;

  HugeArray<uint64_t> block_starts;  // one more than there are blocks
  HugeArray<uint8_t> block_bytes;
  HugeArray<float> lengths;  // BM25 only: one a row, filled up to whole blocks

  // What the arrays are views of, when the index was opened.
  std::shared_ptr<const IndexFile> file;

  uint32_t terms() const { return static_cast<uint32_t>(dimensions.size()); }
  uint32_t blocks() const {
    return static_cast<uint32_t>((uint64_t{rows} + kSparseBlockRows - 1) / kSparseBlockRows);
  }
  uint32_t chapters() const {
    return static_cast<uint32_t>((uint64_t{rows} + kSparseChapterRows - 1) / kSparseChapterRows);
  }
  size_t memory_bytes() const;

  // The number of a dimension's term; terms() when there is none.
  uint32_t find(uint32_t dimension) const;
  // Asks for the bytes of a block before they are wanted.
  void prefetch_block(uint32_t block) const;
  // False when the bytes are not those of a block.
  bool read_block(uint32_t block, SparseBlock* out) const;

  void write(IndexFileWriter& writer) const;
  // Reads the sizes of the arrays, and nothing of what they hold: whoever follows a number in them looks where it
  // leads.
  static FileFault open(std::shared_ptr<const IndexFile> file, SparsePostings* postings);
};

// Everything that a block of `head` takes, in bytes.
inline uint64_t sparse_block_bytes(const SparseBlockHead& head) {
  const uint64_t groups = (uint64_t{head.terms} + kSparseTermGroup - 1) / kSparseTermGroup;
  return sizeof head + head.segments * sizeof(SparseSegment) + groups * sizeof(uint32_t) +
         uint64_t{head.terms} * 2 * sizeof(uint16_t) + uint64_t{head.values} * head.value_bytes;
}

}  // namespace elanus
