#include "walk_codes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "parallel.h"
#include "principal_axes.h"
#include "records_in_order.h"

namespace elanus {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kRecordBorder = 8;
constexpr size_t kRowsPerRun = 256;
constexpr size_t kRowsPerProjection = 48;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// A rank that is no number would hide all others.
float finite_or_zero(double value) {
  const auto number = static_cast<float>(value);
  return std::isfinite(number) ? number : 0;
}

// A record begins where a cache line does, so that it lies in as few as it can; unless it would lie in no more of them when
// the next one follows at once, as with codes of 128 bytes.
size_t padded_record(size_t bytes) {
  const bool fits_anywhere = (bytes - 1) % kLine < kRecordBorder;
  return round_up(bytes, fits_anywhere ? kRecordBorder : kLine);
}

void load_code(const uint8_t* code, size_t dim, WalkQuery* out) {
  out->code.resize(round_up(dim, kQueryPadding));
  std::memcpy(out->code.data(), code, dim);
  std::memset(out->code.data() + dim, 0, out->code.size() - dim);
  int32_t sum = 0;
  for (size_t d = 0; d < dim; ++d) sum += static_cast<int8_t>(code[d]);
  out->sum = sum;
}

}  // namespace

size_t CodeModel::record_bytes(RecordGaps gaps) const {
  const size_t bytes = code_dim + 2 * sizeof(float);
  return gaps == RecordGaps::kToLines ? padded_record(bytes) : bytes;
}

WalkCodes::WalkCodes(const ElanusSimd& simd, CodeModel model, RecordGaps gaps)
    : simd_(simd),
      model_(std::move(model)),
      reader_(simd, model_.type, model_.metric, model_.dim),
      record_bytes_(model_.record_bytes(gaps)) {}

void WalkCodes::write(IndexFileWriter& writer) const {
  model_.write(writer);
  writer.add("codes", records_.data(), rows_ * record_bytes_);
}

FileFault WalkCodes::read(const IndexFile& file, uint32_t rows) {
  const auto* const records = file.array<uint8_t>("codes", rows * record_bytes_);
  if (records == nullptr) return file.damaged("its codes are not as many as its rows");
  records_ = HugeArray<uint8_t>::borrow(records, rows * record_bytes_);
  rows_ = rows;
  return {};
}

// Turns vectors, which stand padded_floats(dim) apart and are changed, into coordinates, code_dim apart.
void WalkCodes::project(float* vectors, size_t count, float* coordinates) const {
  const size_t stride = padded_floats(model_.dim);
  const size_t code_dim = model_.code_dim;
  for (size_t i = 0; i < count; ++i) {
    float* const vector = vectors + i * stride;
    for (uint32_t d = 0; d < model_.dim; ++d) vector[d] = (vector[d] - model_.mean[d]) * model_.gain;
    if (model_.axes.empty()) std::copy_n(vector, code_dim, coordinates + i * code_dim);
  }
  if (model_.axes.empty()) return;
  // The numbers of axes are multiples of kRowTile.
  std::vector<const uint8_t*> axes(code_dim);
  for (size_t a = 0; a < code_dim; ++a) axes[a] = reinterpret_cast<const uint8_t*>(model_.axes.data() + a * stride);
  simd_.float32.dot({.queries = reinterpret_cast<const uint8_t*>(vectors),
                     .query_stride = stride * sizeof(float),
                     .query_count = count,
                     .query_sums = nullptr,
                     .rows = axes.data(),
                     .soon = axes.data(),
                     .soon_bytes = 0,
                     .row_count = code_dim,
                     .dim = model_.dim,
                     .scores = coordinates,
                     .score_stride = code_dim});
}

void WalkCodes::encode(const DenseRows& rows, uint32_t threads, const std::atomic<bool>* cancelled) {
  records_.resize(size_t{rows.rows} * record_bytes_);
  parallel_for(threads, rows.rows, kRowsPerRun, cancelled, [&](size_t begin, size_t end) {
    code_run(rows, static_cast<uint32_t>(begin), static_cast<uint32_t>(end));
  });
  rows_ = rows.rows;
}

