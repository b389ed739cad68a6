// The loops of a walk give the same bits on every instruction set.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "../src/cc/aligned.h"
#include "../src/cc/index/digit_products.h"
#include "../src/cc/simd/simd.h"
#include "check.h"

namespace {

using elanus::AlignedVector;
using elanus::DigitTables;
using elanus::kBlockNeighbours;
using elanus::NeighbourBlock;
using elanus::WalkLoops;

std::minstd_rand random_bits(1);

float random_float() { return static_cast<float>(random_bits() % 20001) / 10000 - 1; }

AlignedVector<float> random_floats(size_t count) {
  AlignedVector<float> floats(count);
  for (float& value : floats) value = random_float();
  return floats;
}

AlignedVector<uint8_t> random_bytes(size_t count) {
  AlignedVector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_bits() >> 8);
  return bytes;
}

template <class T>
bool same_bits(const T& a, const T& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0;
}

struct Tables {
  AlignedVector<uint8_t> bytes;
  DigitTables tables;

  Tables(size_t places) : bytes(places * 16), tables{bytes.data(), static_cast<uint32_t>(places), false, 0, 0} {}
  bool operator==(const Tables& other) const {
    return same_bits(bytes, other.bytes) && tables.base == other.tables.base && tables.step == other.tables.step &&
           tables.are_small == other.tables.are_small;
  }
  int largest() const { return *std::max_element(bytes.begin(), bytes.end()); }
};

constexpr float kLevels[16] = {-2.7f, -2.0f, -1.6f, -1.2f, -0.9f, -0.6f, -0.4f, -0.1f,
                               0.1f,  0.4f,  0.6f,  0.9f,  1.2f,  1.6f,  2.0f,  2.7f};

void check_tables(const WalkLoops& loops, const WalkLoops& portable, size_t places) {
  AlignedVector<float> query = random_floats(4 * places);
  for (const float factor : {1.0f, 0.0f, 1e-38f, 1e38f, INFINITY, NAN}) {
    if (factor != 1) query[places / 2] *= factor;
    Tables signs(places), signs_expected(places), levels(places), levels_expected(places);
    loops.fill_sign_tables(query.data(), &signs.tables);
    CHECK(signs.tables.are_small && signs.largest() <= elanus::kSmallByteMax);
    portable.fill_sign_tables(query.data(), &signs_expected.tables);
    CHECK(signs == signs_expected);
    loops.fill_level_tables(query.data(), kLevels, &levels.tables);
    portable.fill_level_tables(query.data(), kLevels, &levels_expected.tables);
    CHECK(levels == levels_expected);
    CHECK(!levels.tables.are_small && std::isfinite(levels.tables.base) && std::isfinite(signs.tables.base));
  }
}

// Tables hold the products of the query with each centroid, to within a step; codes come as near as any.
void check_digit_products(const WalkLoops& loops, const WalkLoops& portable, size_t places, size_t part) {
  constexpr size_t kCentroids = elanus::kDigitCentroids;
  const size_t dim = places * part;
  const size_t padded = (places + elanus::kDigitPlaceGroup - 1) / elanus::kDigitPlaceGroup * elanus::kDigitPlaceGroup;
  const AlignedVector<float> centroids = random_floats(dim * kCentroids);
  const AlignedVector<float> squares = elanus::squares_of_products(centroids.data(), dim, places);
  const elanus::DigitProducts products{centroids.data(), squares.data(), dim, places};
  AlignedVector<float> query = random_floats(dim);
  for (const float factor : {1.0f, 0.0f, 1e38f, INFINITY, NAN}) {
    if (factor != 1) query[dim / 2] *= factor;
    Tables tables(padded), expected(padded);
    tables.bytes = random_bytes(padded * 16);
    tables.tables.bytes = tables.bytes.data();
    loops.fill_product_tables(products, query.data(), &tables.tables);
    portable.fill_product_tables(products, query.data(), &expected.tables);
    CHECK(tables == expected && std::isfinite(tables.tables.base) && std::isfinite(tables.tables.step));
    CHECK(tables.tables.are_small ? tables.largest() <= elanus::kSmallByteMax : part == 1);
    std::vector<uint8_t> digits(places), expected_digits(places);
    loops.choose_products(products, query.data(), digits.data());
    portable.choose_products(products, query.data(), expected_digits.data());
    CHECK(digits == expected_digits);
    for (const uint8_t digit : digits) CHECK(digit < kCentroids);
    if (factor != 1) continue;
    double product = 0;
    double sum = 0;
    for (size_t d = 0; d < dim; ++d)
      product += static_cast<double>(centroids[d * kCentroids + digits[d / part]]) * static_cast<double>(query[d]);
    for (size_t p = 0; p < places; ++p) sum += tables.bytes[p * kCentroids + digits[p]];
    const double told = sum * static_cast<double>(tables.tables.step) + static_cast<double>(tables.tables.base);
    CHECK(std::abs(told - product) <= 0.51 * static_cast<double>(tables.tables.step) * static_cast<double>(places));
    CHECK(product > 0);
  }
}

