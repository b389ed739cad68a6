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

// By the place of a term in its group, the bits of the group's masks that belong to the terms before it.
struct EarlierBits {
  uint64_t words[kSparseTermGroup][4];

  constexpr EarlierBits() : words{} {
    for (size_t term = 0; term < kSparseTermGroup; ++term) {
      for (size_t before = 0; before < term; ++before) words[term][before / 4] |= uint64_t{0xffff} << 16 * (before % 4);
    }
  }
};
inline constexpr EarlierBits kEarlierBits;

// How many values of its group stand before those of term `at`.
ELANUS_INLINE uint32_t values_before(const uint16_t* masks, uint32_t at) {
  static_assert(kSparseTermGroup == 16 && kSparseTermGroup * sizeof *masks <= kSparseSlack);
  const uint32_t term = at % kSparseTermGroup;
  uint64_t words[4];
  memcpy(words, masks + (at - term), sizeof words);
  int count = 0;
  for (size_t i = 0; i < 4; ++i) count += __builtin_popcountll(words[i] & kEarlierBits.words[term][i]);
  return static_cast<uint32_t>(count);
}

// The place of a term among those of the query, which are `query.count`; that many when it is none of them.
ELANUS_INLINE uint32_t place_of(const SparseTerms& query, uint32_t id) {
  const uint32_t likely = query.places[id % kSparseFolds];
  if (likely < query.count && query.ids[likely] == id) return likely;
  uint32_t low = 0;
  uint32_t high = query.count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (query.ids[middle] < id)
      low = middle + 1;
    else
      high = middle;
  }
  return low < query.count && query.ids[low] == id ? low : query.count;
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
                                 const uint32_t* places, size_t count, FoundTerm* found) {
  size_t kept = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t place = places[i];
    const uint32_t id = base + block.terms[place];
    const uint32_t term = place_of(query, id);
    if (term == query.count) continue;
    const uint32_t mask = block.masks[place];
    const uint32_t value = block.value_starts[place / kSparseTermGroup] + values_before(block.masks, place);
    if (value > block.value_count || static_cast<uint32_t>(__builtin_popcount(mask)) > block.value_count - value)
      continue;
    found[kept++] = {mask, value, query.weights[term]};
  }
  return kept;
}

// Terms of a block that are looked at before the values of those that were found.
constexpr uint32_t kTermsAtOnce = 256;

// `find(terms, count, query, base, first, places)` writes the places, from `first` on, of those terms that the query
// has, and up to kSparseTermGroup numbers more; it returns how many there are. `Scores` adds as RowScores.
template <class Scores, class Find>
ELANUS_INLINE uint32_t score_block(const SparseBlock& block, const SparseTerms& query, float* scores,
                                   const Find& find) {
  Scores sums(block, query);
  uint32_t rows = 0;
  uint32_t at = 0;
  uint32_t places[kTermsAtOnce + kSparseTermGroup];
  FoundTerm found[kTermsAtOnce];
  for (uint32_t s = 0; s < block.segment_count; ++s) {
    const SparseSegment segment = block.segments[s];
    if (segment.end > block.term_count || segment.base >= query.bits_end) break;
    while (at < segment.end) {
      const uint32_t count = segment.end - at < kTermsAtOnce ? segment.end - at : kTermsAtOnce;
      const size_t places_count = find(block.terms + at, count, query, segment.base, at, places);
      const size_t found_count = read_places(block, query, segment.base, places, places_count, found);
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
