// Sparse loops for AVX-512: the rows of a block are the lanes of a register.
#include <immintrin.h>

#include "loops.h"
#include "sparse_loops.h"

namespace elanus {
namespace {

void add_all(const uint8_t* impacts, uint32_t multiplier, uint16_t* bounds) {
  const __m512i factor = _mm512_set1_epi16(static_cast<short>(multiplier));
  const __m512i one = _mm512_set1_epi16(1);
  for (size_t i = 0; i < kSparseChapterBlocks; i += 32) {
    const __m512i impact =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(impacts + i)));
    const __m512i product = _mm512_mulhi_epu16(_mm512_slli_epi16(impact, 8), factor);
    const __m512i bound = _mm512_add_epi16(product, _mm512_min_epu16(impact, one));
    _mm512_storeu_si512(bounds + i, _mm512_add_epi16(_mm512_loadu_si512(bounds + i), bound));
  }
}

SparsePeak find_peak(const uint16_t* bounds) {
  const __m512i a = _mm512_loadu_si512(bounds);
  const __m512i b = _mm512_loadu_si512(bounds + 32);
  const __m512i both = _mm512_max_epu16(a, b);
  const __m256i half = _mm256_max_epu16(_mm512_castsi512_si256(both), _mm512_extracti64x4_epi64(both, 1));
  const __m128i eight = _mm_max_epu16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  // There is an instruction for the least of eight.
  const __m128i least = _mm_minpos_epu16(_mm_xor_si128(eight, _mm_set1_epi32(-1)));
  const auto highest = static_cast<uint16_t>(~_mm_extract_epi16(least, 0));
  const __m512i wanted = _mm512_set1_epi16(static_cast<short>(highest));
  const uint64_t where = _mm512_cmpeq_epi16_mask(a, wanted) | uint64_t{_mm512_cmpeq_epi16_mask(b, wanted)} << 32;
  return {highest, static_cast<uint32_t>(__builtin_ctzll(where))};
}

// With more terms too many others look like them.
constexpr uint32_t kFoldedTermsMax = 256;

// Leaves out the places of terms that are none of the query's. Returns how many are left.
size_t without_others(const uint16_t* terms, const SparseTerms& query, uint32_t base, uint32_t first, uint32_t* places,
                      size_t count) {
  const __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
  const __m512i firsts = _mm512_set1_epi32(static_cast<int>(first));
  const __m512i zero = _mm512_setzero_si512();
  size_t left = 0;
  for (size_t i = 0; i < count; i += 16) {
    const auto some = static_cast<__mmask16>(count - i < 16 ? (1u << (count - i)) - 1 : 0xffff);
    const __m512i at = _mm512_loadu_si512(places + i);
    const __m512i wide = _mm512_mask_i32gather_epi32(zero, some, _mm512_sub_epi32(at, firsts), terms, sizeof *terms);
    const __m512i ids = _mm512_add_epi32(bases, _mm512_and_si512(wide, _mm512_set1_epi32(0xffff)));
    const __m512i words = _mm512_mask_i32gather_epi32(zero, some, _mm512_srli_epi32(ids, 5), query.bits, 4);
    const __m512i bit = _mm512_srlv_epi32(words, _mm512_and_si512(ids, _mm512_set1_epi32(31)));
    const __mmask16 mask = _mm512_test_epi32_mask(bit, _mm512_set1_epi32(1));
    _mm512_storeu_si512(places + left, _mm512_maskz_compress_epi32(mask, at));
    left += static_cast<size_t>(__builtin_popcount(mask));
  }
  return left;
}

