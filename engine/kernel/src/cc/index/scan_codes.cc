#include "scan_codes.h"

#include <cmath>
#include <limits>

#include "code_choice.h"
#include "neighbour_coder.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "scan code";
constexpr char kValuesSection[] = "scan values";
constexpr char kBlocksSection[] = "scan blocks";

constexpr size_t kDigitsAt = 2 * kBlockNeighbours * sizeof(float);
constexpr size_t kBlocksPerRun = 8;
constexpr size_t kBlocksPerSample = 16;
constexpr size_t kCrowdedMin = 96;
constexpr size_t kLengthSamples = 1024;
constexpr size_t kBlocksBetweenChecks = 256;

// What the head section holds.
struct Head {
  uint32_t kind;  // NeighbourCodeKind
  uint32_t places;
  uint32_t values;  // of the code, which stand behind those of the mean
  float error;
};

// Of a row less the mean: the median of a sample, which a few long ones do not touch.
float usual_length(const RowReader& reader, const DenseRows& rows, const float* mean, uint64_t seed) {
  std::vector<float> lengths;
  AlignedVector<float> vector(rows.dim);
  for (const uint32_t row : sample_numbers(rows.rows, kLengthSamples, seed)) {
    reader.read(rows.at(row), vector.data());
    for (uint32_t d = 0; d < rows.dim; ++d) vector[d] -= mean[d];
    const float length = std::sqrt(square_length(vector.data(), rows.dim));
    if (std::isfinite(length)) lengths.push_back(length);
  }
  if (lengths.empty()) return 0;
  const auto middle = lengths.begin() + static_cast<ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

}  // namespace

void RowPool::reset(size_t k, float beyond, size_t most) {
  entries_.clear();
  best_.clear();
  k_ = k;
  beyond_ = beyond;
  most_ = most;
  crowded_ = std::max(2 * k, kCrowdedMin);
  bound_ = std::numeric_limits<float>::infinity();
}

void RowPool::reset(float bound) {
  reset(1, 0, std::numeric_limits<size_t>::max());
  k_ = most_;
  crowded_ = most_;
  bound_ = bound;
}

void RowPool::note_best(float rank) {
  if (best_.size() < k_) best_.push_back(rank);
  size_t at = best_.size() - 1;
  for (; at > 0 && rank < best_[at - 1]; --at) best_[at] = best_[at - 1];
  best_[at] = rank;
  if (best_.size() == k_) bound_ = std::min(bound_, best_.back() + beyond_);
}

void RowPool::drop_beyond(size_t first) {
  const auto is_beyond = [&](const IndexHit& hit) { return !(hit.rank <= bound_); };
  const auto from = entries_.begin() + static_cast<ptrdiff_t>(first);
  entries_.erase(std::remove_if(from, entries_.end(), is_beyond), entries_.end());
}

void RowPool::shrink() {
  const auto at = [&](size_t i) { return entries_.begin() + static_cast<ptrdiff_t>(i); };
  if (entries_.size() > k_ && !has_best()) {
    std::nth_element(entries_.begin(), at(k_ - 1), entries_.end());
    bound_ = std::min(bound_, at(k_ - 1)->rank + beyond_);
    drop_beyond(k_);
  } else if (entries_.size() > k_) {
    drop_beyond(0);
  }
  if (entries_.size() > most_) {
    std::nth_element(entries_.begin(), at(most_ - 1), entries_.end());
    bound_ = std::min(bound_, at(most_ - 1)->rank);
    entries_.resize(most_);
  }
  crowded_ = std::max(2 * entries_.size(), kCrowdedMin);
}

void ScanCodes::set_code(NeighbourCode code) {
  code_ = std::move(code);
  block_bytes_ = kDigitsAt + size_t{16} * code_.places();
}

ScanCodes ScanCodes::learn(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, uint64_t seed,
                           uint32_t threads, const std::atomic<bool>* cancelled) {
  ScanCodes codes(metric);
  const RowReader reader(simd, rows.type, metric, rows.dim);
  codes.mean_ = mean_of(reader, rows, seed_of_part(seed, 0));
  const OriginOfRow origin_of = [mean = codes.mean_.data()](uint32_t) { return mean; };
  ScanCodeChoice choice =
      choose_scan_code(simd, metric, rows, origin_of, seed_of_part(seed, 1), threads, cancelled);
  codes.set_code(std::move(choice.code));
  codes.error_ = choice.error * usual_length(reader, rows, codes.mean_.data(), seed_of_part(seed, 2));
  return codes;
}

ScanCodes ScanCodes::of_no_rows() const {
  ScanCodes codes(metric_);
  codes.set_code(code_);
  codes.mean_ = mean_;
  codes.error_ = error_;
  return codes;
}

NeighbourBlock ScanCodes::block_at(size_t block) const {
  const uint8_t* const bytes = blocks_.data() + block * block_bytes_;
  const auto* const floats = reinterpret_cast<const float*>(bytes);
  return {floats, floats + kBlockNeighbours, bytes + kDigitsAt};
}

void ScanCodes::encode(const ElanusSimd& simd, const DenseRows& rows, uint32_t threads,
                       const std::atomic<bool>* cancelled) {
  const size_t blocks = blocks_of(rows.rows);
  blocks_.resize(blocks * block_bytes_);
  parallel_for(threads, blocks, kBlocksPerRun, cancelled,
               [&](size_t from, size_t to) { code_run(simd, rows, from, to); });
  rows_ = rows.rows;
}

