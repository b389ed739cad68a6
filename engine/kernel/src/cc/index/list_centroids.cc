#include "list_centroids.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "least_bound.h"
#include "ordered_dot.h"

namespace elanus {
namespace {

constexpr char kSection[] = "list centroids";
constexpr char kSpreadSection[] = "list spreads";

// Comparing with so many numbers takes as long as making ready for a scan of codes.
constexpr size_t kComparedFloatsMax = size_t{1} << 15;
// Codes leave out what they estimate to be so many times the usual error worse than the last one wanted.
constexpr float kErrors = 2;
// Where they would leave less than about half, all are compared.
constexpr uint32_t kPickedFactorMax = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What the section of spreads begins with.
struct SpreadHead {
  float usual;
  float most;
};
constexpr size_t kSpreadHeadFloats = sizeof(SpreadHead) / sizeof(float);

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

void ListCentroids::set_gains(float usual, float most, float usual_distance) {
  spreads_.usual = usual;
  spreads_.most = most;
  if (!are_many()) return;
  std::vector<float> beside(count());
  for (uint32_t list = 0; list < count(); ++list) {
    const float rank = metric_ == ELANUS_IP ? 0 : usual_distance * usual_distance;
    beside[list] = order_of(list, rank, 1) - rank;
  }
  codes_.add_to_ranks(beside.data());
}

void ListCentroids::rank(const float* query, float query_length, CentroidScratch& scratch) const {
  scratch.ranks.resize(scratch.ids.size() + kRowTile);
  scratch.exact.begin(simd_, ELANUS_FLOAT32, metric_, dim_, reinterpret_cast<const uint8_t*>(query));
  scratch.exact.rank(rows(), scratch.ids.data(), scratch.ids.size(), scratch.ranks.data());
  scratch.lists.clear();
  for (size_t i = 0; i < scratch.ids.size(); ++i) {
    const uint32_t list = scratch.ids[i];
    const float order = order_of(list, scratch.ranks[i], query_length);
    // What is no number would be without order.
    const bool is_number = !std::isnan(order) && !std::isnan(scratch.ranks[i]);
    scratch.lists.push_back(is_number ? NearList{order, scratch.ranks[i], list} : NearList{kInfinity, kInfinity, list});
  }
}

// Leaves in `scratch.ids` the lists that may be among the best.
void ListCentroids::pick_by_codes(const float* query, float query_length, uint32_t wanted, CentroidScratch& scratch) const {
  scratch.query.query.assign(query, query + dim_);
  // What codes know of spreads is for queries of length 1; the order of products is the same.
  if (metric_ == ELANUS_IP && !spreads_.lengths.empty() && query_length > 0) {
    for (float& number : scratch.query.query) number /= query_length;
  }
  codes_.prepare(simd_.walk, &scratch.query);
  scratch.estimates.resize((count() + kBlockNeighbours - 1) / kBlockNeighbours * kBlockNeighbours);
  codes_.estimate_all(simd_.walk, scratch.query, scratch.estimates.data());
  // What is no number would be without order.
  for (float& estimate : scratch.estimates) estimate = estimate < kInfinity ? estimate : kInfinity;
  pick_estimated(wanted, kErrors * scratch.query.error, scratch);
}

// Those whose estimates are no more than `beyond` worse than that of the last one wanted.
void ListCentroids::pick_estimated(uint32_t wanted, float beyond, CentroidScratch& scratch) const {
  const float* const estimates = scratch.estimates.data();
  std::vector<float>& picked = scratch.picked;
  const auto pick = [&](float bound) {
    scratch.ids.resize(count() + kFoundSlack);
    scratch.ids.resize(simd_.bits.find_at_most(estimates, count(), bound, scratch.ids.data()));
  };
  // No more than are certainly enough, and of these so many as are wanted.
  pick(least_bound(estimates, count(), wanted) + beyond);
  if (scratch.ids.size() <= wanted) return;
  picked.clear();
  for (const uint32_t list : scratch.ids) picked.push_back(estimates[list]);
  std::nth_element(picked.begin(), picked.begin() + (wanted - 1), picked.end());
  const float bound = picked[wanted - 1] + beyond;
  std::erase_if(scratch.ids, [&](uint32_t list) { return !(estimates[list] <= bound); });
}

const std::vector<NearList>& ListCentroids::nearest(const float* query, uint32_t wanted, CentroidScratch& scratch) const {
  wanted = std::min(wanted, count());
  const float query_length = std::sqrt(square_length(query, dim_));
  scratch.ids.clear();
  if (are_many() && uint64_t{wanted} * kPickedFactorMax < count()) {
    pick_by_codes(query, query_length, wanted, scratch);
  }
  // Numbers that are none leave nothing.
  if (scratch.ids.size() < wanted) {
    scratch.ids.resize(count());
    for (uint32_t list = 0; list < count(); ++list) scratch.ids[list] = list;
  }
  rank(query, query_length, scratch);
  std::vector<NearList>& lists = scratch.lists;
  const auto end = lists.begin() + static_cast<ptrdiff_t>(wanted);
  if (end != lists.end()) std::nth_element(lists.begin(), end, lists.end());
  lists.resize(wanted);
  std::sort(lists.begin(), lists.end());
  return lists;
}

void ListCentroids::write(IndexFileWriter& writer) const {
  writer.add(kSection, values_.data(), values_.size());
  if (!spreads_.lengths.empty()) {
    const SpreadHead head = {spreads_.usual, spreads_.most};
    writer.begin(kSpreadSection);
    writer.append(&head, sizeof head);
    writer.append(spreads_.lengths.data(), spreads_.lengths.size() * sizeof(float));
  }
  if (are_many()) codes_.write(writer);
}

FileFault ListCentroids::read(const IndexFile& file, uint32_t count) {
  const auto* const values = file.array<float>(kSection, size_t{count} * dim_);
  if (values == nullptr) return file.damaged("its centroids are not as many as its lists");
  set({values, values + size_t{count} * dim_});
  // Files of before have none.
  if (file.section(kSpreadSection) != nullptr) {
    const auto* const spreads = file.array<float>(kSpreadSection, kSpreadHeadFloats + count);
    if (spreads == nullptr) return file.damaged("the spreads of its lists are not as many as its lists");
    SpreadHead head;
    std::memcpy(&head, spreads, sizeof head);
    spreads_ = {{spreads + kSpreadHeadFloats, spreads + kSpreadHeadFloats + count}, head.usual, head.most};
  }
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
    const NearList found = centroids_.nearest(vectors + i * dim_, 1, scratch)[0];
    nearest[i] = found.list;
    distances[i] = found.rank;
  }
}

}  // namespace elanus
