#include "list_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "code_choice.h"
#include "inverted_lists.h"
#include "k_means.h"
#include "ordered_dot.h"
#include "parallel.h"
#include "random.h"
#include "spread.h"

namespace elanus {
namespace {

// Fewer rows a list than this are not enough to learn a centroid from (as Milvus has it): there are fewer lists, then.
constexpr uint32_t kRowsPerListMin = 39;
// More rows a list make no better centroids.
constexpr size_t kSamplePerList = 64;
// What the sample may take of the memory, whatever the number of lists.
constexpr size_t kSampleFloatsMax = size_t{1} << 28;
constexpr uint32_t kIterations = 10;
constexpr size_t kRowsAtOnce = 512;
constexpr uint32_t kDigitBits = 4;
// Of SCANN a digit stands for so many dimensions at least, where vectors have the last word.
constexpr uint32_t kDigitDimensions = 4;
constexpr uint32_t kTriedQueries = 128;
constexpr uint32_t kTriedLists = 4;
// A list's best row is hardly ever nearer than usual by more standard deviations than these.
constexpr double kGainDeviations = 3;

// Of the time that a build takes, about: when there are centroids, when rows have lists, when they have short codes.
constexpr float kLearntAt = 0.5f;
constexpr float kAssignedAt = 0.7f;
constexpr float kCodedAt = 0.85f;

// Parts of a seed: see seed_of_part.
enum SeedPart : uint64_t { kSampleSeed, kMeansSeed, kFinderSeed, kCentroidSeed, kMeanSeed, kCodeSeed, kResidualSeed,
                           kRefinedSeed, kErrorSeed };

bool is_one_bit(const ElanusIndexSpec& spec) { return spec.type == ELANUS_IVF_RABITQ && spec.bits == 1; }
bool is_digits(const ElanusIndexSpec& spec) {
  return spec.type == ELANUS_SCANN || (spec.type == ELANUS_IVF_PQ && spec.bits == kDigitBits);
}

FinalRanks final_ranks(const ElanusIndexSpec& spec) {
  if (spec.type == ELANUS_IVF_FLAT || spec.refine == ELANUS_CODE_FP32) return FinalRanks::kVectors;
  return spec.refine == ELANUS_CODE_NONE ? FinalRanks::kCodes : FinalRanks::kRefined;
}

// Half of the digits find as many rows to compare and are scanned in half of the time (docs/decisions/0076).
uint32_t digits_of(const ElanusIndexSpec& spec, uint32_t dim) {
  uint32_t digits = spec.subquantizers;
  if (spec.type != ELANUS_SCANN || final_ranks(spec) != FinalRanks::kVectors) return digits;
  while (digits % 2 == 0 && dim / digits * 2 <= kDigitDimensions) digits /= 2;
  return digits;
}

bool has_residuals(const ElanusIndexSpec& spec) {
  return spec.type != ELANUS_IVF_FLAT && !is_one_bit(spec) && !is_digits(spec);
}

// Of codes of what rows are off their centroids.
QuantizerSpec residual_spec(const ElanusIndexSpec& spec, uint32_t dim) {
  if (spec.type == ELANUS_IVF_PQ) return {QuantizerKind::kProduct, dim, ELANUS_IP, spec.subquantizers, spec.bits, 1};
  if (spec.type == ELANUS_IVF_SQ) return {scalar_kind(spec.code), dim, ELANUS_IP, 0, 0, 0};
  // RaBitQ of several bits: its first bit stands in the codes of the lists.
  const QuantizerKind kind = spec.bits <= 4   ? QuantizerKind::kSq4Uniform
                             : spec.bits <= 6 ? QuantizerKind::kSq6
                                              : QuantizerKind::kSq8;
  return {kind, dim, ELANUS_IP, 0, 0, 0};
}

class ListBuilder {
 public:
  ListBuilder(const ElanusSimd& simd, StoredRows rows, const ElanusIndexBuild& build, WorkControl* control)
      : simd_(simd),
        build_(build),
        control_(control),
        stored_(std::move(rows)),
        rows_(stored_.view(stored_.rows())),
        parts_(std::make_unique<ListParts>(simd, build.type, build.metric, build.dim)) {}

