// Which blocks of nodes searches come by most: those are worth their memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "disk_graph_parts.h"
#include "graph.h"

namespace elanus {

struct UnitTrial {
  uint64_t seed;
  uint32_t threads;
  const std::atomic<bool>* cancelled;  // may be nullptr
};

// How many walks, of some thousand to rows drawn evenly, come by each unit of nodes that lie at `places`. Depends on
// the seed, not on the threads. Void when cancelled.
std::vector<uint32_t> count_visits(const DiskGraphParts& parts, const DenseRows& rows, const Graph& graph,
                                   const std::vector<uint32_t>& places, const UnitTrial& trial);

// Numbers the units by their visits, most first, and moves the places with them. A last unit that is not full stays the
// last.
void put_hot_units_first(const std::vector<uint32_t>& visits, uint32_t nodes_per_unit,
                         std::vector<uint32_t>* places);

}  // namespace elanus
