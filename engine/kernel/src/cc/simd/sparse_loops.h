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

// A term of the query that the block has.
struct FoundTerm {
  uint32_t mask;
  uint32_t value;
  float weight;
};

// Looks up where the values of the terms at `places` are; those that are not what they seem are left out.
ELANUS_INLINE size_t read_places(const SparseBlock& block, const SparseTerms& query, uint32_t base,
                                 const uint32_t* places, size_t count, uint32_t* term, FoundTerm* found) {
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t place = places[i];
    const uint32_t id = base + block.terms[place];
    while (*term < query.count && query.ids[*term] < id) ++*term;
    if (*term == query.count || query.ids[*term] != id) continue;
    const uint32_t mask = block.masks[place];
    const uint32_t value = block.value_starts[place / kSparseTermGroup] + values_before(block.masks, place);
    if (value > block.value_count || static_cast<uint32_t>(__builtin_popcount(mask)) > block.value_count - value)
      continue;
    found[kept++] = {mask, value, query.weights[*term]};
  }
  return kept;
}

// Terms of a block that are looked at before the values of those that were found.
constexpr uint32_t kTermsAtOnce = 256;

// `find(terms, count, bits, base, first, places)` writes the places, from `first` on, of those terms whose bit is set,
// and up to kSparseTermGroup numbers more; it returns how many there are. `Scores` adds as RowScores.
template <class Scores, class Find>
ELANUS_INLINE uint32_t score_block(const SparseBlock& block, const SparseTerms& query, float* scores,
                                   const Find& find) {
  Scores sums(block, query);
  uint32_t rows = 0;
  uint32_t at = 0;
  uint32_t term = 0;
  uint32_t places[kTermsAtOnce + kSparseTermGroup];
  FoundTerm found[kTermsAtOnce];
  for (uint32_t s = 0; s < block.segment_count; ++s) {
    const SparseSegment segment = block.segments[s];
    if (segment.end > block.term_count || segment.base >= query.bits_end) break;
    while (at < segment.end) {
      const uint32_t count = segment.end - at < kTermsAtOnce ? segment.end - at : kTermsAtOnce;
      const size_t places_count = find(block.terms + at, count, query.bits, segment.base, at, places);
      const size_t found_count = read_places(block, query, segment.base, places, places_count, &term, found);
      for (size_t i = 0; i < found_count; ++i) {
        rows |= found[i].mask;
        sums.add(found[i].mask, found[i].value, found[i].weight);
      }
      at += count;
    }
  }
  sums.write(scores);
  return rows;
}

}  // namespace
}  // namespace elanus
