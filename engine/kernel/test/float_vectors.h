// Vectors for the tests of what codes and clusters them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include "../src/cc/index/quantizer.h"

// One behind the other.
class Vectors : public elanus::VectorSource {
 public:
  Vectors(size_t count, size_t dim) : dim_(dim), values_(count * dim) {}

  uint32_t rows() const override { return static_cast<uint32_t>(values_.size() / dim_); }
  void read(uint32_t row, float* out) const override { std::copy_n(at(row), dim_, out); }
  const float* at(size_t row) const { return values_.data() + row * dim_; }
  float* at(size_t row) { return values_.data() + row * dim_; }
  const std::vector<float>& values() const { return values_; }

 private:
  const size_t dim_;
  std::vector<float> values_;
};

// Some dozens of gaussians in a space where one dimension is wide and another has one value only.
inline Vectors clustered(size_t count, size_t dim, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Vectors centres(40, dim);
  for (size_t i = 0; i < 40; ++i) {
    for (size_t d = 0; d < dim; ++d) centres.at(i)[d] = 3 * normal(random);
  }
  Vectors vectors(count, dim);
  for (size_t i = 0; i < count; ++i) {
    const float* const centre = centres.at(random() % 40);
    for (size_t d = 0; d < dim; ++d) vectors.at(i)[d] = centre[d] + normal(random);
    if (dim > 2) vectors.at(i)[1] *= 50;
    if (dim > 2) vectors.at(i)[2] = 4.25f;
  }
  return vectors;
}

// All that this machine has.
inline std::vector<const ElanusSimd*> instruction_sets() {
  std::vector<const ElanusSimd*> sets;
  for (const char* name : {"portable", "avx2", "avx512", "neon"}) {
    if (const ElanusSimd* const simd = elanus_simd_find(name); simd != nullptr) sets.push_back(simd);
  }
  return sets;
}

inline double square_distance(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += (double{a[d]} - double{b[d]}) * (double{a[d]} - double{b[d]});
  return sum;
}

inline double dot(const float* a, const float* b, size_t dim) {
  double sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += double{a[d]} * double{b[d]};
  return sum;
}
