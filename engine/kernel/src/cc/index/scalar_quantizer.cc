#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>

#include "../aligned.h"
#include "parallel.h"
#include "quantizer_kinds.h"

namespace elanus {
namespace {

constexpr size_t kRowsAtOnce = 1024;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// The least and the greatest that was met, per dimension.
struct Ranges {
  std::vector<float> lowest;
  std::vector<float> highest;

  explicit Ranges(size_t dim)
      : lowest(dim, std::numeric_limits<float>::infinity()), highest(dim, -std::numeric_limits<float>::infinity()) {}

  // NaN and infinity are no bounds.
  void widen(size_t d, float value) {
    if (!std::isfinite(value)) return;
    lowest[d] = std::min(lowest[d], value);
    highest[d] = std::max(highest[d], value);
  }
};

class ScalarScorer : public Scorer {
 public:
  ScalarScorer(const CodeLoops::Measures& measures, ElanusMetric metric, size_t dim, const float* minima,
               const float* steps)
      : measures_(measures),
        is_l2_(metric == ELANUS_L2),
        dim_(dim),
        minima_(minima),
        query_(round_up(dim, kCodeGroup)),
        steps_(query_.size()) {
    std::copy_n(steps, dim, steps_.begin());
  }

  // (q - (min + step * code))^2 = ((q - min) - step * code)^2, and q * (min + step * code) = q * min + (q * step) * code
  void prepare(const float* query) override {
    double product = 0;
    for (size_t d = 0; d < dim_; ++d) {
      const float q = query[d];
      product += static_cast<double>(q) * static_cast<double>(minima_[d]);
      query_[d] = is_l2_ ? q - minima_[d] : q * steps_[d];
    }
    product_with_minima_ = static_cast<float>(product);
  }

  void score(const uint8_t* const* codes, size_t count, float* ranks) override {
    const CodeQuery query = {query_.data(), steps_.data(), query_.size() / kCodeGroup};
    if (is_l2_) return measures_.square_distance(query, codes, count, ranks);
    measures_.dot(query, codes, count, ranks);
    for (size_t i = 0; i < count; ++i) ranks[i] = -(ranks[i] + product_with_minima_);
  }

 private:
  const CodeLoops::Measures& measures_;
  const bool is_l2_;
  const size_t dim_;
  const float* const minima_;
  AlignedVector<float> query_;
  AlignedVector<float> steps_;
  float product_with_minima_ = 0;
};

// A dimension's code c stands for min + step * c. Four codes lie in `bits` / 2 bytes, the first in the lowest bits.
class ScalarQuantizer : public Quantizer {
 public:
  using Quantizer::Quantizer;

  size_t code_bytes() const override { return round_up(dim(), kCodeGroup) * bits() / 8; }
  // The minima, then the steps.
  size_t learnt_count() const override { return 2 * dim(); }

  void train(const VectorSource& rows, const Training& training) override {
    Ranges ranges(dim());
    std::mutex mutex;
    parallel_for(training.threads, rows.rows(), kRowsAtOnce, training.cancelled, [&](size_t begin, size_t end) {
      Ranges mine(dim());
      std::vector<float> row(dim());
      for (size_t i = begin; i < end; ++i) {
        rows.read(static_cast<uint32_t>(i), row.data());
        for (size_t d = 0; d < dim(); ++d) mine.widen(d, row[d]);
      }
      const std::lock_guard lock(mutex);
      for (size_t d = 0; d < dim(); ++d) {
        ranges.widen(d, mine.lowest[d]);
        ranges.widen(d, mine.highest[d]);
      }
    });
    if (spec_.kind == QuantizerKind::kSq4Uniform) make_uniform(&ranges);
    learnt_.assign(learnt_count(), 0);
    for (size_t d = 0; d < dim(); ++d) {
      if (ranges.lowest[d] > ranges.highest[d]) continue;  // nothing finite
      learnt_[d] = ranges.lowest[d];
      const double width = static_cast<double>(ranges.highest[d]) - static_cast<double>(ranges.lowest[d]);
      learnt_[dim() + d] = static_cast<float>(width / code_max());
    }
  }

  void encode(const float* vector, uint8_t* code) const override {
    std::memset(code, 0, code_bytes());
    for (size_t first = 0; first < dim(); first += 4) {
      uint32_t word = 0;
      for (size_t i = 0; i < std::min<size_t>(4, dim() - first); ++i)
        word |= encode_dimension(first + i, vector[first + i]) << (i * bits());
      std::memcpy(code + first / 4 * quad_bytes(), &word, quad_bytes());
    }
  }

  void decode(const uint8_t* code, float* vector) const override {
    for (size_t d = 0; d < dim(); ++d) {
      uint32_t word = 0;
      std::memcpy(&word, code + d / 4 * quad_bytes(), quad_bytes());
      const uint32_t number = word >> (d % 4 * bits()) & ((1u << bits()) - 1);
      vector[d] = static_cast<float>(static_cast<double>(minimum(d)) + static_cast<double>(step(d)) * number);
    }
  }

  std::unique_ptr<Scorer> scorer() const override {
    const CodeLoops& loops = code_loops(simd_);
    const CodeLoops::Measures& measures = bits() == 4 ? loops.bits4 : bits() == 6 ? loops.bits6 : loops.bits8;
    return std::make_unique<ScalarScorer>(measures, spec_.metric, dim(), learnt_.data(), learnt_.data() + dim());
  }

 private:
  static void make_uniform(Ranges* ranges) {
    const float lowest = *std::min_element(ranges->lowest.begin(), ranges->lowest.end());
    const float highest = *std::max_element(ranges->highest.begin(), ranges->highest.end());
    std::fill(ranges->lowest.begin(), ranges->lowest.end(), lowest);
    std::fill(ranges->highest.begin(), ranges->highest.end(), highest);
  }

  uint32_t bits() const {
    return spec_.kind == QuantizerKind::kSq4Uniform ? 4 : spec_.kind == QuantizerKind::kSq6 ? 6 : 8;
  }
  size_t quad_bytes() const { return bits() / 2; }
  double code_max() const { return (1 << bits()) - 1; }
  float minimum(size_t d) const { return learnt_[d]; }
  float step(size_t d) const { return learnt_[dim() + d]; }

  uint32_t encode_dimension(size_t d, float value) const {
    if (!(step(d) > 0)) return 0;
    const double place = (static_cast<double>(value) - static_cast<double>(minimum(d))) / static_cast<double>(step(d));
    if (!(place > 0)) return 0;  // NaN too
    return static_cast<uint32_t>(std::min(place + 0.5, code_max()));
  }
};

}  // namespace

std::unique_ptr<Quantizer> make_scalar_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd) {
  return std::make_unique<ScalarQuantizer>(spec, simd);
}

}  // namespace elanus
