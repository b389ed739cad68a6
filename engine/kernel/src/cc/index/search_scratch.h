// What one thread works with while it searches indexes, kept from search to search.
#pragma once

#include <memory>
#include <vector>

#include "beam.h"
#include "exact_ranks.h"
#include "frontier.h"
#include "hit_collector.h"
#include "scan_codes.h"
#include "search_effort.h"
#include "vector_index.h"
#include "visited.h"
#include "walk.h"
#include "walk_codes.h"

namespace elanus {

// Memory that only one layout needs.
struct LayoutScratch {
  virtual ~LayoutScratch() = default;
};

struct SearchScratch {
  SearchEffort effort;  // of the search under way
  WalkQuery walk_query;
  Beam beam;   // of a walk
  Frontier frontier;  // of a walk under a filter: what it has not stood on,
  Beam found;         // and the allowed rows
  Visited visited;
  Neighbours neighbours;
  ExactRanks exact;
  std::vector<uint32_t> rows;
  std::vector<float> ranks;
  HitCollector hits;
  ScanQuery scan_query;
  RowPool pool;  // what a scan of codes leaves
  std::vector<IndexHit> picked;  // what is to be ranked by vectors, by the ranks of its codes
  std::unique_ptr<LayoutScratch> fast;
  std::unique_ptr<LayoutScratch> coded;
  std::unique_ptr<LayoutScratch> sparse;
  std::unique_ptr<LayoutScratch> lists;
  std::unique_ptr<LayoutScratch> binary;
  std::unique_ptr<LayoutScratch> disk;
  std::unique_ptr<SearchScratch> second;  // of the other of two searches at once

  SearchScratch& of_second() {
    if (second == nullptr) second = std::make_unique<SearchScratch>();
    return *second;
  }
};

}  // namespace elanus
