// The directions in which vectors differ most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "../aligned.h"
#include "../simd/simd.h"

namespace elanus {

// Rows of float32 matrices are padded with zeroes to whole cache lines, as the loops want them.
inline size_t padded_floats(size_t count) { return (count + 15) / 16 * 16; }

struct PrincipalAxes {
  // `count` orthonormal vectors, padded_floats(dim) apart, those with the largest share first, nearly.
  AlignedVector<float> axes;
  size_t count = 0;
  // Of the vectors' squared lengths, how much the first i + 1 axes hold.
  std::vector<double> shares;
};

// The first `count` principal axes of vectors that are centred already, as far as a few rounds of orthogonal iteration
// (Golub and Van Loan, Matrix Computations, 7.3.2) find them. `columns` is the transposed matrix: for each dimension
// its values in all `samples` vectors, padded_floats(samples) apart. The same for the same seed and instruction set.
PrincipalAxes find_principal_axes(const ElanusSimd& simd, const float* columns, size_t dim, size_t samples,
                                  size_t count, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

}  // namespace elanus
