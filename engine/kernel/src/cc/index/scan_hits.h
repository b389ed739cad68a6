// The hits among all allowed rows by a scan: short codes rule out most rows, longer ones most of what is left, and
// vectors decide. How much codes may be off is measured for each query. Where the hits stand in a crowd, as the best of
// those do that a filter leaves far from the query, more rows are within that, and more are compared.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "compact_graph.h"
#include "find_nearest.h"
#include "found_ranker.h"

namespace elanus {

// What a look for hits has come to, beside the hits themselves.
struct Looked {
  size_t found;   // rows that were found by codes
  float highest;  // rank by vectors, wanted or not
};

// Whether to compare so few allowed rows whole, unless they are long, is less than to find out by codes which are in doubt.
inline bool are_few(const DenseRows& rows, const IndexSearch& search, uint32_t ef) {
  constexpr size_t kFewTimes = 16;
  constexpr size_t kFewBytes = size_t{1} << 20;
  const size_t allowed = search.allowed.count(rows.rows);
  return allowed <= kFewTimes * ef && allowed * rows.stride <= kFewBytes;
}

// By a `Scorer` as in walk.h, which has the longer codes, and beside what is told there
//   unit()                     the factor that makes differences of its ranks about those of ranks by vectors
template <class Scorer>
class HitScan {
 public:
  // REQUIRES: the scorer is ready for the query, and `scratch.exact` before hits are offered.
  // `scan` may be nullptr: then there are longer codes only.
  HitScan(const DenseRows& rows, const ShortScan* scan, const Scorer& scorer, const IndexSearch& search, uint32_t ef,
          SearchScratch& scratch)
      : rows_(rows),
        scan_(scan),
        scorer_(scorer),
        search_(search),
        ef_(ef),
        ranked_(std::max(ef, FoundRanker::first_of(search.k))),
        scratch_(scratch),
        unit_(scorer.unit()),
        deviations_(kMoreDeviations + static_cast<double>(errors_allowed(ef))) {
    scratch.hits.reset(search.k, search.range);
  }

  // Offers the best of the allowed rows to `scratch.hits`. REQUIRES: there are short codes.
  Looked by_short_codes() {
    scan_short(*scan_, search_, rows_.rows, ef_, scratch_);
    return from_pool();
  }

  // The same, of what a scan by short codes has left in `scratch.pool`.
  Looked from_pool() {
    score_pool();
    const size_t found = scratch_.picked.size();
    FoundRanker ranker(rows_, scratch_, scratch_.picked);
    rank(ranker);
    if (is_thorough() && has_enough() && (ranker.are_crowded() || misses_many())) {
      if (are_few(rows_, search_, ef_)) return by_vectors(found);
      const CodeErrors errors = measured_errors();
      ranker.expect(errors, deviations_);
      ranker.rank_doubtful(search_.k);
      if (misses_many()) scan_short_again(errors);
    }
    return {found, ranker.highest()};
  }

  // The same, by the longer codes of all.
  Looked by_long_codes() {
    gather_by_long_codes();
    return from_gathered();
  }

  // Fills `scratch.picked` with the `ef` rows, or some more, that are the best by their longer codes.
  void gather_by_long_codes() {
    RowPool& pool = scratch_.pool;
    pool.reset(ranked_, 0, ranked_);
    fill_pool_by_long_codes();
    scratch_.effort.scan(search_.allowed.count(rows_.rows));
    scratch_.picked.swap(pool.rows());
  }

  // As `by_long_codes`, of what was gathered.
  Looked from_gathered() {
    const RowPool& pool = scratch_.pool;
    const size_t found = scratch_.picked.size();
    FoundRanker ranker(rows_, scratch_, scratch_.picked);
    rank(ranker);
    if (is_thorough() && has_enough() && ranker.are_crowded()) {
      if (are_few(rows_, search_, ef_)) return by_vectors(found);
      const CodeErrors errors = measured_errors();
      ranker.expect(errors, deviations_);
      ranker.rank_doubtful(search_.k);
      const float limit = ranker.limit_of(search_.k);
      if (limit > pool.bound()) scan_long_again(limit, errors);
    }
    return {found, ranker.highest()};
  }

 private:
  // Rows whose errors are measured.
  static constexpr uint32_t kMeasured = 32;
  // Who asks for less wants to be quick.
  static constexpr uint32_t kThoroughEfMin = 16;
  // In a crowd all hits are as near to what is ruled out as the last one is.
  static constexpr double kMoreDeviations = 0.6;
  // Of the hits so large a share may be missed.
  static constexpr double kMissedMax = 0.003;

  // Whether more rows than `ef` says are looked at where the hits stand in a crowd.
  bool is_thorough() const { return ef_ >= kThoroughEfMin; }

  // Where too many of the hits do not count, because they are too near, a longer look follows.
  bool has_enough() const { return !search_.skips() || scratch_.hits.size() >= search_.k; }

  Looked by_vectors(size_t found) {
    scan_exactly(rows_, search_, scratch_);
    return {found, std::numeric_limits<float>::infinity()};
  }

  uint64_t code_bytes() const { return static_cast<uint64_t>(64 * scorer_.lines()); }

