#include "principal_directions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ordered_dot.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr int kRounds = 8;
constexpr int kSweepsMax = 30;

void add_multiple(const float* from, float factor, size_t size, float* to) {
  for (size_t i = 0; i < size; ++i) to[i] += factor * from[i];
}

// Gram and Schmidt, twice, so that what rounding left over goes too. What the others span already is replaced.
void make_orthonormal(std::vector<float>& basis, size_t count, size_t dim, SplitMix& random) {
  for (size_t c = 0; c < count; ++c) {
    float* const vector = basis.data() + c * dim;
    for (int attempt = 0;; ++attempt) {
      const float before = std::sqrt(ordered_dot(vector, vector, dim));
      for (int pass = 0; pass < 2; ++pass) {
        for (size_t other = 0; other < c; ++other) {
          const float* const axis = basis.data() + other * dim;
          add_multiple(axis, -ordered_dot(vector, axis, dim), dim, vector);
        }
      }
      const float length = std::sqrt(ordered_dot(vector, vector, dim));
      if (length > 1e-5f * before && length > 1e-30f) {
        for (size_t i = 0; i < dim; ++i) vector[i] /= length;
        break;
      }
      if (attempt == 8) {
        std::fill_n(vector, dim, 0.0f);
        break;
      }
      for (size_t i = 0; i < dim; ++i) vector[i] = static_cast<float>(random.below(1 << 20)) / (1 << 19) - 1;
    }
  }
}

// Jacobi's rotations of a symmetric matrix of `size` rows, until it is diagonal. The rows of `axes` become its
// eigenvectors.
void diagonalize(std::vector<double>& matrix, size_t size, std::vector<double>& axes) {
  axes.assign(size * size, 0);
  for (size_t i = 0; i < size; ++i) axes[i * size + i] = 1;
  for (int sweep = 0; sweep < kSweepsMax; ++sweep) {
    double off = 0;
    double on = 0;
    for (size_t i = 0; i < size; ++i) {
      on += matrix[i * size + i] * matrix[i * size + i];
      for (size_t j = 0; j < i; ++j) off += matrix[i * size + j] * matrix[i * size + j];
    }
    if (off <= 1e-18 * on) return;
    for (size_t p = 0; p + 1 < size; ++p) {
      for (size_t q = p + 1; q < size; ++q) {
        const double apart = matrix[p * size + q];
        if (apart == 0) continue;
        const double theta = (matrix[q * size + q] - matrix[p * size + p]) / (2 * apart);
        const double tangent = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double cosine = 1 / std::sqrt(tangent * tangent + 1);
        const double sine = tangent * cosine;
        for (size_t k = 0; k < size; ++k) {
          const double a = matrix[k * size + p];
          const double b = matrix[k * size + q];
          matrix[k * size + p] = cosine * a - sine * b;
          matrix[k * size + q] = sine * a + cosine * b;
        }
        for (size_t k = 0; k < size; ++k) {
          const double a = matrix[p * size + k];
          const double b = matrix[q * size + k];
          matrix[p * size + k] = cosine * a - sine * b;
          matrix[q * size + k] = sine * a + cosine * b;
          const double u = axes[p * size + k];
          const double v = axes[q * size + k];
          axes[p * size + k] = cosine * u - sine * v;
          axes[q * size + k] = sine * u + cosine * v;
        }
      }
    }
  }
}

}  // namespace

PrincipalDirections find_principal_directions(const float* vectors, size_t rows, size_t dim, size_t count,
                                              uint64_t seed, const std::atomic<bool>* cancelled) {
  SplitMix random(seed);
  std::vector<float> basis(count * dim);
  for (float& value : basis) value = static_cast<float>(random.below(1 << 20)) / (1 << 19) - 1;
  make_orthonormal(basis, count, dim, random);
  std::vector<float> along(count);
  std::vector<float> next(count * dim);
  for (int round = 0; round < kRounds && !is_set(cancelled); ++round) {
    std::fill(next.begin(), next.end(), 0.0f);
    for (size_t row = 0; row < rows; ++row) {
      const float* const vector = vectors + row * dim;
      for (size_t c = 0; c < count; ++c) {
        const float along_axis = ordered_dot(vector, &basis[c * dim], dim);
        add_multiple(vector, along_axis, dim, &next[c * dim]);
      }
    }
    basis.swap(next);
    make_orthonormal(basis, count, dim, random);
  }

  std::vector<double> products(count * count);
  for (size_t row = 0; row < rows; ++row) {
    const float* const vector = vectors + row * dim;
    for (size_t c = 0; c < count; ++c) along[c] = ordered_dot(vector, &basis[c * dim], dim);
    for (size_t a = 0; a < count; ++a) {
      for (size_t b = 0; b < count; ++b) products[a * count + b] += static_cast<double>(along[a]) * along[b];
    }
  }
  std::vector<double> axes;
  diagonalize(products, count, axes);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto variance = [&](size_t c) { return products[c * count + c] / static_cast<double>(rows); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return variance(a) > variance(b); });

  PrincipalDirections found{dim, std::vector<float>(count * dim), {}};
  for (size_t c = 0; c < count; ++c) {
    found.variances.push_back(std::max(0.0f, static_cast<float>(variance(order[c]))));
    for (size_t b = 0; b < count; ++b)
      add_multiple(&basis[b * dim], static_cast<float>(axes[order[c] * count + b]), dim, &found.directions[c * dim]);
  }
  return found;
}

}  // namespace elanus