  std::unique_ptr<ListParts> run() {
    parts_->final_ranks = final_ranks(build_.spec);
    parts_->codes_screen = !is_digits(build_.spec) && !is_one_bit(build_.spec);
    if (rows_.rows > 0) {
      learn_centroids();
      if (!is_cancelled()) assign();
      if (!is_cancelled()) encode();
      if (!is_cancelled()) refine();
    }
    if (is_cancelled()) return nullptr;
    if (parts_->final_ranks == FinalRanks::kVectors) parts_->vectors.emplace(std::move(stored_));
    control_->done = 1;
    return std::move(parts_);
  }

 private:
  bool is_cancelled() const { return is_set(&control_->cancelled); }
  uint64_t seed(SeedPart part) const { return seed_of_part(build_.seed, part); }
  uint32_t dim() const { return build_.dim; }

  void learn_centroids() {
    const uint32_t lists = std::clamp(rows_.rows / kRowsPerListMin, 1u, build_.spec.lists);
    const size_t wanted = std::min(kSamplePerList * lists, std::max<size_t>(kSampleFloatsMax / dim(), lists));
    const std::vector<uint32_t> chosen = sample_numbers(rows_.rows, wanted, seed(kSampleSeed));
    AlignedVector<float> sample(chosen.size() * dim() + kQueryPadding);
    parallel_for(build_.threads, chosen.size(), kRowsAtOnce, &control_->cancelled, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) parts_->reader.read(rows_.at(chosen[i]), sample.data() + i * dim());
    });
    const DenseRows rows = {ELANUS_FLOAT32, dim(),   dim() * sizeof(float), reinterpret_cast<const uint8_t*>(sample.data()),
                            static_cast<uint32_t>(chosen.size()), nullptr, nullptr};
    finder_.emplace(simd_, rows, seed(kFinderSeed), build_.threads, &control_->cancelled);
    if (is_cancelled()) return;
    const KMeansOptions options = {lists, kIterations, seed(kMeansSeed), build_.threads, &control_->cancelled,
                                   [this](float share) { control_->done = kLearntAt * share; }};
    means_ = k_means(*finder_, sample.data(), chosen.size(), dim(), options);
  }

  // Lists in which no row stands are left out.
  void assign() {
    const auto lists = static_cast<uint32_t>(means_.size() / dim());
    finder_->set(means_.data(), lists);
    std::vector<uint32_t> list_of_row(rows_.rows);
    std::vector<float> distances(rows_.rows);
    std::atomic<size_t> done = 0;
    parallel_for(build_.threads, rows_.rows, kRowsAtOnce, &control_->cancelled, [&](size_t begin, size_t end) {
      AlignedVector<float> vectors((end - begin) * dim() + kQueryPadding);
      for (size_t i = begin; i < end; ++i)
        parts_->reader.read(rows_.at(static_cast<uint32_t>(i)), vectors.data() + (i - begin) * dim());
      finder_->find(vectors.data(), end - begin, list_of_row.data() + begin, distances.data() + begin);
      const auto share = static_cast<float>(done += end - begin) / static_cast<float>(rows_.rows);
      raise_done(kLearntAt + (kAssignedAt - kLearntAt) * share);
    });
    if (is_cancelled()) return;
    finder_.reset();
    std::vector<uint32_t> number(lists);
    for (const uint32_t list : list_of_row) number[list] = 1;
    AlignedVector<float> used;
    uint32_t count = 0;
    for (uint32_t list = 0; list < lists; ++list) {
      if (number[list] == 0) continue;
      number[list] = count++;
      const float* const mean = means_.data() + size_t{list} * dim();
      used.insert(used.end(), mean, mean + dim());
    }
    for (uint32_t& list : list_of_row) list = number[list];
    parts_->order = ListOrder(list_of_row, count);
    list_of_row_ = std::move(list_of_row);
    parts_->centroids.learn(std::move(used), seed(kCentroidSeed), build_.threads, &control_->cancelled);
    parts_->centroids.set_spread_lengths(spread_lengths(distances));
  }

