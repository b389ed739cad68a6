// Jégou et al., Product Quantization for Nearest Neighbor Search (TPAMI 2011); with several stages the residual
// quantizer of Chen et al., Approximate Nearest Neighbor Search by Residual Vector Quantization (Sensors 2010), in
// each sub-space.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "../aligned.h"
#include "k_means.h"
#include "parallel.h"
#include "quantizer_kinds.h"
#include "random.h"

namespace elanus {
namespace {

constexpr size_t kSamplePerCentroid = 256;
constexpr size_t kSampleRowsMax = 65'536;
constexpr size_t kSampleFloatsMax = size_t{1} << 24;
constexpr uint32_t kIterations = 12;
constexpr size_t kRowsAtOnce = 256;

// Some of the rows, one behind the other.
std::vector<float> sample_rows(const VectorSource& rows, size_t dim, size_t wanted, const Training& training) {
  const std::vector<uint32_t> chosen = sample_numbers(rows.rows(), wanted, training.seed);
  std::vector<float> sample(chosen.size() * dim);
  parallel_for(training.threads, chosen.size(), kRowsAtOnce, training.cancelled, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) rows.read(chosen[i], sample.data() + i * dim);
  });
  return sample;
}

// Number `i` of those of `bits` bits that stand one behind the other, the first in the lowest bits of the first byte.
// REQUIRES: four bytes are readable from where it begins.
inline uint32_t number_at(const uint8_t* numbers, size_t i, size_t bits) {
  const size_t at = i * bits;
  uint32_t word;
  std::memcpy(&word, numbers + at / 8, sizeof word);
  return word >> at % 8 & ((1u << bits) - 1);
}

// The tables hold, for each number of a code, what its centroid adds. Bits == 0: as `bits` says.
template <size_t Bits>
struct TableSums {
  const float* tables;
  size_t stride;
  size_t count;
  size_t bits;

  template <size_t R>
  void sum(const uint8_t* const* numbers, float* sums) const {
    float sum[R] = {};
    for (size_t t = 0; t < count; ++t) {
      const float* const table = tables + t * stride;
      for (size_t r = 0; r < R; ++r) sum[r] += table[number_of(numbers[r], t)];
    }
    std::copy_n(sum, R, sums);
  }

  uint32_t number_of(const uint8_t* numbers, size_t t) const {
    if constexpr (Bits == 8) return numbers[t];
    if constexpr (Bits == 4) return numbers[t / 2] >> t % 2 * 4 & 15;
    return number_at(numbers, t, bits);
  }
};

class ProductScorer : public Scorer {
 public:
  ProductScorer(const CodeLoops& loops, const QuantizerSpec& spec, const std::vector<CentroidTable>& centroids)
      : loops_(loops),
        spec_(spec),
        centroids_(centroids),
        has_norm_(spec.metric == ELANUS_L2 && spec.stages > 1),
        tables_(centroids.size() * centroids[0].stride()) {}

  void prepare(const float* query) override {
    const size_t dim = spec_.dim / spec_.subspaces;
    const bool distances = spec_.metric == ELANUS_L2 && !has_norm_;
    const CompareWithCentroids compare = distances ? loops_.centroid_distances : loops_.centroid_dots;
    for (size_t t = 0; t < centroids_.size(); ++t)
      compare(centroids_[t].view(), query + t / spec_.stages * dim, tables_.data() + t * centroids_[t].stride());
    double square = 0;
    for (size_t d = 0; d < spec_.dim; ++d) square += static_cast<double>(query[d]) * static_cast<double>(query[d]);
    query_square_ = static_cast<float>(square);
  }

