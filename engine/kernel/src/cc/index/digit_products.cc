#include "digit_products.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../aligned.h"
#include "k_means.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr uint32_t kIterations = 12;
constexpr int kRounds = 3;

// The compiler cuts them to the size of the machine's own; the same sums in the same order everywhere.
typedef float Sixteen __attribute__((vector_size(kDigitCentroids * sizeof(float))));
typedef int32_t SixteenInts __attribute__((vector_size(kDigitCentroids * sizeof(int32_t))));
typedef uint8_t SixteenBytes __attribute__((vector_size(kDigitCentroids)));

Sixteen load(const float* from) {
  Sixteen numbers;
  std::memcpy(&numbers, from, sizeof numbers);
  return numbers;
}

// <part, centroid c> of each of a place's centroids.
Sixteen multiply(const DigitProducts& products, size_t place, const float* part) {
  const float* centroids = products.at(place);
  Sixteen dots = {};
  for (size_t d = 0; d < products.part(); ++d) dots += load(centroids + d * kDigitCentroids) * part[d];
  return dots;
}

// <centroid c, centroid c>.
Sixteen square(const DigitProducts& products, size_t place) {
  const float* centroids = products.at(place);
  Sixteen squares = {};
  for (size_t d = 0; d < products.part(); ++d) {
    const Sixteen numbers = load(centroids + d * kDigitCentroids);
    squares += numbers * numbers;
  }
  return squares;
}

Sixteen smaller(Sixteen a, Sixteen b) { return a < b ? a : b; }

// Every second of a pair of halves, quarters and so on changes places with the first.
template <int Distance>
Sixteen swapped(Sixteen x) {
  constexpr int D = Distance;
  return __builtin_shufflevector(x, x, 0 ^ D, 1 ^ D, 2 ^ D, 3 ^ D, 4 ^ D, 5 ^ D, 6 ^ D, 7 ^ D, 8 ^ D, 9 ^ D, 10 ^ D,
                                 11 ^ D, 12 ^ D, 13 ^ D, 14 ^ D, 15 ^ D);
}

float smallest(Sixteen x) {
  x = smaller(x, swapped<8>(x));
  x = smaller(x, swapped<4>(x));
  x = smaller(x, swapped<2>(x));
  return smaller(x, swapped<1>(x))[0];
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
  AlignedVector<Choice> choices(products.places);
  double along = 0;
  double coded_square = 0;
  for (size_t p = 0; p < products.places; ++p) {
    Choice& choice = choices[p];
    choice = {multiply(products, p, vector + p * products.part()), square(products, p)};
    size_t nearest = 0;
    for (size_t c = 1; c < kDigitCentroids; ++c) {
      const float gain = 2 * choice.dots[c] - choice.squares[c];
      if (gain > 2 * choice.dots[nearest] - choice.squares[nearest]) nearest = c;
    }
    digits[p] = static_cast<uint8_t>(nearest);
    along += static_cast<double>(choice.dots[nearest]);
    coded_square += static_cast<double>(choice.squares[nearest]);
  }
  bool changed = true;
  for (int round = 0; round < kRounds && changed; ++round) {
    changed = false;
    for (size_t p = 0; p < products.places; ++p) {
      const Choice& choice = choices[p];
      const double other_along = along - static_cast<double>(choice.dots[digits[p]]);
      const double other_square = coded_square - static_cast<double>(choice.squares[digits[p]]);
      for (size_t c = 0; c < kDigitCentroids; ++c) {
        const double new_along = other_along + static_cast<double>(choice.dots[c]);
        const double new_square = other_square + static_cast<double>(choice.squares[c]);
        if (!(new_along > 0 && new_along * new_along * coded_square > along * along * new_square)) continue;
        digits[p] = static_cast<uint8_t>(c);
        along = new_along;
        coded_square = new_square;
        changed = true;
      }
    }
  }
  for (size_t d = 0; d < products.dim; ++d)
    coded[d] = products.centroids[d * kDigitCentroids + digits[d / products.part()]];
}

void fill_product_tables(const DigitProducts& products, const float* query, DigitTables* tables) {
  // How far the entries of each place are above its least.
  AlignedVector<Sixteen> entries(products.places);
  float base = 0;
  float largest = 0;
  for (size_t p = 0; p < products.places; ++p) {
    const Sixteen dots = multiply(products, p, query + p * products.part());
    const float least = smallest(dots);
    entries[p] = dots - least;
    base += least;
    largest = std::max(largest, -smallest(-entries[p]));
  }
  const float step = largest / 255;
  const float scale = 255 / largest;
  // As in simd/walk.h: numbers too small or too large to say anything count as none.
  const bool usable = step > 0 && scale < 3e38f && std::abs(base) < 3e38f;
  tables->step = usable ? step : 0;
  tables->base = usable ? base : 0;
  std::fill_n(tables->bytes, kDigitCentroids * tables->places, uint8_t{0});
  for (size_t p = 0; p < products.places && usable; ++p) {
    const Sixteen scaled = entries[p] * scale + 0.5f;
    const SixteenBytes bytes = __builtin_convertvector(__builtin_convertvector(scaled, SixteenInts), SixteenBytes);
    std::memcpy(tables->bytes + p * kDigitCentroids, &bytes, sizeof bytes);
  }
}

}  // namespace elanus
