// The directions in which vectors differ most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "../simd/simd.h"

namespace elanus {

// Rows of float32 matrices are padded with zeroes to whole cache lines, as the loops want them.
inline size_t padded_floats(size_t count) { return (count + 15) / 16 * 16; }

struct PrincipalAxes {
  size_t dim = 0;
  // Orthonormal, padded_floats(dim) apart; zero where the vectors have no more directions.
  AlignedVector<float> axes;
  // The mean square of the vectors along each axis, falling; and in all dimensions together.
  std::vector<double> squares;
  double square = 0;

  size_t count() const { return squares.size(); }
  const float* axis(size_t i) const { return axes.data() + i * padded_floats(dim); }
  // How much of the vectors' squared lengths the first axes hold.
  double share(size_t axis_count) const;
};

// The first `count` principal axes of vectors that are centred already, as far as a few rounds of orthogonal iteration
// (Golub and Van Loan, Matrix Computations, 7.3.2) find them. `columns` is the transposed matrix: for each dimension
// its values in all `samples` vectors, padded_floats(samples) apart. The same for the same seed and instruction set.
// Stops early, with a result that is good for nothing, when cancelled. REQUIRES: samples >= 1, count <= dim.
PrincipalAxes find_principal_axes(const ElanusSimd& simd, const float* columns, size_t dim, size_t samples,
                                  size_t count, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

// The transposed matrix of `count` vectors that stand one behind the other.
AlignedVector<float> to_columns(const float* vectors, size_t count, size_t dim);

}  // namespace elanus
