// Sparse loops for AVX2.
#include <immintrin.h>

#include "loops.h"
#include "sparse_generic.h"

namespace elanus {
namespace {

ELANUS_INLINE uint32_t find_eight(const uint16_t* terms, __m256i base, const uint32_t* bits) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(terms)));
  const __m256i ids = _mm256_add_epi32(base, wide);
  const __m256i words = _mm256_i32gather_epi32(reinterpret_cast<const int*>(bits), _mm256_srli_epi32(ids, 5), 4);
  // The bit asked for goes to the top.
  const __m256i left = _mm256_sub_epi32(_mm256_set1_epi32(31), _mm256_and_si256(ids, _mm256_set1_epi32(31)));
  return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_sllv_epi32(words, left))));
}

size_t find_terms_avx2(const uint16_t* terms, uint32_t count, const SparseTerms& query, uint32_t base, uint32_t first,
                       uint32_t* places) {
  const __m256i bases = _mm256_set1_epi32(static_cast<int>(base));
  size_t found = 0;
  for (uint32_t at = 0; at < count; at += 8) {
    uint32_t mask = find_eight(terms + at, bases, query.bits);
    if (count - at < 8) mask &= (1u << (count - at)) - 1;
    for (; mask != 0; mask &= mask - 1) places[found++] = first + at + static_cast<uint32_t>(__builtin_ctz(mask));
  }
  return found;
}

uint32_t score(const SparseBlock& block, const SparseTerms& query, float* scores) {
  return score_block<RowScores>(block, query, scores, find_terms_avx2);
}

}  // namespace

const SparseLoops kSparseAvx2 = {add_list, add_all, find_peak, score};

}  // namespace elanus
