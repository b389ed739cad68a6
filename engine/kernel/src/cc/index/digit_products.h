// Codes of 4 bits for parts of a vector: of each part the nearest of 16 centroids (Jégou et al., Product Quantization for
// Nearest Neighbor Search, TPAMI 2011), in digits that are compared 32 at a time by table look-up (André et al., Quick
// ADC, ICMR 2017).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "../simd/walk_loops.h"
#include "code_loops.h"

namespace elanus {

// The centroids for vectors that stand one behind the other. The same for the same vectors, seed and instruction set,
// whatever `threads`. Void when cancelled.
std::vector<float> learn_digit_products(const CodeLoops& loops, const std::vector<float>& vectors, size_t dim,
                                        size_t places, uint64_t seed, uint32_t threads,
                                        const std::atomic<bool>* cancelled);

// The squared lengths of the centroids: kDigitCentroids a place.
AlignedVector<float> squares_of_products(const float* centroids, size_t dim, size_t places);

}  // namespace elanus
