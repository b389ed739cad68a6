// Rows that were found by their codes, and whose vectors are on disk: which of them are read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "code_errors.h"
#include "disk_units.h"
#include "find_nearest.h"

namespace elanus {

// By a `Scorer` as HitScan takes it, that has beside what is told there
//   bytes()                    of a code
template <class Scorer>
class DiskScan {
 public:
  // REQUIRES: the scorer and `scratch.exact` are ready for the query.
  DiskScan(const DiskUnits& units, const Scorer& scorer, const IndexSearch& search, uint32_t rows, DiskScratch& own,
           SearchScratch& scratch)
      : units_(units), scorer_(scorer), search_(search), rows_(rows), unit_(scorer.unit()), own_(own), scratch_(scratch) {}

  // Offers the rows of `scratch.found`, and those that are read with them.
  void offer_found() {
    own_.units.reset(units_.count());
    pick_found();
    units_.read_of(scratch_.picked.data(), scratch_.picked.size(), search_, own_, scratch_);
  }

  // Offers the allowed rows that are the `ef` best by their codes. A filter may leave rows far from the query, a crowd
  // whose order codes do not tell: then others too, those that codes leave in doubt.
  void offer_best(uint32_t ef) {
    own_.units.reset(units_.count());
    const bool may_be_crowd = !search_.allowed.are_all() && ef < search_.allowed.count(rows_);
    if (may_be_crowd) ef = std::max(ef, kReadMin);
    // A crowd of others may stand before those that count.
    if (may_be_crowd && search_.skips()) read_from_all_over();
    constexpr float kAll = -std::numeric_limits<float>::infinity();
    const float from = errors_.count() == 0 ? kAll : by_code(search_.range.lowest, -kDeviations);
    // And the first one that is not read.
    Beam& found = scratch_.found;
    found.reset(size_t{ef} + 1);
    scan([&](float rank, uint32_t row) {
      if (rank * unit_ >= from) found.offer(rank, row);
    });
    pick_found();
    const std::vector<IndexHit>& picked = scratch_.picked;
    const size_t first = std::min<size_t>(picked.size(), ef);
    read(picked.data(), first);
    if (!may_be_crowd || picked.size() == first || is_set(search_.cancelled)) return;
    const float next = picked[first].rank;
    if (next - picked.front().rank >= kCrowdedDeviations * static_cast<float>(errors_of(picked.data(), first).deviation()))
      return;
    // The first ones owe their places to their errors, which tell little of those of others.
    if (!search_.skips()) read_from_all_over();
    if (next <= limit()) read_doubtful(next, size_t{kMoreRows} + kMoreFactor * ef);
  }

 private:
  // So many rows at least tell whether they are a crowd.
  static constexpr uint32_t kReadMin = 16;
  // By so many deviations codes may be wrong.
  static constexpr double kDeviations = 3;
  // Where the first ones, by their codes, are nearer to each other than that, their order says little.
  static constexpr float kCrowdedDeviations = 8;
  // Rows from all over, by which it is learnt then how far off codes are.
  static constexpr uint32_t kMeasured = 32;
  // Rows that are read beyond the first ones, at most.
  static constexpr uint32_t kMoreRows = 1024;
  static constexpr uint32_t kMoreFactor = 16;

  void pick_found() {
    scratch_.picked.clear();
    for (const Beam::Entry& entry : scratch_.found) scratch_.picked.push_back({entry.rank * unit_, entry.node()});
  }

  template <class Take>
  void scan(const Take& take) {
    scan_allowed(scorer_, search_, rows_, take);
    scratch_.effort.scan(search_.allowed.count(rows_));
    scratch_.effort.compare(search_.allowed.count(rows_), scorer_.bytes());
  }

  // The code of a row of this rank, so many deviations off.
  float by_code(float rank, double deviations) const {
    return static_cast<float>(static_cast<double>(rank) - errors_.mean() + deviations * errors_.deviation());
  }

  // What has a higher rank by its code is none of the best.
  float limit() const {
    HitCollector& hits = scratch_.hits;
    return by_code(hits.size() >= search_.k ? hits.sorted().back().rank : search_.range.highest, kDeviations);
  }

  void read(const IndexHit* rows, size_t count) {
    own_.units.reuse_buffers();
    units_.read_of(rows, count, search_, own_, scratch_);
  }

  // How far off the codes of rows are that have just been read.
  CodeErrors errors_of(const IndexHit* rows, size_t count) {
    CodeErrors errors;
    for (size_t i = 0; i < count; ++i)
      errors.add(static_cast<double>(units_.rank_of(rows[i].row, own_, scratch_)) - static_cast<double>(rows[i].rank));
    return errors;
  }

  // Learns how far off codes are.
  void read_from_all_over() {
    uint32_t ids[kMeasured] = {};
    float ranks[kMeasured];
    uint32_t count = 0;
    search_.allowed.for_some(rows_, kMeasured, [&](uint32_t row) { ids[count++] = row; });
    scorer_.score(ids, count, ranks);
    IndexHit rows[kMeasured];
    for (uint32_t i = 0; i < count; ++i) rows[i] = {ranks[i] * unit_, ids[i]};
    read(rows, count);
    if (!is_set(search_.cancelled)) errors_ = errors_of(rows, count);
  }

  // Reads on from a rank, as long as codes leave it in doubt whether what comes is among the best.
  void read_doubtful(float from, size_t rows_max) {
    std::vector<IndexHit>& picked = scratch_.picked;
    picked.clear();
    const float to = limit();
    scan([&](float rank, uint32_t row) {
      if (rank * unit_ >= from && rank * unit_ <= to) picked.push_back({rank * unit_, row});
    });
    if (picked.size() > rows_max) {
      std::nth_element(picked.begin(), picked.begin() + static_cast<ptrdiff_t>(rows_max), picked.end());
      picked.resize(rows_max);
    }
    std::sort(picked.begin(), picked.end());
    for (size_t first = 0; first < picked.size() && picked[first].rank <= limit() && !is_set(search_.cancelled);) {
      const size_t count = std::min(picked.size() - first, BlockReader::kAtOnceMax);
      own_.units.reuse_buffers();
      units_.read_of(picked.data() + first, count, search_, own_, scratch_);
      first += count;
    }
  }

  const DiskUnits& units_;
  const Scorer& scorer_;
  const IndexSearch& search_;
  const uint32_t rows_;
  const float unit_;
  DiskScratch& own_;
  SearchScratch& scratch_;
  CodeErrors errors_;
};

}  // namespace elanus
