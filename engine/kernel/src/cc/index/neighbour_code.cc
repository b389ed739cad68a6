#include "neighbour_code.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "random.h"

namespace elanus {
namespace {

constexpr size_t kRounds = 4;
constexpr size_t kSignPadding = 64;
constexpr size_t kLevelPadding = 16;

size_t padded(size_t size, size_t to) { return (size + to - 1) / to * to; }

// REQUIRES: the values are finite and as many as the kind has.
bool are_products(uint32_t dim, uint32_t places, const float* values) {
  const float count = values[0];
  if (!(count >= 1 && count <= static_cast<float>(dim)) || count != std::floor(count)) return false;
  const auto used = static_cast<uint32_t>(count);
  return dim % used == 0 && places == padded(used, kDigitPlaceGroup);
}

}  // namespace

alignas(64) const float kNormalLevels[16] = {
    -2.7326f, -2.0690f, -1.6181f, -1.2562f, -0.9424f, -0.6568f, -0.3881f, -0.1284f,
    0.1284f,  0.3881f,  0.6568f,  0.9424f,  1.2562f,  1.6181f,  2.0690f,  2.7326f,
};

NeighbourCode::NeighbourCode(NeighbourCodeKind kind, uint32_t dim, uint32_t places)
    : kind_(kind), dim_(dim), places_(static_cast<uint32_t>(padded(places, kDigitPlaceGroup))) {
  switch (kind) {
    case NeighbourCodeKind::kSigns:
      coordinates_ = padded(dim, kSignPadding);
      values_.resize(kRounds * coordinates_);
      break;
    case NeighbourCodeKind::kLevels:
      coordinates_ = padded(places, kLevelPadding);
      values_.resize((1 + size_t{dim}) * coordinates_);
      break;
    case NeighbourCodeKind::kProducts:
      coordinates_ = dim;
      values_.resize((1 + size_t{dim}) * kDigitCentroids);
      values_[0] = static_cast<float>(places);
      break;
  }
}

// The transform takes a power of two of coordinates, so one that is at the front takes turns with one at the back.
NeighbourCode NeighbourCode::signs(uint32_t dim, uint64_t seed) {
  NeighbourCode code(NeighbourCodeKind::kSigns, dim, static_cast<uint32_t>(padded(dim, kSignPadding) / 4));
  SplitMix random(seed);
  const size_t size = std::bit_floor(code.coordinates_);
  const float scale = 1 / std::sqrt(static_cast<float>(size));
  for (size_t round = 0; round < kRounds; ++round) {
    const size_t begin = round % 2 == 0 ? 0 : code.coordinates_ - size;
    for (size_t i = 0; i < code.coordinates_; ++i) {
      const float sign = random.next() % 2 == 0 ? 1.0f : -1.0f;
      code.values_[round * code.coordinates_ + i] = begin <= i && i < begin + size ? sign * scale : sign;
    }
  }
  return code;
}

NeighbourCode NeighbourCode::levels(const PrincipalAxes& directions, uint32_t places) {
  NeighbourCode code(NeighbourCodeKind::kLevels, static_cast<uint32_t>(directions.dim), places);
  float* const columns = code.values_.data() + code.coordinates_;
  for (uint32_t p = 0; p < places; ++p) {
    code.values_[p] = static_cast<float>(std::sqrt(directions.squares[p]));
    for (size_t i = 0; i < directions.dim; ++i) columns[i * code.coordinates_ + p] = directions.axis(p)[i];
  }
  return code;
}

NeighbourCode NeighbourCode::products(uint32_t dim, uint32_t places, const std::vector<float>& centroids) {
  NeighbourCode code(NeighbourCodeKind::kProducts, dim, places);
  std::copy(centroids.begin(), centroids.end(), code.values_.begin() + kDigitCentroids);
  code.square_products();
  return code;
}

DigitProducts NeighbourCode::as_products() const {
  return {values_.data() + kDigitCentroids, squares_.data(), dim_, static_cast<size_t>(values_[0])};
}

void NeighbourCode::square_products() {
  squares_ = squares_of_products(values_.data() + kDigitCentroids, dim_, static_cast<size_t>(values_[0]));
}

bool NeighbourCode::restore(NeighbourCodeKind kind, uint32_t dim, uint32_t places, const float* values,
                            size_t value_count, NeighbourCode* code) {
  const bool is_signs = kind == NeighbourCodeKind::kSigns;
  const bool is_products = kind == NeighbourCodeKind::kProducts;
  if (!is_signs && !is_products && kind != NeighbourCodeKind::kLevels) return false;
  if (places == 0 || places % kDigitPlaceGroup != 0 || places > padded(dim, kSignPadding)) return false;
  if (is_signs && places != padded(dim, kSignPadding) / 4) return false;
  const size_t expected = is_signs      ? kRounds * padded(dim, kSignPadding)
                          : is_products ? (1 + size_t{dim}) * kDigitCentroids
                                        : (1 + size_t{dim}) * padded(places, kLevelPadding);
  if (value_count != expected) return false;
  if (!std::all_of(values, values + value_count, [](float value) { return std::isfinite(value); })) return false;
  if (is_products && !are_products(dim, places, values)) return false;
  *code = NeighbourCode(kind, dim, places);
  std::copy_n(values, value_count, code->values_.begin());
  if (is_products) code->square_products();
  return true;
}

void NeighbourCode::turn(const WalkLoops& loops, const float* vector, float* turned) const {
  if (kind_ == NeighbourCodeKind::kLevels) {
    loops.project(vector, dim_, values_.data() + coordinates_, coordinates_, turned);
    return;
  }
  std::memcpy(turned, vector, dim_ * sizeof(float));
  if (kind_ == NeighbourCodeKind::kProducts) return;
  std::fill(turned + dim_, turned + coordinates_, 0.0f);
  const size_t size = std::bit_floor(coordinates_);
  for (size_t round = 0; round < kRounds; ++round) {
    const float* const factors = values_.data() + round * coordinates_;
    for (size_t i = 0; i < coordinates_; ++i) turned[i] *= factors[i];
    loops.hadamard(round % 2 == 0 ? turned : turned + coordinates_ - size, size);
  }
}

void NeighbourCode::encode(const WalkLoops& loops, const float* turned, uint8_t* digits, float* coded) const {
  if (kind_ == NeighbourCodeKind::kSigns) {
    for (size_t p = 0; p < places_; ++p) {
      uint8_t digit = 0;
      for (size_t bit = 0; bit < 4; ++bit) {
        const bool positive = turned[4 * p + bit] >= 0;
        digit = static_cast<uint8_t>(digit | positive << bit);
        coded[4 * p + bit] = positive ? 1.0f : -1.0f;
      }
      digits[p] = digit;
    }
    return;
  }
  if (kind_ == NeighbourCodeKind::kProducts) {
    encode_products(loops, turned, digits, coded);
    return;
  }
  std::fill(coded, coded + coordinates_, 0.0f);
  for (size_t p = 0; p < places_; ++p) {
    const float unit = values_[p];
    uint8_t digit = 0;
    for (size_t level = 0; level < 15; ++level)
      digit += turned[p] > (kNormalLevels[level] + kNormalLevels[level + 1]) / 2 * unit ? 1 : 0;
    digits[p] = digit;
    coded[p] = kNormalLevels[digit] * unit;
  }
}

void NeighbourCode::encode_products(const WalkLoops& loops, const float* turned, uint8_t* digits, float* coded) const {
  const DigitProducts products = as_products();
  std::fill_n(digits, places_, uint8_t{0});
  loops.choose_products(products, turned, digits);
  const size_t part = products.part();
  for (size_t d = 0; d < dim_; ++d) coded[d] = products.centroids[d * kDigitCentroids + digits[d / part]];
}

void NeighbourCode::fill_tables(const WalkLoops& loops, float* turned, DigitTables* tables) const {
  tables->places = places_;
  if (kind_ == NeighbourCodeKind::kSigns) {
    loops.fill_sign_tables(turned, tables);
    return;
  }
  if (kind_ == NeighbourCodeKind::kProducts) {
    loops.fill_product_tables(as_products(), turned, tables);
    return;
  }
  for (size_t p = 0; p < places_; ++p) turned[p] *= values_[p];
  loops.fill_level_tables(turned, kNormalLevels, tables);
}

}  // namespace elanus