// By 128 words of 16 bits that stay in four registers: few terms that are none of the query's look like one.
size_t find_folded(const uint16_t* terms, uint32_t count, const SparseTerms& query, uint32_t base, uint32_t first,
                   uint32_t* places) {
  static_assert(kSparseFolds == 4 * 512);
  const __m512i words[4] = {_mm512_loadu_si512(query.folded), _mm512_loadu_si512(query.folded + 32),
                            _mm512_loadu_si512(query.folded + 64), _mm512_loadu_si512(query.folded + 96)};
  const __m512i bases = _mm512_set1_epi16(static_cast<short>(base));
  const __m512i one = _mm512_set1_epi16(1);
  const __m512i upper_half = _mm512_set1_epi16(1 << 10);
  const __m512i sixteen = _mm512_set1_epi32(16);
  __m512i numbers = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)),
                                     _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  size_t found = 0;
  const auto write = [&](__mmask16 mask) {
    _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(mask, numbers));
    found += static_cast<size_t>(__builtin_popcount(mask));
    numbers = _mm512_add_epi32(numbers, sixteen);
  };
  for (uint32_t at = 0; at < count; at += 32) {
    const __m512i ids = _mm512_add_epi16(bases, _mm512_loadu_si512(terms + at));
    const __m512i places_of = _mm512_srli_epi16(ids, 4);
    const __m512i lower = _mm512_permutex2var_epi16(words[0], places_of, words[1]);
    const __m512i upper = _mm512_permutex2var_epi16(words[2], places_of, words[3]);
    const __m512i word = _mm512_mask_blend_epi16(_mm512_test_epi16_mask(ids, upper_half), lower, upper);
    const __m512i bit = _mm512_sllv_epi16(one, _mm512_and_si512(ids, _mm512_set1_epi16(15)));
    __mmask32 mask = _mm512_test_epi16_mask(word, bit);
    if (count - at < 32) mask &= (1u << (count - at)) - 1;
    write(static_cast<__mmask16>(mask));
    write(static_cast<__mmask16>(mask >> 16));
  }
  return without_others(terms, query, base, first, places, found);
}

size_t find_gathered(const uint16_t* terms, uint32_t count, const SparseTerms& query, uint32_t base, uint32_t first,
                     uint32_t* places) {
  const __m512i bases = _mm512_set1_epi32(static_cast<int>(base));
  const __m512i one = _mm512_set1_epi32(1);
  __m512i numbers = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(first)),
                                     _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  size_t found = 0;
  for (uint32_t at = 0; at < count; at += 16) {
    const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(terms + at)));
    const __m512i ids = _mm512_add_epi32(bases, wide);
    const __m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(ids, 5), query.bits, 4);
    const __m512i shifted = _mm512_srlv_epi32(words, _mm512_and_si512(ids, _mm512_set1_epi32(31)));
    __mmask16 mask = _mm512_test_epi32_mask(shifted, one);
    if (count - at < 16) mask &= static_cast<__mmask16>((1u << (count - at)) - 1);
    _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(mask, numbers));
    found += static_cast<size_t>(__builtin_popcount(mask));
    numbers = _mm512_add_epi32(numbers, _mm512_set1_epi32(16));
  }
  return found;
}

class LaneScores {
 public:
  LaneScores(const SparseBlock& block, const SparseTerms& query)
      : values_(block.values), are_bytes_(block.are_bytes), is_bm25_(query.is_bm25) {
    if (is_bm25_)
      norms_ = _mm512_add_ps(_mm512_set1_ps(query.norm_base),
                             _mm512_mul_ps(_mm512_set1_ps(query.norm_slope), _mm512_loadu_ps(block.lengths)));
  }

  ELANUS_INLINE void add(uint32_t mask, uint32_t value, float weight) {
    const auto lanes = static_cast<__mmask16>(mask);
    const __m512 x = _mm512_maskz_expand_ps(lanes, load(value));
    __m512 part = x;
    if (is_bm25_) part = _mm512_maskz_div_ps(lanes, x, _mm512_add_ps(x, norms_));
    part = _mm512_mul_ps(_mm512_set1_ps(weight), part);
    scores_ = _mm512_mask_add_ps(scores_, lanes, scores_, part);
  }

  ELANUS_INLINE void write(float* scores) const { _mm512_storeu_ps(scores, scores_); }

 private:
  ELANUS_INLINE __m512 load(uint32_t value) const {
    if (!are_bytes_) return _mm512_loadu_ps(static_cast<const float*>(values_) + value);
    const auto* const bytes = reinterpret_cast<const __m128i*>(static_cast<const uint8_t*>(values_) + value);
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes)));
  }

  const void* values_;
  const bool are_bytes_;
  const bool is_bm25_;
  __m512 scores_ = _mm512_setzero_ps();
  __m512 norms_ = _mm512_setzero_ps();
};

uint32_t score(const SparseBlock& block, const SparseTerms& query, float* scores) {
  return query.count <= kFoldedTermsMax ? score_block<LaneScores>(block, query, scores, find_folded)
                                        : score_block<LaneScores>(block, query, scores, find_gathered);
}

}  // namespace

const SparseLoops kSparseAvx512 = {add_list, add_all, find_peak, score};

}  // namespace elanus
