#include "digit_products.h"

#include <algorithm>

#include "k_means.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr uint32_t kIterations = 12;

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

AlignedVector<float> squares_of_products(const float* centroids, size_t dim, size_t places) {
  const size_t part = dim / places;
  AlignedVector<float> squares(kDigitCentroids * places);
  for (size_t d = 0; d < dim; ++d) {
    const float* const numbers = centroids + d * kDigitCentroids;
    for (size_t c = 0; c < kDigitCentroids; ++c) squares[d / part * kDigitCentroids + c] += numbers[c] * numbers[c];
  }
  return squares;
}

}  // namespace elanus
