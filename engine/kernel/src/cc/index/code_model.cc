#include <algorithm>
#include <cmath>

#include "neighbour_order.h"
#include "parallel.h"
#include "principal_axes.h"
#include "random.h"
#include "walk_codes.h"

namespace elanus {
namespace {

// A record is a code and two floats, in whole cache lines.
constexpr size_t kLine = 64;
constexpr size_t kFactorBytes = 8;
constexpr size_t kCodeDimsMax = 8 * kLine - kFactorBytes;
// Fewer dimensions pay when they hold this share of the differences, and are so few.
constexpr double kShareMin = 0.9;
constexpr double kDimsShareMax = 0.75;
// And when they keep the order of near neighbours to this degree; more where nothing but codes says what is near.
constexpr double kKeptMin = 0.9;
constexpr double kShortKeptMin = 0.95;
constexpr double kShortKeptEnough = 0.99;
constexpr size_t kShortDimsStep = kRowTile;
// The covariances of more dimensions take longer than building on all of them.
constexpr uint32_t kAxesDimMax = 4096;
constexpr uint32_t kSamplesMax = 8192;
constexpr uint32_t kSamplesMin = 256;
// Where no axes are looked for.
constexpr uint32_t kSamplesForMean = 1024;

// As many samples as there are numbers to learn from, so far as they last.
uint32_t samples_of(uint32_t rows, uint32_t dim) {
  if (dim > kAxesDimMax) return std::min(rows, kSamplesForMean);
  return std::min(rows, std::clamp(8 * dim, kSamplesMin, kSamplesMax));
}

// Whether a vector of this squared length says anything about the others. A few that are a hundred times as long would
// leave nothing but themselves to be seen; their own codes are good all the same, since each has a scale of its own.
bool is_ordinary(double square, double median_square) {
  return std::isfinite(square) && (median_square == 0 || square <= 1e4 * median_square);
}

double median_of(std::vector<double> values) {
  // Comparisons with NaN would be without order.
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Takes the mean off a sample and keeps it; returns the sample by dimension.
AlignedVector<float> centred_columns(const ElanusSimd& simd, const DenseRows& rows, uint64_t seed, CodeModel* model,
                                     size_t* samples) {
  const std::vector<uint32_t> chosen = sample_numbers(rows.rows, samples_of(rows.rows, rows.dim), seed);
  const RowReader reader(simd, rows.type, model->metric, rows.dim);
  const size_t stride = padded_floats(chosen.size());
  AlignedVector<float> columns(rows.dim * stride);
  const SquareNorm square_norm = simd.float32.square_norm;
  AlignedVector<float> vector(padded_floats(rows.dim));
  const auto read = [&](uint32_t row) {
    reader.read(rows.at(row), vector.data());
    return square_norm(reinterpret_cast<const uint8_t*>(vector.data()), rows.dim);
  };
  std::vector<double> squares;
  for (const uint32_t row : chosen) squares.push_back(read(row));
  const double median = median_of(squares);
  size_t used = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (!is_ordinary(squares[i], median)) continue;
    read(chosen[i]);
    for (uint32_t d = 0; d < rows.dim; ++d) columns[d * stride + used] = vector[d];
    ++used;
  }
  for (uint32_t d = 0; d < rows.dim && used > 0; ++d) {
    float* const column = columns.data() + d * stride;
    double sum = 0;
    for (size_t i = 0; i < used; ++i) sum += static_cast<double>(column[i]);
    model->mean[d] = static_cast<float>(sum / static_cast<double>(used));
    for (size_t i = 0; i < used; ++i) column[i] -= model->mean[d];
  }
  *samples = used;
  return columns;
}

// Brings coordinates to about 1, where their squares are far from both ends of what a float can be.
float gain_for(const AlignedVector<float>& columns, size_t values) {
  double sum = 0;
  for (const float x : columns) sum += static_cast<double>(x) * static_cast<double>(x);
  const double gain = 1 / std::sqrt(sum / static_cast<double>(std::max<size_t>(values, 1)));
  return gain > 1e-30 && gain < 1e30 ? static_cast<float>(gain) : 1;
}

// What the section "code model" holds.
struct Head {
  uint32_t type;
  uint32_t metric;
  uint32_t dim;
  uint32_t code_dim;
  float gain;
  uint32_t has_axes;
};

// Of how many axes there may be codes, how good they must be, and how good they need not be better.
struct AxisCounts {
  size_t least;
  size_t step;
  size_t most;
  double kept_min;
  double kept_enough;
};

CodeModel learn_model(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, const AxisCounts& counts,
                      uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled) {
  CodeModel model;
  model.type = rows.type;
  model.metric = metric;
  model.dim = rows.dim;
  model.code_dim = rows.dim;
  model.mean.assign(padded_floats(rows.dim), 0);
  if (rows.rows == 0) return model;
  size_t samples = 0;
  const AlignedVector<float> columns = centred_columns(simd, rows, seed, &model, &samples);
  model.gain = gain_for(columns, samples * rows.dim);
  if (counts.most < counts.least || rows.dim > kAxesDimMax || samples < 2 * size_t{rows.dim}) return model;
  PrincipalAxes found =
      find_principal_axes(simd, columns.data(), rows.dim, padded_floats(samples_of(rows.rows, rows.dim)), counts.most,
                          seed_of_part(seed, 1), threads, cancelled);
  NeighbourOrder order(simd, rows, metric, model.mean.data(), found, seed_of_part(seed, 2), threads, cancelled);
  size_t chosen = 0;
  for (size_t dims = counts.least; dims <= counts.most; dims += counts.step) {
    if (found.share(dims) < kShareMin) continue;
    const double kept = order.kept(dims);
    if (kept >= counts.kept_min) chosen = dims;
    if (kept >= counts.kept_enough) break;
  }
  if (chosen == 0) return model;
  model.code_dim = static_cast<uint32_t>(chosen);
  found.axes.resize(chosen * padded_floats(rows.dim));
  model.axes = std::move(found.axes);
  return model;
}

// Whole numbers of steps behind the first count.
size_t most_axes(size_t least, size_t step, size_t limit) {
  return limit < least ? 0 : least + (limit - least) / step * step;
}

}  // namespace

CodeModel CodeModel::learn(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, uint64_t seed,
                           uint32_t threads, const std::atomic<bool>* cancelled) {
  constexpr size_t kFirst = kLine - kFactorBytes;
  const auto fewer = static_cast<size_t>(rows.dim * kDimsShareMax);
  const AxisCounts counts = {kFirst, kLine, most_axes(kFirst, kLine, std::min(fewer, kCodeDimsMax)), kKeptMin, kKeptMin};
  return learn_model(simd, rows, metric, counts, seed, threads, cancelled);
}

CodeModel CodeModel::learn_short(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric,
                                 size_t record_bytes_max, uint64_t seed, uint32_t threads,
                                 const std::atomic<bool>* cancelled) {
  const auto fewer = static_cast<size_t>(rows.dim * kDimsShareMax);
  const size_t limit = std::min(fewer, record_bytes_max - std::min(record_bytes_max, kFactorBytes));
  const AxisCounts counts = {kShortDimsStep, kShortDimsStep,
                             most_axes(kShortDimsStep, kShortDimsStep, std::min(limit, kCodeDimsMax)), kShortKeptMin,
                             kShortKeptEnough};
  return learn_model(simd, rows, metric, counts, seed, threads, cancelled);
}

void CodeModel::write(IndexFileWriter& writer) const {
  const Head head = {type, metric, dim, code_dim, gain, axes.empty() ? 0u : 1u};
  writer.add("code model", &head, 1);
  writer.add("code mean", mean.data(), mean.size());
  if (!axes.empty()) writer.add("code axes", axes.data(), axes.size());
}

FileFault CodeModel::read(const IndexFile& file, CodeModel* model) {
  const auto* const head = file.array<Head>("code model", 1);
  const bool plausible =
      head != nullptr && head->dim >= 1 && head->dim <= ELANUS_INT8_DIM_MAX && head->metric <= ELANUS_COSINE &&
      dense_bytes(static_cast<ElanusVectorType>(head->type), head->dim) > 0 && head->type != ELANUS_BINARY &&
      head->code_dim >= 1 && (head->has_axes == 0 ? head->code_dim == head->dim : head->code_dim < head->dim) &&
      (head->has_axes == 0 || head->code_dim % kRowTile == 0);
  if (!plausible) return file.damaged("its codes are of no kind that there is");
  model->type = static_cast<ElanusVectorType>(head->type);
  model->metric = static_cast<ElanusMetric>(head->metric);
  model->dim = head->dim;
  model->code_dim = head->code_dim;
  model->gain = head->gain;
  const size_t stride = padded_floats(head->dim);
  const auto* const mean = file.array<float>("code mean", stride);
  if (mean == nullptr) return file.damaged("the mean of its vectors is of another dimension");
  model->mean.assign(mean, mean + stride);
  if (head->has_axes == 0) return {};
  const auto* const axes = file.array<float>("code axes", head->code_dim * stride);
  if (axes == nullptr) return file.damaged("its axes are of another dimension");
  model->axes.assign(axes, axes + head->code_dim * stride);
  return {};
}

}  // namespace elanus
