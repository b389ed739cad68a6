// The rows nearest to a query, of an index that compares codes and has the vectors in memory as well.
#pragma once

#include <algorithm>
#include <cstdint>

#include "compact_graph.h"
#include "find_nearest.h"
#include "scan_hits.h"

namespace elanus {

// Offers the best `ef` of the allowed rows to `scratch.hits`, by their vectors: those of a walk that keeps `view` rows in
// view, or of a scan. REQUIRES: at least one row; `scratch.exact` and the scorer are ready for the query; 1 <= ef <= view.
template <class Scorer>
void offer_nearest(const Graph& graph, const DenseRows& rows, const Scorer& scorer, const IndexSearch& search, uint32_t view,
                   uint32_t ef, SearchScratch& scratch) {
  // Who asks for less has no more than the codes' word for what is best: that is enough without a filter.
  constexpr uint32_t kScannedMin = 16;
  const size_t wanted = std::min(search.k, search.allowed.count(graph.rows));
  const UsualSearch usual = UsualSearch::of_degree(graph.degree);
  if (way_of(graph, usual, search, {view, view}, nullptr, scorer.lines()) == Way::kWalk) {
    const Beam* const walked = walk_to_nearest(graph, usual, scorer, search, {view, view}, scratch);
    if (walked != nullptr && walked->size() >= wanted) {
      scratch.rows.clear();
      for (const Beam::Entry& entry : *walked) scratch.rows.push_back(entry.node());
      rank_exactly(rows, scratch.rows.data(), std::min<size_t>(scratch.rows.size(), ef), scratch);
      return;
    }
  }
  const uint32_t scanned = search.allowed.are_all() ? ef : std::max(ef, kScannedMin);
  HitScan(rows, nullptr, scorer, search, scanned, scratch).by_long_codes();
}

}  // namespace elanus
