// The few directions along which vectors differ most.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace elanus {

struct PrincipalDirections {
  size_t dim = 0;
  // Of length 1 and at right angles to each other, one after the other, `dim` numbers each.
  std::vector<float> directions;
  // The mean square of the vectors along each direction, falling.
  std::vector<float> variances;
};

// By block power iteration with a final rotation (Rayleigh and Ritz), so the last directions are less exact than
// the first. Depends on nothing but the arguments. Stops early, with a result that is good for nothing, when cancelled.
// REQUIRES: `rows` >= 1 vectors of finite numbers; 1 <= count <= dim.
PrincipalDirections find_principal_directions(const float* vectors, size_t rows, size_t dim, size_t count,
                                              uint64_t seed, const std::atomic<bool>* cancelled);

}  // namespace elanus
