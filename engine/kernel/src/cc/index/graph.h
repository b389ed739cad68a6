// The graph of HNSW: Malkov and Yashunin, arXiv 1603.09320.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "dense_rows.h"
#include "huge_array.h"
#include "number_array.h"

namespace elanus {

// A layer above layer 0. Its rows have slots, numbered in the order in which they were linked, and links lead to slots.
struct GraphLayer {
  NumberArray rows;   // by slot
  NumberArray below;  // where the slot's row stands in the layer below: its slot, in layer 0 its number
  NumberArray links;  // `m` a slot, unused ones kNoRow at the end
};

// The numbers of a graph that lies in a file may be damaged and lead anywhere: who follows one compares it with the
// number of nodes first. That ends a list of links as kNoRow does, and costs the same.
struct Graph {
  uint32_t rows = 0;
  uint32_t m = 0;
  uint32_t degree = 0;             // of layer 0: 2 * m
  HugeArray<uint32_t> links;       // `degree` a row, nearest first as a rule, unused ones kNoRow at the end
  std::vector<GraphLayer> layers;  // layer 1 first; the last has few rows, at least one
  // Where nodes of layer 0 are numbered by their places, as graph_order.h does: which rows they are, and the other way round.
  // All numbers above are nodes then, where they would be rows. Else both are empty: a node is its row.
  NumberArray row_of_node;
  NumberArray node_of_row;

  bool is_placed() const { return row_of_node.size() > 0; }
  uint32_t row_of(uint32_t node) const { return is_placed() ? std::min(row_of_node[node], rows - 1) : node; }
  uint32_t node_of(uint32_t row) const { return is_placed() ? std::min(node_of_row[row], rows - 1) : row; }

  const uint32_t* links_of(uint32_t row) const { return links.data() + size_t{row} * degree; }
  size_t memory_bytes() const;
  // Whether every number leads to a node. False when cancelled.
  bool is_sound(const std::atomic<bool>* cancelled) const;

 private:
  bool places_are_sound(const std::atomic<bool>* cancelled) const;
};

struct GraphOptions {
  uint32_t m;                // at least 2
  uint32_t ef_construction;  // at least 1
  uint64_t seed;
  uint32_t threads;
};

// How far long work has come, and whether it shall end early.
struct WorkControl {
  std::atomic<bool> cancelled = false;
  std::atomic<float> done = 0;  // 0 to 1, rising
};

class WalkCodes;

// The graph of the rows of `codes`. It depends on them and on the options without `threads`. False when cancelled: the
// graph is void then. REQUIRES: `graph` is empty.
//
// Rows are linked in batches: its members look for neighbours in the graph as it was before the batch, all threads
// at once, and the links are added in an order that no thread has a part in. `control->done` runs from what it is
// to `done_after`.
bool build_graph(const WalkCodes& codes, const GraphOptions& options, WorkControl* control, float done_after,
                 Graph* graph);

}  // namespace elanus