  void rank(FoundRanker& ranker) const {
    ranker.rank_first(ranked_);
    if (has_enough()) ranker.rank_doubtful(search_.k);
  }

  // How far off the longer codes are, of rows from all over.
  CodeErrors measured_errors() {
    uint32_t ids[kMeasured];
    float codes[kMeasured];
    float exact[kMeasured];
    uint32_t count = 0;
    search_.allowed.for_some(rows_.rows, kMeasured, [&](uint32_t row) {
      scorer_.prefetch(row);
      prefetch_vector(rows_, row);
      ids[count++] = row;
    });
    scorer_.score(ids, count, codes);
    scratch_.exact.rank(rows_, ids, count, exact);
    scratch_.effort.compare(count, code_bytes() + rows_.stride);
    CodeErrors errors;
    for (uint32_t i = 0; i < count; ++i)
      errors.add(static_cast<double>(exact[i]) - static_cast<double>(codes[i] * unit_));
    return errors;
  }

  void fill_pool_by_long_codes() {
    RowPool& pool = scratch_.pool;
    scan_allowed(scorer_, search_, rows_.rows, [&](float rank, uint32_t row) {
      if (rank * unit_ < pool.bound()) pool.offer(rank * unit_, row);
    });
    scratch_.effort.compare(search_.allowed.count(rows_.rows), code_bytes());
  }

  // Fills `scratch.picked` with the rows of the pool, by the ranks of their longer codes.
  void score_pool() {
    constexpr size_t kAtOnce = 32;
    uint32_t ids[kAtOnce];
    float ranks[kAtOnce];
    const std::vector<IndexHit>& pool = scratch_.pool.rows();
    std::vector<IndexHit>& picked = scratch_.picked;
    picked.clear();
    for (size_t i = 0; i < std::min(pool.size(), 2 * kAtOnce); ++i) scorer_.prefetch(pool[i].row);
    for (size_t first = 0; first < pool.size(); first += kAtOnce) {
      const size_t here = std::min(kAtOnce, pool.size() - first);
      for (size_t i = 0; i < here; ++i) {
        ids[i] = pool[first + i].row;
        if (first + i + 2 * kAtOnce < pool.size()) scorer_.prefetch(pool[first + i + 2 * kAtOnce].row);
      }
      scorer_.score(ids, here, ranks);
      for (size_t i = 0; i < here; ++i) {
        if (ranks[i] < std::numeric_limits<float>::infinity()) picked.push_back({ranks[i] * unit_, ids[i]});
      }
    }
    scratch_.effort.compare(pool.size(), code_bytes());
  }

  // Whether the short codes of too many hits are not below the pool's bound, as a rule.
  bool misses_many() {
    const double unit = std::numbers::sqrt2 * static_cast<double>(scratch_.scan_query.error);
    const std::vector<IndexHit>& hits = scratch_.hits.sorted();
    if (hits.empty() || !(unit > 0)) return false;
    const auto bound = static_cast<double>(scratch_.pool.bound());
    double missed = 0;
    for (const IndexHit& hit : hits) missed += std::erfc((bound - static_cast<double>(hit.rank)) / unit) / 2;
    return missed > kMissedMax * static_cast<double>(hits.size());
  }

  // Takes up what the short codes have ruled out although it may be among the hits.
  void scan_short_again(const CodeErrors& errors) {
    const double beyond = deviations_ * static_cast<double>(scratch_.scan_query.error);
    const float bound = static_cast<float>(static_cast<double>(scratch_.hits.sorted().back().rank) + beyond);
    remember(scratch_.pool.rows());
    scratch_.pool.reset(bound);
    fill_pool(*scan_, search_, rows_.rows, scratch_);
    forget_remembered(scratch_.pool.rows());
    score_pool();
    rank_doubtful_picked(errors);
  }

  // The same of the longer codes.
  void scan_long_again(float limit, const CodeErrors& errors) {
    remember(scratch_.picked);
    scratch_.pool.reset(limit);
    fill_pool_by_long_codes();
    forget_remembered(scratch_.pool.rows());
    scratch_.picked.swap(scratch_.pool.rows());
    rank_doubtful_picked(errors);
  }

  void rank_doubtful_picked(const CodeErrors& errors) {
    FoundRanker ranker(rows_, scratch_, scratch_.picked);
    ranker.expect(errors, deviations_);
    ranker.rank_doubtful(search_.k);
  }

  // Those whose turn was before do not come again.
  void remember(const std::vector<IndexHit>& rows) {
    scratch_.visited.reset(rows_.rows);
    for (const IndexHit& hit : rows) scratch_.visited.insert(hit.row);
  }
  void forget_remembered(std::vector<IndexHit>& rows) {
    std::erase_if(rows, [&](const IndexHit& hit) { return !scratch_.visited.insert(hit.row); });
  }

  const DenseRows& rows_;
  const ShortScan* const scan_;
  const Scorer& scorer_;
  const IndexSearch& search_;
  const uint32_t ef_;
  const uint32_t ranked_;  // of the best by their codes
  SearchScratch& scratch_;
  const float unit_;
  const double deviations_;
};

}  // namespace elanus
