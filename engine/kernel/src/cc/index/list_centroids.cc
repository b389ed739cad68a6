#include "list_centroids.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ordered_dot.h"

namespace elanus {
namespace {

constexpr char kSection[] = "list centroids";

// Comparing with so many numbers takes as long as making ready for a scan of codes.
constexpr size_t kComparedFloatsMax = size_t{1} << 15;
// Codes leave out what they estimate to be so many times the usual error worse than the last one wanted.
constexpr float kErrors = 2.5f;
// And what is not among so many times those wanted.
constexpr uint32_t kPickedFactorMax = 4;
constexpr uint32_t kPickedMin = 32;

}  // namespace

void ListCentroids::set(AlignedVector<float> values) {
  values_ = std::move(values);
  squares_.clear();
  for (uint32_t list = 0; list < count(); ++list) squares_.push_back(square_length(at(list), dim_));
}

bool ListCentroids::are_many() const { return values_.size() > kComparedFloatsMax; }

DenseRows ListCentroids::rows() const {
  return {ELANUS_FLOAT32, dim_,    dim_ * sizeof(float), reinterpret_cast<const uint8_t*>(values_.data()),
          count(),        nullptr, nullptr};
}

void ListCentroids::learn(AlignedVector<float> values, uint64_t seed, uint32_t threads,
                          const std::atomic<bool>* cancelled) {
  set(std::move(values));
  if (!are_many()) return;
  codes_ = ScanCodes::learn(simd_, metric_, rows(), seed, threads, cancelled);
  codes_.encode(simd_, rows(), threads, cancelled);
}

void ListCentroids::take(AlignedVector<float> values, const ScanCodes& code, uint32_t threads) {
  set(std::move(values));
  if (!are_many()) return;
  codes_ = code.of_no_rows();
  codes_.encode(simd_, rows(), threads, nullptr);
}

void ListCentroids::rank(const float* query, CentroidScratch& scratch) const {
  scratch.ranks.resize(scratch.ids.size() + kRowTile);
  scratch.exact.begin(simd_, ELANUS_FLOAT32, metric_, dim_, reinterpret_cast<const uint8_t*>(query));
  scratch.exact.rank(rows(), scratch.ids.data(), scratch.ids.size(), scratch.ranks.data());
  scratch.lists.clear();
  for (size_t i = 0; i < scratch.ids.size(); ++i) scratch.lists.push_back({scratch.ranks[i], scratch.ids[i]});
}

const std::vector<IndexHit>& ListCentroids::nearest(const float* query, uint32_t wanted, CentroidScratch& scratch) const {
  wanted = std::min(wanted, count());
  scratch.ids.clear();
  if (are_many() && uint64_t{wanted} * kPickedFactorMax < count()) {
    scratch.query.query.assign(query, query + dim_);
    codes_.prepare(simd_.walk, &scratch.query);
    scratch.pool.reset(wanted, kErrors * scratch.query.error, std::max(wanted * kPickedFactorMax, kPickedMin));
    const ScanCodes::Task task = {scratch.query, scratch.pool};
    codes_.scan(simd_.walk, &task, 1, {}, count(), nullptr);
    for (const IndexHit& hit : scratch.pool.rows()) scratch.ids.push_back(hit.row);
  }
  // Numbers that are none leave nothing.
  if (scratch.ids.size() < wanted) {
    scratch.ids.resize(count());
    for (uint32_t list = 0; list < count(); ++list) scratch.ids[list] = list;
  }
  rank(query, scratch);
  std::vector<IndexHit>& lists = scratch.lists;
  // A rank that is no number would be without order.
  for (IndexHit& list : lists) list.rank = list.rank == list.rank ? list.rank : std::numeric_limits<float>::infinity();
  const auto end = lists.begin() + static_cast<ptrdiff_t>(wanted);
  if (end != lists.end()) std::nth_element(lists.begin(), end, lists.end());
  lists.resize(wanted);
  std::sort(lists.begin(), lists.end());
  return lists;
}

void ListCentroids::write(IndexFileWriter& writer) const {
  writer.add(kSection, values_.data(), values_.size());
  if (are_many()) codes_.write(writer);
}

FileFault ListCentroids::read(const IndexFile& file, uint32_t count) {
  const auto* const values = file.array<float>(kSection, size_t{count} * dim_);
  if (values == nullptr) return file.damaged("its centroids are not as many as its lists");
  set({values, values + size_t{count} * dim_});
  if (!are_many()) return {};
  return ScanCodes::read(file, metric_, dim_, count, &codes_);
}

CodedCentroids::CodedCentroids(const ElanusSimd& simd, const DenseRows& sample, uint64_t seed, uint32_t threads,
                               const std::atomic<bool>* cancelled)
    : dim_(sample.dim),
      threads_(threads),
      code_(ScanCodes::learn(simd, ELANUS_L2, sample, seed, threads, cancelled)),
      centroids_(simd, ELANUS_L2, sample.dim) {}

void CodedCentroids::set(const float* centroids, size_t count) {
  centroids_.take({centroids, centroids + count * dim_}, code_, threads_);
}

void CodedCentroids::find(const float* vectors, size_t count, uint32_t* nearest, float* distances) const {
  CentroidScratch scratch;
  for (size_t i = 0; i < count; ++i) {
    const IndexHit hit = centroids_.nearest(vectors + i * dim_, 1, scratch)[0];
    nearest[i] = hit.row;
    distances[i] = hit.rank;
  }
}

}  // namespace elanus
