// Binary vectors for tests, and what an exact search finds among them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "../src/cc/index/vector_index.h"
#include "check.h"

// One behind the other, in memory of its exact size, so that the address sanitizer sees each byte beyond.
struct BitVectors {
  uint32_t dim;
  uint32_t rows;
  std::vector<uint8_t> bytes;

  const uint8_t* at(size_t row) const { return bytes.data() + row * (dim / 8); }
};

// Around `centres` random vectors, of which each bit is turned over with a probability of one in `turned`.
inline BitVectors bits_around(std::mt19937& random, uint32_t dim, uint32_t rows, uint32_t centres, uint32_t turned) {
  std::vector<uint8_t> middle(centres * size_t{dim / 8});
  for (uint8_t& byte : middle) byte = static_cast<uint8_t>(random());
  BitVectors vectors = {dim, rows, std::vector<uint8_t>(rows * size_t{dim / 8})};
  for (uint32_t row = 0; row < rows; ++row) {
    uint8_t* const to = vectors.bytes.data() + row * size_t{dim / 8};
    std::memcpy(to, &middle[random() % centres * size_t{dim / 8}], dim / 8);
    for (uint32_t bit = 0; bit < dim; ++bit)
      if (random() % turned == 0) to[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  return vectors;
}

inline float naive_bit_rank(ElanusMetric metric, const uint8_t* a, const uint8_t* b, uint32_t dim) {
  int differing = 0, both = 0, either = 0;
  // Eight bytes at once: one by one they took most of the time of all that is tested with them.
  for (uint32_t at = 0; at < dim / 8; at += 8) {
    uint64_t of_a = 0, of_b = 0;
    std::memcpy(&of_a, a + at, std::min(8u, dim / 8 - at));
    std::memcpy(&of_b, b + at, std::min(8u, dim / 8 - at));
    differing += std::popcount(of_a ^ of_b);
    both += std::popcount(of_a & of_b);
    either += std::popcount(of_a | of_b);
  }
  if (metric == ELANUS_HAMMING) return static_cast<float>(differing);
  return either == 0 ? 0.0f : static_cast<float>(1 - static_cast<double>(both) / either);
}

inline std::vector<elanus::IndexHit> naive_bit_hits(ElanusMetric metric, const BitVectors& vectors,
                                                    const uint8_t* query, const elanus::IndexSearch& search) {
  std::vector<elanus::IndexHit> hits;
  for (uint32_t row = 0; row < vectors.rows; ++row) {
    const elanus::IndexHit hit = {naive_bit_rank(metric, vectors.at(row), query, vectors.dim), row};
    if (search.allowed.has(row) && search.range.has(hit)) hits.push_back(hit);
  }
  std::sort(hits.begin(), hits.end());
  hits.resize(std::min<size_t>(hits.size(), search.k));
  return hits;
}