  // `distances` are squared.
  std::vector<float> spread_lengths(const std::vector<float>& distances) const {
    std::vector<double> sums(parts_->order.lists());
    for (uint32_t row = 0; row < rows_.rows; ++row) {
      if (std::isfinite(distances[row])) sums[list_of_row_[row]] += static_cast<double>(std::max(distances[row], 0.0f));
    }
    std::vector<float> lengths(sums.size());
    for (uint32_t list = 0; list < lengths.size(); ++list)
      lengths[list] = static_cast<float>(std::sqrt(sums[list] / parts_->order.size(list)));
    return lengths;
  }

  // Threads may tell of what they have done in another order.
  void raise_done(float share) {
    float known = control_->done.load(std::memory_order_relaxed);
    while (known < share && !control_->done.compare_exchange_weak(known, share, std::memory_order_relaxed)) {
    }
  }

  void encode() {
    AlignedVector<float> mean = mean_of(parts_->reader, rows_, seed(kMeanSeed));
    parts_->codes = ListCodes(build_.metric, std::move(mean), choose_code());
    if (is_cancelled()) return;
    parts_->codes.encode(simd_, rows_, parts_->centroids, parts_->order, build_.threads, &control_->cancelled);
    if (is_cancelled()) return;
    try_rows_as_queries();
    control_->done = kCodedAt;
    if (!has_residuals(build_.spec)) return;
    parts_->residuals =
        ResidualCodes::encode(residual_spec(build_.spec, dim()), simd_, build_.metric, rows_, parts_->centroids,
                              parts_->order, parts_->codes.mean().data(),
                              {seed(kResidualSeed), build_.threads, &control_->cancelled});
  }

  NeighbourCode choose_code() {
    const OriginOfRow origin_of = [this](uint32_t row) { return parts_->centroids.at(list_of_row_[row]); };
    if (is_one_bit(build_.spec)) return NeighbourCode::signs(dim(), seed(kCodeSeed));
    if (is_digits(build_.spec))
      return learn_digit_code(simd_, build_.metric, rows_, origin_of, digits_of(build_.spec, dim()), seed(kCodeSeed),
                              build_.threads, &control_->cancelled);
    return choose_scan_code(simd_, build_.metric, rows_, origin_of, seed(kCodeSeed), build_.threads,
                            &control_->cancelled)
        .code;
  }

  // How far off the estimates of the lists near to a query are, and how near their best rows.
  void try_rows_as_queries() {
    ScanQuery query;
    CentroidScratch scratch;
    ExactRanks exact;
    Spread errors;
    Spread gains;
    Spread distances;
    for (const uint32_t row : sample_numbers(rows_.rows, kTriedQueries, seed(kErrorSeed))) {
      query.query.resize(dim());
      parts_->reader.read(rows_.at(row), query.query.data());
      parts_->codes.prepare(simd_.walk, &query);
      exact.begin(simd_, rows_.type, build_.metric, dim(), rows_.at(row));
      for (const NearList& near : parts_->centroids.nearest(query.query.data(), kTriedLists, scratch)) {
        add_errors(query, exact, near.list, &errors);
        add_gain(query, exact, near, row, &gains);
        distances.add(std::sqrt(std::max(0.0f, near.rank)));
      }
    }
    parts_->codes.set_error(static_cast<float>(std::sqrt(errors.mean_square())));
    parts_->centroids.set_gains(static_cast<float>(gains.mean()),
                                static_cast<float>(gains.mean() + kGainDeviations * gains.deviation()),
                                static_cast<float>(distances.mean()));
  }