void WalkCodes::code_run(const DenseRows& rows, uint32_t begin, uint32_t end) {
  const size_t stride = padded_floats(model_.dim);
  const size_t code_dim = model_.code_dim;
  AlignedVector<float> vectors(kRowsPerProjection * stride);
  std::vector<float> coordinates(kRowsPerProjection * code_dim);
  double means[kRowsPerProjection] = {};
  for (uint32_t first = begin; first < end; first += kRowsPerProjection) {
    const size_t count = std::min<size_t>(kRowsPerProjection, end - first);
    for (size_t i = 0; i < count; ++i) {
      float* const vector = vectors.data() + i * stride;
      reader_.read(rows.at(first + static_cast<uint32_t>(i)), vector);
      if (model_.metric != ELANUS_IP) continue;
      // What the mean takes off an inner product.
      double product = 0;
      for (uint32_t d = 0; d < model_.dim; ++d)
        product += static_cast<double>(vector[d]) * static_cast<double>(model_.mean[d]);
      means[i] = product * static_cast<double>(model_.gain) * static_cast<double>(model_.gain);
    }
    project(vectors.data(), count, coordinates.data());
    for (size_t i = 0; i < count; ++i) {
      uint8_t* const record = records_.data() + (first + i) * record_bytes_;
      const CodeFactors coded = simd_.encode(reinterpret_cast<const uint8_t*>(coordinates.data() + i * code_dim),
                                             code_dim, reinterpret_cast<int8_t*>(record));
      const double length = static_cast<double>(coded.length);
      const Factors factors = {finite_or_zero(model_.metric == ELANUS_IP ? -means[i] : length * length), coded.scale};
      std::memcpy(record + code_dim, &factors, sizeof factors);
    }
  }
}

void WalkCodes::put_in_order(const std::vector<uint32_t>& from) {
  put_records_in_order(from, record_bytes_, records_.data());
}

void WalkCodes::prepare(const uint8_t* query, WalkQuery* out) const {
  AlignedVector<float> vector(padded_floats(model_.dim));
  std::vector<float> coordinates(model_.code_dim);
  std::vector<uint8_t> code(model_.code_dim);
  reader_.read(query, vector.data());
  project(vector.data(), 1, coordinates.data());
  const CodeFactors coded = simd_.encode(reinterpret_cast<const uint8_t*>(coordinates.data()), model_.code_dim,
                                         reinterpret_cast<int8_t*>(code.data()));
  load_code(code.data(), model_.code_dim, out);
  out->factor = coded.scale * (model_.metric == ELANUS_IP ? 1 : 2);
}

void WalkCodes::prepare_row(uint32_t row, WalkQuery* out) const {
  load_code(record_of(row), model_.code_dim, out);
  out->factor = factors_of(row).scale * (model_.metric == ELANUS_IP ? 1 : 2);
}

void WalkCodes::score(const WalkQuery& query, const uint32_t* rows, size_t count, float* ranks) const {
  constexpr size_t kAtOnce = 64;
  const uint8_t* records[kAtOnce];
  int32_t dots[kAtOnce];
  for (size_t first = 0; first < count; first += kAtOnce) {
    const size_t here = std::min(kAtOnce, count - first);
    const size_t tiles = round_up(here, kRowTile);
    for (size_t i = 0; i < tiles; ++i) records[i] = record_of(rows[first + std::min(i, here - 1)]);
    simd_.int8.dot({.queries = query.code.data(),
                    .query_stride = query.code.size(),
                    .query_count = 1,
                    .query_sums = &query.sum,
                    .rows = records,
                    .soon = records,
                    .soon_bytes = 0,
                    .row_count = tiles,
                    .dim = model_.code_dim,
                    .scores = dots,
                    .score_stride = kAtOnce});
    for (size_t i = 0; i < here; ++i) {
      Factors factors;
      std::memcpy(&factors, records[i] + model_.code_dim, sizeof factors);
      ranks[first + i] = factors.addend - query.factor * factors.scale * static_cast<float>(dots[i]);
    }
  }
}

}  // namespace elanus
