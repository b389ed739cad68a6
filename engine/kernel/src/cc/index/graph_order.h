// A graph whose nodes are numbered by where their rows are: what a walk comes upon lies together in memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "graph.h"
#include "walk_codes.h"

namespace elanus {

// The rows of the graph, those near to each other one after the other: the same for the same graph and codes, whatever the
// number of threads. Nothing where they are so few that it does not matter. In no good order when cancelled.
// REQUIRES: the nodes of layer 0 are the rows.
std::vector<uint32_t> rows_by_place(const WalkCodes& codes, const Graph& graph, uint32_t threads,
                                    const std::atomic<bool>* cancelled);

// Makes rows[i] node i of layer 0, and record i of the codes. REQUIRES: as above; `rows` holds each row once.
void put_in_order(const std::vector<uint32_t>& rows, Graph* graph, WalkCodes* codes);

}  // namespace elanus
