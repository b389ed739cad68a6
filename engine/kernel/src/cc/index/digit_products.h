// Codes of 4 bits for parts of a vector: of each part the nearest of 16 centroids (Jégou et al., Product Quantization for
// Nearest Neighbor Search, TPAMI 2011), in digits that are compared 32 at a time by table look-up (André et al., Quick
// ADC, ICMR 2017).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../simd/walk_loops.h"
#include "code_loops.h"

namespace elanus {

inline constexpr size_t kDigitCentroids = 16;

// For each dimension the numbers that the centroids of its part have there: kDigitCentroids * dim, on a 64-byte border.
struct DigitProducts {
  const float* centroids;
  size_t dim;
  size_t places;  // divides dim

  size_t part() const { return dim / places; }
  const float* at(size_t place) const { return centroids + place * part() * kDigitCentroids; }
};

// The centroids for vectors that stand one behind the other. The same for the same vectors, seed and instruction set,
// whatever `threads`. Void when cancelled.
std::vector<float> learn_digit_products(const CodeLoops& loops, const std::vector<float>& vectors, size_t dim,
                                        size_t places, uint64_t seed, uint32_t threads,
                                        const std::atomic<bool>* cancelled);

// The digits whose centroids together have the largest cosine with the vector, nearly, and what they stand for.
//
// Whoever divides the product with a code by that of the vector and its own code has no error along the vector: what is
// left is the error across it, and that is least where the cosine is largest. So this is anisotropic quantization (Guo
// et al., Accelerating Large-Scale Inference with Anisotropic Vector Quantization, arXiv 1908.10396) with all weight
// on one side.
void encode_digit_products(const DigitProducts& products, const float* vector, uint8_t* digits, float* coded);

// Makes ready for a query of `dim` numbers. Bytes beyond the last place are set to zero up to `tables->places`.
void fill_product_tables(const DigitProducts& products, const float* query, DigitTables* tables);

}  // namespace elanus