  void score(const uint8_t* const* codes, size_t count, float* ranks) override {
    constexpr size_t R = 8;
    const uint8_t* numbers[R];
    for (size_t i = 0; i < count; i += R) {
      const size_t some = std::min(R, count - i);
      for (size_t r = 0; r < R; ++r) numbers[r] = codes[i + std::min(r, some - 1)] + (has_norm_ ? sizeof(float) : 0);
      float sums[R];
      add_up<R>(numbers, sums);
      for (size_t r = 0; r < some; ++r) ranks[i + r] = rank(sums[r], codes[i + r]);
    }
  }

 private:
  template <size_t R>
  void add_up(const uint8_t* const* numbers, float* sums) const {
    const size_t stride = centroids_[0].stride();
    if (spec_.bits == 8) return TableSums<8>{tables_.data(), stride, centroids_.size(), 8}.template sum<R>(numbers, sums);
    if (spec_.bits == 4) return TableSums<4>{tables_.data(), stride, centroids_.size(), 4}.template sum<R>(numbers, sums);
    TableSums<0>{tables_.data(), stride, centroids_.size(), spec_.bits}.template sum<R>(numbers, sums);
  }

  float rank(float sum, const uint8_t* code) const {
    if (spec_.metric != ELANUS_L2) return -sum;
    if (!has_norm_) return sum;
    float square;
    std::memcpy(&square, code, sizeof square);
    const float distance = (query_square_ + square) - 2 * sum;
    return distance < 0 ? 0 : distance;
  }

  const CodeLoops& loops_;
  const QuantizerSpec& spec_;
  const std::vector<CentroidTable>& centroids_;
  const bool has_norm_;
  AlignedVector<float> tables_;
  float query_square_ = 0;
};

// A code: for L2 with several stages the squared length of what it stands for, as a float; then for each sub-space
// and in it for each stage the number of a centroid.
class ProductQuantizer : public Quantizer {
 public:
  ProductQuantizer(const QuantizerSpec& spec, const ElanusSimd& simd)
      : Quantizer(spec, simd), loops_(code_loops(simd)) {}

  size_t code_bytes() const override { return norm_bytes() + (table_count() * spec_.bits + 7) / 8; }
  size_t learnt_count() const override { return table_count() * table_floats(); }

  void train(const VectorSource& rows, const Training& training) override {
    const size_t by_memory = std::max(kSampleFloatsMax / dim(), kSamplePerCentroid);
    const size_t wanted = std::min({kSamplePerCentroid << spec_.bits, kSampleRowsMax, by_memory});
    const std::vector<float> sample = sample_rows(rows, dim(), wanted, training);
    learnt_.assign(learnt_count(), 0);
    parallel_for(training.threads, spec_.subspaces, 1, training.cancelled,
                 [&](size_t subspace, size_t) { train_subspace(subspace, sample, training); });
    on_learnt();
  }

  void encode(const float* vector, uint8_t* code) const override {
    std::memset(code, 0, code_bytes());
    std::vector<float> rest(vector, vector + dim());
    double square = 0;
    for (size_t t = 0; t < table_count(); ++t) {
      float* const part = rest.data() + t / spec_.stages * subspace_dim();
      uint32_t number;
      float distance;
      loops_.nearest_centroids(tables_[t].view(), part, subspace_dim(), 1, &number, &distance);
      put_number(code + norm_bytes(), t, number);
      const float* const nearest = centroid(t, number);
      for (size_t d = 0; d < subspace_dim(); ++d) part[d] -= nearest[d];
    }
    if (norm_bytes() == 0) return;
    std::vector<float> decoded(dim());
    decode(code, decoded.data());
    for (const float value : decoded) square += static_cast<double>(value) * static_cast<double>(value);
    const float norm = static_cast<float>(square);
    std::memcpy(code, &norm, sizeof norm);
  }

  void decode(const uint8_t* code, float* vector) const override {
    std::fill_n(vector, dim(), 0.0f);
    for (size_t t = 0; t < table_count(); ++t) {
      const float* const part = centroid(t, get_number(code + norm_bytes(), t));
      float* const out = vector + t / spec_.stages * subspace_dim();
      for (size_t d = 0; d < subspace_dim(); ++d) out[d] += part[d];
    }
  }

