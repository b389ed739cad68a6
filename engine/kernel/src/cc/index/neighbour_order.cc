#include "neighbour_order.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "exact_ranks.h"
#include "ordered_dot.h"
#include "parallel.h"
#include "random.h"
#include "row_reader.h"

namespace elanus {
namespace {

constexpr size_t kProbes = 24;
constexpr size_t kNearest = 10;
constexpr size_t kFirst = 20;
constexpr size_t kNear = 100;
constexpr size_t kRowsMax = size_t{1} << 20;
constexpr size_t kRun = 4096;

// The rows nearest to `row`, itself left out, nearest first.
std::vector<uint32_t> near_rows(const ExactRanks& exact, const DenseRows& rows, const std::vector<uint32_t>& among,
                                uint32_t row) {
  std::vector<std::pair<float, uint32_t>> ranked;
  ranked.reserve(among.size());
  std::vector<float> ranks(kRun + kRowTile);
  for (size_t begin = 0; begin < among.size(); begin += kRun) {
    const size_t count = std::min(kRun, among.size() - begin);
    exact.rank(rows, among.data() + begin, count, ranks.data());
    for (size_t i = 0; i < count; ++i) {
      if (among[begin + i] != row && !std::isnan(ranks[i])) ranked.emplace_back(ranks[i], among[begin + i]);
    }
  }
  const size_t count = std::min(kNear, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(count), ranked.end());
  std::vector<uint32_t> near;
  for (size_t i = 0; i < count; ++i) near.push_back(ranked[i].second);
  return near;
}

}  // namespace

NeighbourOrder::NeighbourOrder(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, const float* mean,
                               const PrincipalAxes& axes, uint64_t seed, uint32_t threads,
                               const std::atomic<bool>* cancelled)
    : metric_(metric), axes_(axes), dim_(rows.dim), threads_(threads), cancelled_(cancelled) {
  if (rows.rows <= 2 * kNear) return;
  const std::vector<uint32_t> chosen = sample_numbers(rows.rows, kProbes, seed_of_part(seed, 0));
  const std::vector<uint32_t> among = sample_numbers(rows.rows, kRowsMax, seed_of_part(seed, 1));
  probes_.resize(chosen.size());
  parallel_for(threads, chosen.size(), 1, cancelled, [&](size_t begin, size_t end) {
    const RowReader reader(simd, rows.type, metric, rows.dim);
    AlignedVector<float> vector(padded_floats(rows.dim));
    for (size_t i = begin; i < end; ++i) {
      ExactRanks exact;
      exact.begin(simd, rows.type, metric, rows.dim, rows.at(chosen[i]));
      std::vector<uint32_t> members = near_rows(exact, rows, among, chosen[i]);
      members.insert(members.begin(), chosen[i]);
      Probe& probe = probes_[i];
      for (const uint32_t row : members) {
        reader.read(rows.at(row), vector.data());
        float along_mean = 0;
        for (size_t d = 0; d < dim_; ++d) {
          probe.centred.push_back(vector[d] - mean[d]);
          along_mean += mean[d] * probe.centred.back();
        }
        probe.known.push_back(metric == ELANUS_L2 ? 0 : along_mean);
      }
    }
  });
}

double NeighbourOrder::kept(size_t axis_count) {
  if (probes_.empty()) return 1;
  parallel_for(threads_, probes_.size(), 1, cancelled_, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) extend(&probes_[i], axis_count);
  });
  axis_count_ = axis_count;
  double sum = 0;
  for (const Probe& probe : probes_) sum += kept_of(probe, axis_count);
  return sum / static_cast<double>(probes_.size());
}

// Adds the coordinates along further axes.
void NeighbourOrder::extend(Probe* probe, size_t axis_count) const {
  const size_t members = probe->known.size();
  std::vector<float> all(members * axis_count);
  for (size_t m = 0; m < members; ++m) {
    std::copy_n(probe->coordinates.data() + m * axis_count_, axis_count_, all.data() + m * axis_count);
    for (size_t a = axis_count_; a < axis_count; ++a)
      all[m * axis_count + a] = ordered_dot(axes_.axis(a), probe->centred.data() + m * dim_, dim_);
  }
  probe->coordinates = std::move(all);
}

double NeighbourOrder::kept_of(const Probe& probe, size_t axis_count) const {
  const size_t near = probe.known.size() - 1;
  if (near < 2 * kFirst) return 1;
  const float* const query = probe.coordinates.data();
  std::vector<float> ranks;
  for (size_t m = 1; m <= near; ++m) {
    const float* const row = query + m * axis_count;
    float rank = 0;
    if (metric_ == ELANUS_L2) {
      for (size_t a = 0; a < axis_count; ++a) rank += (query[a] - row[a]) * (query[a] - row[a]);
    } else {
      rank = -probe.known[m] - ordered_dot(query, row, axis_count);
    }
    ranks.push_back(std::isnan(rank) ? std::numeric_limits<float>::infinity() : rank);
  }
  std::vector<float> sorted = ranks;
  std::nth_element(sorted.begin(), sorted.begin() + (kFirst - 1), sorted.end());
  const float last = sorted[kFirst - 1];
  const auto count = std::count_if(ranks.begin(), ranks.begin() + kNearest, [last](float rank) { return rank <= last; });
  return static_cast<double>(count) / kNearest;
}

}  // namespace elanus
