#include "walk_trial.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "fast_walk.h"
#include "find_nearest.h"
#include "found_ranker.h"
#include "parallel.h"
#include "random.h"
#include "row_reader.h"

namespace elanus {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr HitRange kAllHits = {-kInfinity, kInfinity};
constexpr uint32_t kNearest = 10;
// Small enough that much is missed where estimates are bad, even of few rows.
constexpr uint32_t kEf = 32;
// Of the walk that tells which the nearest are.
constexpr uint32_t kWideEf = 512;
// Few enough that a trial is a small part of the build.
constexpr uint32_t kRowsPerProbe = 256;
constexpr size_t kProbesMax = 256;
// Below this the index is scanned, as a rule.
constexpr uint32_t kRowsMin = 4 * kWideEf;
constexpr size_t kProbesPerRun = 4;
// So much less than the other walk found is as good.
constexpr double kTolerance = 0.005;

// Ranks rows by their vectors; the ten best are in `scratch.hits`, without `row` itself.
void rank_others(const DenseRows& rows, const Beam& found, uint32_t row, SearchScratch& scratch) {
  scratch.rows.clear();
  for (const Beam::Entry& entry : found) {
    if (entry.node() != row) scratch.rows.push_back(entry.node());
  }
  scratch.ranks.resize(scratch.rows.size() + kRowTile);
  scratch.exact.rank(rows, scratch.rows.data(), scratch.rows.size(), scratch.ranks.data());
  scratch.hits.reset(kNearest, kAllHits);
  for (size_t i = 0; i < scratch.rows.size(); ++i) scratch.hits.offer({scratch.ranks[i], scratch.rows[i]});
}

uint32_t count_up_to(const std::vector<IndexHit>& hits, float rank) {
  return static_cast<uint32_t>(
      std::count_if(hits.begin(), hits.end(), [rank](const IndexHit& hit) { return hit.rank <= rank; }));
}

}  // namespace

WalkTrial::WalkTrial(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const WalkCodes& codes,
                     const Graph& graph, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled)
    : simd_(simd), metric_(metric), rows_(rows) {
  if (rows.rows < kRowsMin) return;
  const std::vector<uint32_t> chosen =
      sample_numbers(rows.rows, std::min<size_t>(rows.rows / kRowsPerProbe, kProbesMax), seed);
  probes_.resize(chosen.size());
  parallel_for(threads, chosen.size(), kProbesPerRun, cancelled, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) probes_[i] = probe(codes, graph, chosen[i]);
  });
}

WalkTrial::Probe WalkTrial::probe(const WalkCodes& codes, const Graph& graph, uint32_t row) const {
  SearchScratch scratch;
  codes.prepare_row(row, &scratch.walk_query);
  scratch.exact.begin(simd_, rows_.type, metric_, rows_.dim, rows_.at(row));
  const CodeScorer scorer = {codes, scratch.walk_query};
  const LayerView layer = LayerView::of(graph, 0);
  enter(graph, scorer, kWideEf, scratch);
  walk(layer, scorer, scratch.beam, scratch.visited, scratch.neighbours, nullptr);
  rank_others(rows_, scratch.beam, row, scratch);
  const std::vector<IndexHit>& nearest = scratch.hits.sorted();
  if (nearest.size() < kNearest) return {row, -kInfinity, 0};
  const float tenth = nearest[kNearest - 1].rank;

  // The same, but from a link where the way in is the row itself, and around it.
  float rank = 0;
  uint32_t entry = find_entry(graph, scorer, 0, &rank, scratch.neighbours);
  if (entry == row) entry = graph.links_of(row)[0];
  if (entry >= graph.rows) return {row, -kInfinity, 0};
  scratch.visited.reset(graph.rows);
  scratch.visited.insert(row);
  scratch.visited.insert(entry);
  scratch.neighbours.rows[0] = entry;
  scorer.score(scratch.neighbours.rows.data(), 1, scratch.neighbours.ranks.data());
  scratch.beam.reset(kEf);
  scratch.beam.offer(scratch.neighbours.ranks[0], entry);
  walk(layer, scorer, scratch.beam, scratch.visited, scratch.neighbours, nullptr);
  rank_others(rows_, scratch.beam, row, scratch);
  return {row, tenth, count_up_to(scratch.hits.sorted(), tenth)};
}

bool WalkTrial::is_enough(const FastRecords& records, float stretch, uint32_t threads,
                          const std::atomic<bool>* cancelled) const {
  const auto room = static_cast<uint32_t>(std::ceil(stretch * kEf));
  std::atomic<int64_t> found = 0;
  parallel_for(threads, probes_.size(), kProbesPerRun, cancelled, [&](size_t begin, size_t end) {
    const RowReader reader(simd_, rows_.type, metric_, rows_.dim);
    SearchScratch scratch;
    FastWalk walk;
    walk.query.resize(rows_.dim);
    for (size_t i = begin; i < end; ++i) {
      const Probe& probe = probes_[i];
      reader.read(rows_.at(probe.row), walk.query.data());
      prepare_fast_walk(simd_.walk, records, &walk);
      walk.seen.make_room(records.rows());
      walk.seen.insert(probe.row);
      walk_fast(simd_.walk, records, room, nullptr, &walk);
      scratch.exact.begin(simd_, rows_.type, metric_, rows_.dim, rows_.at(probe.row));
      scratch.hits.reset(kNearest, kAllHits);
      FoundRanker(rows_, scratch, walk.found).rank_best(kNearest);
      found += count_up_to(scratch.hits.sorted(), probe.tenth);
    }
  });
  int64_t wanted = 0;
  for (const Probe& probe : probes_) wanted += probe.found;
  const double missing = static_cast<double>(wanted - found.load()) / static_cast<double>(kNearest * probes_.size());
  return missing <= kTolerance;
}

float WalkTrial::stretch_of(const FastRecords& records, uint32_t threads, const std::atomic<bool>* cancelled) const {
  if (probes_.empty() || is_enough(records, 1, threads, cancelled)) return 1;
  float enough = 2;
  while (enough < kStretchMax && !is_enough(records, enough, threads, cancelled)) enough *= 2;
  // Between half of it and it: to an eighth.
  float too_little = enough / 2;
  for (int halving = 0; halving < 2; ++halving) {
    const float middle = (too_little + enough) / 2;
    (is_enough(records, middle, threads, cancelled) ? enough : too_little) = middle;
  }
  return enough;
}

}  // namespace elanus
