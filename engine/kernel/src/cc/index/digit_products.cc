#include "digit_products.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "k_means.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr uint32_t kIterations = 12;
constexpr int kRounds = 3;

using Sixteen = float[kDigitCentroids];

// products[c] = <part, centroid c>, squares[c] = <centroid c, centroid c>.
void multiply(const DigitProducts& products, size_t place, const float* part, Sixteen& dots, Sixteen& squares) {
  std::fill_n(dots, kDigitCentroids, 0.0f);
  std::fill_n(squares, kDigitCentroids, 0.0f);
  const float* centroids = products.at(place);
  for (size_t d = 0; d < products.part(); ++d, centroids += kDigitCentroids) {
    for (size_t c = 0; c < kDigitCentroids; ++c) {
      dots[c] += part[d] * centroids[c];
      squares[c] += centroids[c] * centroids[c];
    }
  }
}

}  // namespace

std::vector<float> learn_digit_products(const CodeLoops& loops, const std::vector<float>& vectors, size_t dim,
                                        size_t places, uint64_t seed, uint32_t threads,
                                        const std::atomic<bool>* cancelled) {
  const size_t part = dim / places;
  const size_t count = vectors.size() / dim;
  std::vector<float> learnt(kDigitCentroids * dim);
  if (count == 0) return learnt;
  parallel_for(threads, places, 1, cancelled, [&](size_t place, size_t) {
    std::vector<float> parts(count * part);
    for (size_t i = 0; i < count; ++i) std::copy_n(vectors.data() + i * dim + place * part, part, parts.data() + i * part);
    const KMeansOptions options = {kDigitCentroids, kIterations, seed_of_part(seed, place), 1, cancelled, nullptr};
    const std::vector<float> centroids = k_means(loops, parts.data(), count, part, options);
    for (size_t c = 0; c < kDigitCentroids; ++c) {
      for (size_t d = 0; d < part; ++d)
        learnt[(place * part + d) * kDigitCentroids + c] = centroids[c * part + d];
    }
  });
  return learnt;
}

void encode_digit_products(const DigitProducts& products, const float* vector, uint8_t* digits, float* coded) {
  struct Choice {
    Sixteen dots;
    Sixteen squares;
  };
  std::vector<Choice> choices(products.places);
  double along = 0;
  double square = 0;
  for (size_t p = 0; p < products.places; ++p) {
    Choice& choice = choices[p];
    multiply(products, p, vector + p * products.part(), choice.dots, choice.squares);
    size_t nearest = 0;
    for (size_t c = 1; c < kDigitCentroids; ++c) {
      const float gain = 2 * choice.dots[c] - choice.squares[c];
      if (gain > 2 * choice.dots[nearest] - choice.squares[nearest]) nearest = c;
    }
    digits[p] = static_cast<uint8_t>(nearest);
    along += static_cast<double>(choice.dots[nearest]);
    square += static_cast<double>(choice.squares[nearest]);
  }
  bool changed = true;
  for (int round = 0; round < kRounds && changed; ++round) {
    changed = false;
    for (size_t p = 0; p < products.places; ++p) {
      const Choice& choice = choices[p];
      const double other_along = along - static_cast<double>(choice.dots[digits[p]]);
      const double other_square = square - static_cast<double>(choice.squares[digits[p]]);
      for (size_t c = 0; c < kDigitCentroids; ++c) {
        const double new_along = other_along + static_cast<double>(choice.dots[c]);
        const double new_square = other_square + static_cast<double>(choice.squares[c]);
        if (!(new_along > 0 && new_along * new_along * square > along * along * new_square)) continue;
        digits[p] = static_cast<uint8_t>(c);
        along = new_along;
        square = new_square;
        changed = true;
      }
    }
  }
  for (size_t d = 0; d < products.dim; ++d)
    coded[d] = products.centroids[d * kDigitCentroids + digits[d / products.part()]];
}

void fill_product_tables(const DigitProducts& products, const float* query, DigitTables* tables) {
  // The least entry of each place, and how far the others are above it at most.
  std::vector<Sixteen> entries(products.places);
  Sixteen squares;
  float base = 0;
  float largest = 0;
  for (size_t p = 0; p < products.places; ++p) {
    multiply(products, p, query + p * products.part(), entries[p], squares);
    const auto [least, most] = std::minmax_element(entries[p], entries[p] + kDigitCentroids);
    const float low = *least;
    largest = std::max(largest, *most - low);
    base += low;
    for (float& entry : entries[p]) entry -= low;
  }
  const float step = largest / 255;
  const float scale = 255 / largest;
  // As in simd/walk.h: numbers too small or too large to say anything count as none.
  const bool usable = step > 0 && scale < 3e38f && std::abs(base) < 3e38f;
  tables->step = usable ? step : 0;
  tables->base = usable ? base : 0;
  std::fill_n(tables->bytes, kDigitCentroids * tables->places, uint8_t{0});
  for (size_t p = 0; p < products.places && usable; ++p) {
    for (size_t c = 0; c < kDigitCentroids; ++c)
      tables->bytes[p * kDigitCentroids + c] = static_cast<uint8_t>(entries[p][c] * scale + 0.5f);
  }
}

}  // namespace elanus