void ScanCodes::code_run(const ElanusSimd& simd, const DenseRows& rows, size_t begin, size_t end) {
  const RowReader reader(simd, rows.type, metric_, rows.dim);
  NeighbourCoder coder(simd.walk, code_, metric_);
  AlignedVector<float> vector(rows.dim);
  coder.begin(mean_.data(), vector.data());
  for (size_t block = begin; block < end; ++block) {
    uint8_t* const bytes = blocks_.data() + block * block_bytes_;
    std::fill_n(bytes, block_bytes_, uint8_t{0});
    auto* const added = reinterpret_cast<float*>(bytes);
    const NeighbourSlots slots = {added, added + kBlockNeighbours, bytes + kDigitsAt};
    for (size_t slot = 0; slot < kBlockNeighbours; ++slot) {
      const size_t row = block * kBlockNeighbours + slot;
      NeighbourCoder::clear(slots, slot);
      if (row >= rows.rows) continue;
      reader.read(rows.at(static_cast<uint32_t>(row)), vector.data());
      coder.code(vector.data(), slots, slot);
    }
  }
}

void ScanCodes::add_to_ranks(const float* beside) {
  for (uint32_t row = 0; row < rows_; ++row) {
    auto* const added = reinterpret_cast<float*>(blocks_.data() + row / kBlockNeighbours * block_bytes_);
    added[row % kBlockNeighbours] += beside[row];
  }
}

void ScanCodes::write(IndexFileWriter& writer) const {
  const AlignedVector<float>& values = code_.values();
  const Head head = {static_cast<uint32_t>(code_.kind()), code_.places(), static_cast<uint32_t>(values.size()), error_};
  writer.add(kHeadSection, &head, 1);
  writer.begin(kValuesSection);
  writer.append(mean_.data(), mean_.size() * sizeof(float));
  writer.append(values.data(), values.size() * sizeof(float));
  writer.add(kBlocksSection, blocks_.data(), blocks_of(rows_) * block_bytes_);
}

FileFault ScanCodes::read(const IndexFile& file, ElanusMetric metric, uint32_t dim, uint32_t rows, ScanCodes* codes) {
  const Head* const head = file.array<Head>(kHeadSection, 1);
  if (head == nullptr) return file.damaged("it has no codes to scan");
  const auto* const values = file.array<float>(kValuesSection, size_t{dim} + head->values);
  NeighbourCode code;
  if (values == nullptr || !NeighbourCode::restore(static_cast<NeighbourCodeKind>(head->kind), dim, head->places,
                                                   values + dim, head->values, &code))
    return file.damaged("its codes to scan cannot be read");
  *codes = ScanCodes(metric);
  codes->set_code(std::move(code));
  codes->mean_.assign(values, values + dim);
  codes->error_ = head->error;
  const size_t size = blocks_of(rows) * codes->block_bytes_;
  const auto* const blocks = file.array<uint8_t>(kBlocksSection, size);
  if (blocks == nullptr) return file.damaged("its codes to scan are not as many as its rows");
  codes->blocks_ = HugeArray<uint8_t>::borrow(blocks, size);
  codes->rows_ = rows;
  return {};
}

void ScanCodes::prepare(const WalkLoops& loops, ScanQuery* query) const {
  const size_t dim = code_.dim();
  query->centred.resize(dim);
  query->turned.resize(code_.coordinates());
  query->table_bytes.resize(size_t{16} * code_.places());
  for (size_t d = 0; d < dim; ++d) query->centred[d] = query->query[d] - mean_[d];
  const float square = square_length(query->centred.data(), dim);
  const bool is_l2 = metric_ == ELANUS_L2;
  query->rank_of_mean = is_l2 ? square : -ordered_dot(query->query.data(), mean_.data(), dim);
  query->error = (is_l2 ? 2 : 1) * error_ * std::sqrt(square);
  code_.turn(loops, query->centred.data(), query->turned.data());
  query->tables.bytes = query->table_bytes.data();
  code_.fill_tables(loops, query->turned.data(), &query->tables);
}

void ScanCodes::estimate_all(const WalkLoops& loops, const ScanQuery& query, float* estimates) const {
  for (size_t block = 0; block < blocks_of(rows_); ++block)
    loops.estimate(block_at(block), query.tables, query.rank_of_mean, 0, estimates + block * kBlockNeighbours);
}

void ScanCodes::scan_block(const WalkLoops& loops, const Task& task, size_t block, uint32_t wanted) const {
  alignas(64) float estimates[kBlockNeighbours];
  const ScanQuery& query = task.query;
  uint32_t below =
      loops.estimate(block_at(block), query.tables, query.rank_of_mean, task.pool.bound(), estimates) & wanted;
  for (; below != 0; below &= below - 1) {
    const auto i = static_cast<uint32_t>(__builtin_ctz(below));
    task.pool.offer(estimates[i], static_cast<uint32_t>(block * kBlockNeighbours) + i);
  }
}

// Some blocks from all over come first: neighbouring rows may be alike, and what the pool has seen bounds what it takes
// up from then on.
void ScanCodes::scan(const WalkLoops& loops, const Task* tasks, size_t task_count, const AllowedRows& allowed,
                     uint32_t rows, const std::atomic<bool>* cancelled) const {
  const size_t end = blocks_of(rows);
  for (const bool in_sample : {true, false}) {
    for (size_t block = 0; block < end; ++block) {
      if ((block % kBlocksPerSample == 0) != in_sample) continue;
      if (block % kBlocksBetweenChecks < kBlocksPerSample && is_set(cancelled)) return;
      const uint32_t wanted = allowed.word(static_cast<uint32_t>(block * kBlockNeighbours), rows);
      for (size_t t = 0; t < task_count && wanted != 0; ++t) scan_block(loops, tasks[t], block, wanted);
    }
  }
}

}  // namespace elanus