  void add_errors(const ScanQuery& query, const ExactRanks& exact, uint32_t list, Spread* errors) const {
    const ListOrder& order = parts_->order;
    const float* const centroid = parts_->centroids.at(list);
    double distance_square = 0;
    double product = 0;
    for (uint32_t d = 0; d < dim(); ++d) {
      const double x = static_cast<double>(query.query[d]);
      const double c = static_cast<double>(centroid[d]);
      distance_square += (x - c) * (x - c);
      product += x * c;
    }
    const bool is_l2 = build_.metric == ELANUS_L2;
    const double unit = std::sqrt((is_l2 ? 4 : 1) * distance_square);
    if (!(unit > 1e-15 && unit < 1e15)) return;
    alignas(64) float estimates[kBlockNeighbours];
    float ranks[kBlockNeighbours];
    uint32_t position = order.begin(list);
    for (uint32_t block = order.first_block(list); position < order.end(list); ++block) {
      const uint32_t here = std::min<uint32_t>(kBlockNeighbours, order.end(list) - position);
      parts_->codes.estimate(simd_.walk, query, block, static_cast<float>(is_l2 ? distance_square : -product), 0,
                             estimates);
      exact.rank(rows_, order.rows_from(position), here, ranks);
      for (uint32_t i = 0; i < here; ++i)
        errors->add((static_cast<double>(estimates[i]) - static_cast<double>(ranks[i])) / unit);
      position += here;
    }
  }

  // Of a list's best row but the query itself.
  void add_gain(const ScanQuery& query, const ExactRanks& exact, const NearList& near, uint32_t row,
                Spread* gains) const {
    const ListOrder& order = parts_->order;
    const uint32_t size = order.size(near.list);
    std::vector<float> ranks(size + kRowTile);
    exact.rank(rows_, order.rows_from(order.begin(near.list)), size, ranks.data());
    float best = std::numeric_limits<float>::infinity();
    for (uint32_t i = 0; i < size; ++i) {
      if (order.row(order.begin(near.list) + i) != row) best = std::min(best, ranks[i]);
    }
    const float query_square = square_length(query.query.data(), dim());
    // COSINE finds lists by distances, of rows of length 1.
    if (build_.metric == ELANUS_COSINE) best = 2 * best + query_square + 1;
    const auto rank_at = [&](float gain) {
      return parts_->centroids.rank_of_row(near.list, near.rank, std::sqrt(query_square), gain);
    };
    gains->add(static_cast<double>(rank_at(0) - best) / static_cast<double>(rank_at(0) - rank_at(1)));
  }

  void refine() {
    if (parts_->final_ranks != FinalRanks::kRefined) return;
    const OrderedRows ordered(parts_->reader, rows_, parts_->order);
    const QuantizerSpec spec = {scalar_kind(build_.spec.refine), dim(), build_.metric, 0, 0, 0};
    parts_->refined =
        CodedRows::encode(spec, simd_, ordered, {seed(kRefinedSeed), build_.threads, &control_->cancelled});
  }

  const ElanusSimd& simd_;
  const ElanusIndexBuild& build_;
  WorkControl* const control_;
  StoredRows stored_;
  const DenseRows rows_;
  std::unique_ptr<ListParts> parts_;
  std::optional<CodedCentroids> finder_;
  std::vector<float> means_;
  std::vector<uint32_t> list_of_row_;
};

}  // namespace

bool is_valid_inverted_lists(const ElanusIndexBuild& build) {
  const ElanusIndexSpec& spec = build.spec;
  if (spec.lists < 1 || spec.lists > ELANUS_LISTS_MAX || spec.refine == ELANUS_CODE_SQ4U) return false;
  switch (spec.type) {
    case ELANUS_IVF_FLAT:
      return spec.refine == ELANUS_CODE_NONE;
    case ELANUS_IVF_SQ:
      return spec.code == ELANUS_CODE_SQ4U || spec.code == ELANUS_CODE_SQ6 || spec.code == ELANUS_CODE_SQ8;
    case ELANUS_IVF_PQ:
      return is_valid_quantizer(residual_spec(spec, build.dim));
    case ELANUS_IVF_RABITQ:
      return spec.bits >= 1 && spec.bits <= ELANUS_RABITQ_BITS_MAX;
    case ELANUS_SCANN:
      return (spec.refine == ELANUS_CODE_NONE || spec.refine == ELANUS_CODE_FP32) && spec.subquantizers >= 1 &&
             build.dim % spec.subquantizers == 0;
    default:
      return false;
  }
}

std::unique_ptr<ListParts> build_list_parts(const ElanusSimd& simd, StoredRows rows, const ElanusIndexBuild& build,
                                            WorkControl* control) {
  return ListBuilder(simd, std::move(rows), build, control).run();
}

}  // namespace elanus