void check_estimate(const WalkLoops& loops, const WalkLoops& portable, size_t places, bool are_small) {
  Tables tables(places);
  tables.bytes = random_bytes(places * 16);
  const uint8_t byte_max = are_small ? elanus::kSmallByteMax : 255;
  for (uint8_t& byte : tables.bytes) byte = std::min(byte, byte_max);
  // The largest sums there can be.
  if (places % 8 == 0) std::fill(tables.bytes.begin(), tables.bytes.end(), byte_max);
  tables.tables = {tables.bytes.data(), static_cast<uint32_t>(places), are_small, random_float(), 0.01f};
  const AlignedVector<uint8_t> digits = random_bytes(places * 16);
  AlignedVector<float> added = random_floats(kBlockNeighbours);
  const AlignedVector<float> factors = random_floats(kBlockNeighbours);
  added[5] = INFINITY;
  const NeighbourBlock block{added.data(), factors.data(), digits.data()};
  AlignedVector<float> estimates(kBlockNeighbours), expected(kBlockNeighbours);
  for (const float bound : {0.5f, INFINITY, -INFINITY}) {
    const uint32_t below = loops.estimate(block, tables.tables, 0.3f, bound, estimates.data());
    CHECK(below == portable.estimate(block, tables.tables, 0.3f, bound, expected.data()));
    CHECK(same_bits(estimates, expected));
    for (size_t i = 0; i < kBlockNeighbours; ++i) CHECK((below >> i & 1) == (estimates[i] < bound));
    CHECK((below >> 5 & 1) == 0);
  }
  for (size_t i = 0; i < kBlockNeighbours; ++i) {
    double sum = 0;
    for (size_t p = 0; p < places; ++p) {
      const uint8_t pair = digits[16 * p + i % 16];
      sum += tables.bytes[16 * p + (i < 16 ? pair & 15 : pair >> 4)];
    }
    const double product = sum * tables.tables.step + tables.tables.base;
    const double exact = product * factors[i] + added[i] + 0.3f;
    CHECK(i == 5 || std::abs(estimates[i] - exact) <= 1e-5 * (1 + std::abs(product)));
  }
}

void check_products(const WalkLoops& loops, const WalkLoops& portable, size_t size) {
  AlignedVector<uint8_t> code = random_bytes(size);
  AlignedVector<uint8_t> halves = random_bytes(2 * size);
  for (int extreme = 0; extreme < 2; ++extreme) {
    const auto* const high = reinterpret_cast<const int8_t*>(halves.data());
    int32_t products[2], expected[2];
    loops.multiply_code(code.data(), high, high + size, size, products);
    portable.multiply_code(code.data(), high, high + size, size, expected);
    CHECK(products[0] == expected[0] && products[1] == expected[1]);
    std::fill(code.begin(), code.end(), 255);
    std::fill(halves.begin(), halves.end(), 0x80);
  }
}

void check_transforms(const WalkLoops& loops, const WalkLoops& portable) {
  for (size_t size = 16; size <= 1024; size *= 2) {
    const AlignedVector<float> values = random_floats(size);
    AlignedVector<float> transformed = values, expected = values;
    loops.hadamard(transformed.data(), size);
    portable.hadamard(expected.data(), size);
    CHECK(same_bits(transformed, expected));
    // Twice is `size` times the identity.
    loops.hadamard(transformed.data(), size);
    for (size_t i = 0; i < size; ++i)
      CHECK(std::abs(transformed[i] / static_cast<float>(size) - values[i]) < 1e-5f);
  }
  for (const size_t dim : {1, 3, 24, 101}) {
    for (const size_t count : {16, 48}) {
      const AlignedVector<float> vector = random_floats(dim), columns = random_floats(dim * count);
      AlignedVector<float> out(count), expected(count);
      loops.project(vector.data(), dim, columns.data(), count, out.data());
      portable.project(vector.data(), dim, columns.data(), count, expected.data());
      CHECK(same_bits(out, expected));
    }
  }
}

}  // namespace

int main() {
  const WalkLoops& portable = elanus_simd_find("portable")->walk;
  size_t sets = 0;
  for (const char* name : {"portable", "avx2", "avx512", "neon"}) {
    const ElanusSimd* const simd = elanus_simd_find(name);
    if (simd == nullptr) continue;
    ++sets;
    for (const size_t places : {4, 20, 32, 96, 256, 260, 1024, 8192}) {
      check_tables(simd->walk, portable, places);
      for (const bool are_small : {false, true}) check_estimate(simd->walk, portable, places, are_small);
    }
    for (const size_t size : {64, 128, 768, 1 << 15}) check_products(simd->walk, portable, size);
    for (const size_t places : {1, 4, 7, 64}) {
      for (const size_t part : {1, 2, 5}) check_digit_products(simd->walk, portable, places, part);
    }
    check_transforms(simd->walk, portable);
  }
  std::printf("ok: the walk on %zu instruction sets\n", sets);
}
