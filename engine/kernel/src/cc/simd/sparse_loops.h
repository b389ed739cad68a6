// The loops of sparse.h, but for what an instruction set does in its own way. See tile.h for how this is included.
#pragma once

#include <cstring>

#include "sparse.h"
#include "tile.h"

namespace elanus {
namespace {

ELANUS_INLINE uint16_t bound_of(uint32_t impact, uint32_t multiplier) {
  return static_cast<uint16_t>((impact * multiplier >> 8) + 1);
}

void add_list(const uint16_t* blocks, const uint8_t* impacts, size_t count, uint32_t multiplier, uint16_t* bounds) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t& bound = bounds[blocks[i] % kSparseChapterBlocks];
    bound = static_cast<uint16_t>(bound + bound_of(impacts[i], multiplier));
  }
}

// How many values of its group stand before those of term `at`.
ELANUS_INLINE uint32_t values_before(const uint16_t* masks, uint32_t at) {
  const uint32_t terms = at % kSparseTermGroup;
  const uint16_t* const from = masks + (at - terms);
  uint32_t count = 0;
  uint64_t word;
  uint32_t i = 0;
  for (; i + 4 <= terms; i += 4) {
    memcpy(&word, from + i, sizeof word);
    count += static_cast<uint32_t>(__builtin_popcountll(word));
  }
  if (i == terms) return count;
  memcpy(&word, from + i, sizeof word);
  return count + static_cast<uint32_t>(__builtin_popcountll(word & ((uint64_t{1} << 16 * (terms - i)) - 1)));
}

// Scores by rows one after the other.
class RowScores {
 public:
  RowScores(const SparseBlock& block, const SparseTerms& query) : block_(block), is_bm25_(query.is_bm25) {
    for (size_t row = 0; row < kSparseBlockRows; ++row) {
      scores_[row] = 0;
      norms_[row] = is_bm25_ ? query.norm_base + query.norm_slope * block.lengths[row] : 0;
    }
  }

  ELANUS_INLINE void add(uint32_t mask, uint32_t value, float weight) {
    for (; mask != 0; mask &= mask - 1, ++value) {
      const auto row = static_cast<size_t>(__builtin_ctz(mask));
      const float x = block_.are_bytes ? static_cast<float>(static_cast<const uint8_t*>(block_.values)[value])
                                       : static_cast<const float*>(block_.values)[value];
      scores_[row] += is_bm25_ ? weight * (x / (x + norms_[row])) : weight * x;
    }
  }

  ELANUS_INLINE void write(float* scores) const { memcpy(scores, scores_, sizeof scores_); }

 private:
  const SparseBlock& block_;
  const bool is_bm25_;
  float scores_[kSparseBlockRows];
  float norms_[kSparseBlockRows];
};

// `find(terms, base, bits)` says which of kSparseTermGroup terms have their bit set. `Scores` adds as RowScores.
template <class Scores, class Find>
ELANUS_INLINE uint32_t score_block(const SparseBlock& block, const SparseTerms& query, float* scores,
                                   const Find& find) {
  Scores sums(block, query);
  uint32_t rows = 0;
  uint32_t at = 0;
  uint32_t term = 0;
  for (uint32_t s = 0; s < block.segment_count; ++s) {
    const SparseSegment segment = block.segments[s];
    if (segment.end > block.term_count || segment.base >= query.bits_end) break;
    for (; at < segment.end; at += kSparseTermGroup) {
      uint32_t found = find(block.terms + at, segment.base, query.bits);
      if (segment.end - at < kSparseTermGroup) found &= (1u << (segment.end - at)) - 1;
      for (; found != 0; found &= found - 1) {
        const uint32_t place = at + static_cast<uint32_t>(__builtin_ctz(found));
        const uint32_t id = segment.base + block.terms[place];
        while (term < query.count && query.ids[term] < id) ++term;
        if (term == query.count || query.ids[term] != id) continue;
        const uint32_t mask = block.masks[place];
        const uint32_t value = block.value_starts[place / kSparseTermGroup] + values_before(block.masks, place);
        if (value > block.value_count ||
            static_cast<uint32_t>(__builtin_popcount(mask)) > block.value_count - value)
          continue;
        rows |= mask;
        sums.add(mask, value, query.weights[term]);
      }
    }
    at = segment.end;
  }
  sums.write(scores);
  return rows;
}

}  // namespace
}  // namespace elanus