  std::unique_ptr<Scorer> scorer() const override { return std::make_unique<ProductScorer>(loops_, spec_, tables_); }

 protected:
  void on_learnt() override {
    tables_.clear();
    for (size_t t = 0; t < table_count(); ++t) tables_.emplace_back(centroid(t, 0), centroid_count(), subspace_dim());
  }

 private:
  size_t subspace_dim() const { return dim() / spec_.subspaces; }
  size_t centroid_count() const { return size_t{1} << spec_.bits; }
  size_t table_count() const { return size_t{spec_.subspaces} * spec_.stages; }
  size_t table_floats() const { return centroid_count() * subspace_dim(); }
  size_t norm_bytes() const { return spec_.metric == ELANUS_L2 && spec_.stages > 1 ? sizeof(float) : 0; }
  const float* centroid(size_t table, size_t number) const {
    return learnt_.data() + table * table_floats() + number * subspace_dim();
  }

  void train_subspace(size_t subspace, const std::vector<float>& sample, const Training& training) {
    const size_t rows = sample.size() / dim();
    const size_t part_dim = subspace_dim();
    std::vector<float> rest(rows * part_dim);
    for (size_t i = 0; i < rows; ++i)
      std::copy_n(sample.data() + i * dim() + subspace * part_dim, part_dim, rest.data() + i * part_dim);
    for (size_t stage = 0; stage < spec_.stages && !is_set(training.cancelled); ++stage) {
      const size_t t = subspace * spec_.stages + stage;
      // The sub-spaces are shared among the threads already.
      const KMeansOptions options = {static_cast<uint32_t>(centroid_count()), kIterations,
                                     seed_of_part(training.seed, t), 1, training.cancelled};
      const std::vector<float> centroids = k_means(loops_, rest.data(), rows, part_dim, options);
      std::copy(centroids.begin(), centroids.end(), learnt_.begin() + static_cast<ptrdiff_t>(t * table_floats()));
      if (stage + 1 < spec_.stages) subtract_nearest(centroids, rows, &rest);
    }
  }

  // Leaves of each vector what its nearest centroid does not account for.
  void subtract_nearest(const std::vector<float>& centroids, size_t rows, std::vector<float>* rest) const {
    const size_t part_dim = subspace_dim();
    const CentroidTable table(centroids.data(), centroid_count(), part_dim);
    std::vector<uint32_t> nearest(rows);
    std::vector<float> distances(rows);
    loops_.nearest_centroids(table.view(), rest->data(), part_dim, rows, nearest.data(), distances.data());
    for (size_t i = 0; i < rows; ++i) {
      for (size_t d = 0; d < part_dim; ++d) (*rest)[i * part_dim + d] -= centroids[nearest[i] * part_dim + d];
    }
  }

  void put_number(uint8_t* numbers, size_t i, uint32_t number) const {
    const size_t at = i * spec_.bits;
    const uint32_t placed = number << at % 8;
    for (size_t byte = 0; byte < (at % 8 + spec_.bits + 7) / 8; ++byte)
      numbers[at / 8 + byte] = static_cast<uint8_t>(numbers[at / 8 + byte] | placed >> 8 * byte);
  }

  uint32_t get_number(const uint8_t* numbers, size_t i) const {
    const size_t at = i * spec_.bits;
    uint32_t word = 0;
    std::memcpy(&word, numbers + at / 8, (at % 8 + spec_.bits + 7) / 8);
    return word >> at % 8 & ((1u << spec_.bits) - 1);
  }

  const CodeLoops& loops_;
  std::vector<CentroidTable> tables_;
};

}  // namespace

std::unique_ptr<Quantizer> make_product_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd) {
  return std::make_unique<ProductQuantizer>(spec, simd);
}

}  // namespace elanus
