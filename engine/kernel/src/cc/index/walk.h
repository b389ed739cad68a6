// The beam search of HNSW, over any layer and any way to compare.
#pragma once

#include <algorithm>
#include <atomic>
#include <vector>

#include "../simd/simd.h"
#include "beam.h"
#include "graph.h"
#include "parallel.h"
#include "visited.h"

namespace elanus {

// A layer as walks see it: nodes are numbers, rows in layer 0 and slots above.
struct LayerView {
  const uint32_t* links;
  size_t degree;
  const uint32_t* rows;  // of the nodes; nullptr: a node is a row
  size_t nodes;
  uint32_t row_max;

  static LayerView of(const Graph& graph, size_t layer) {
    if (layer == 0) return {graph.links.data(), graph.degree, nullptr, graph.rows, graph.rows - 1};
    const GraphLayer& above = graph.layers[layer - 1];
    return {above.links.data(), graph.m, above.rows.data(), above.rows.size(), graph.rows - 1};
  }

  const uint32_t* links_of(uint32_t node) const { return links + node * degree; }
  uint32_t row_of(uint32_t node) const { return rows == nullptr ? node : std::min(rows[node], row_max); }
};

// One walk's memory for the neighbours of a node.
struct Neighbours {
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> rows;
  std::vector<float> ranks;
  std::vector<uint32_t> near;  // places of those that are near enough to be kept

  void reserve(size_t degree) {
    const size_t size = (degree + kRowTile - 1) / kRowTile * kRowTile;
    if (nodes.size() >= size) return;
    nodes.resize(size);
    rows.resize(size);
    ranks.resize(size);
    near.resize(size);
  }
};

// A `Scorer` has
//   prefetch(row)              asks for what comparing with the row will read
//   lines()                    of memory that it reads for a row
//   score(rows, count, ranks)  fills ranks[i] with the rank of rows[i]; both have room up to a multiple of kRowTile

// Asks for all links of a node.
inline void prefetch_links(const LayerView& layer, uint32_t node) {
  constexpr size_t kLinksPerLine = 64 / sizeof(uint32_t);
  for (size_t at = 0; at < layer.degree; at += kLinksPerLine) __builtin_prefetch(layer.links_of(node) + at);
}

// How far a walk has gone.
struct WalkCount {
  size_t steps = 0;
  size_t compared = 0;
};

// One walk in steps of two halves, between which others may take theirs: what a step reads is on its way meanwhile.
template <class Scorer>
class Walker {
 public:
  // From what stands in the beam already, all of it inserted into `visited`.
  Walker(const LayerView& layer, const Scorer& scorer, Beam& beam, Visited& visited, Neighbours& neighbours)
      : layer_(layer), scorer_(scorer), beam_(beam), visited_(visited) {
    neighbours.reserve(layer.degree);
    nodes_ = neighbours.nodes.data();
    rows_ = layer.rows == nullptr ? nodes_ : neighbours.rows.data();
    ranks_ = neighbours.ranks.data();
    near_ = neighbours.near.data();
  }

  // Asks for the neighbours of the nearest node that it has not stood on. False at the end.
  bool gather() {
    uint32_t node = 0;
    while (beam_.expand_next(&node)) {
      gather_new(layer_.links_of(node));
      if (count_ == 0) continue;
      if (beam_.peek_next(&node)) __builtin_prefetch(layer_.links_of(node));
      return true;
    }
    return false;
  }

  // Takes up those that are near. REQUIRES: `gather` has returned true.
  void take() {
    scorer_.score(rows_, count_, ranks_);
    ++so_far_.steps;
    so_far_.compared += count_;
    const float worst = beam_.worst();
    float lowest = ranks_[0];
    uint32_t nearest = 0;
    size_t near = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      const float rank = ranks_[i];
      near_[near] = i;
      near += rank < worst;
      nearest = rank < lowest ? i : nearest;
      lowest = rank < lowest ? rank : lowest;
    }
    // Most probably the next to be stood on: its links are on their way while the beam takes up the others.
    prefetch_links(layer_, nodes_[nearest]);
    for (size_t i = 0; i < near; ++i) beam_.offer(ranks_[near_[i]], nodes_[near_[i]]);
    uint32_t node = 0;
    if (beam_.peek_next(&node)) prefetch_links(layer_, node);
  }

  const WalkCount& so_far() const { return so_far_; }

 private:
  // In two loops without a branch within: which links are new is as good as chance.
  void gather_new(const uint32_t* links) {
    count_ = visited_.insert_run(links, layer_.degree, layer_.nodes, nodes_);
    for (size_t i = 0; i < count_; ++i) {
      rows_[i] = layer_.row_of(nodes_[i]);
      scorer_.prefetch(rows_[i]);
    }
  }

  const LayerView layer_;
  const Scorer& scorer_;
  Beam& beam_;
  Visited& visited_;
  uint32_t* nodes_;
  uint32_t* rows_;
  float* ranks_;
  uint32_t* near_;
  size_t count_ = 0;
  WalkCount so_far_;
};

inline constexpr uint32_t kStepsBetweenLooks = 64;

// Fills the beam with nodes near the scorer's query, from what stands in it already. All that is in the beam was
// inserted into `visited`.
template <class Scorer>
WalkCount walk(const LayerView& layer, const Scorer& scorer, Beam& beam, Visited& visited, Neighbours& neighbours,
               const std::atomic<bool>* cancelled) {
  Walker walker(layer, scorer, beam, visited, neighbours);
  for (uint32_t step = 1; walker.gather(); ++step) {
    walker.take();
    if (step % kStepsBetweenLooks == 0 && is_set(cancelled)) break;
  }
  return walker.so_far();
}

// Two walks by turns, half a step each: as they would go alone, but what one has asked for comes while the other is at work.
template <class Scorer>
void walk_both(Walker<Scorer>& one, Walker<Scorer>& other, const std::atomic<bool>* cancelled) {
  bool one_goes = one.gather();
  bool other_goes = other.gather();
  for (uint32_t step = 1; one_goes || other_goes; ++step) {
    if (one_goes) one.take();
    if (other_goes) other.take();
    if (one_goes) one_goes = one.gather();
    if (other_goes) other_goes = other.gather();
    if (step % kStepsBetweenLooks == 0 && is_set(cancelled)) return;
  }
}

// From `node`, step by step to the node nearest to the scorer's query; returns it, and its rank in `*rank`.
template <class Scorer>
uint32_t descend(const LayerView& layer, Scorer&& scorer, uint32_t node, float* rank, Neighbours& neighbours) {
  neighbours.reserve(layer.degree);
  for (;;) {
    const uint32_t* const links = layer.links_of(node);
    size_t count = 0;
    while (count < layer.degree && links[count] < layer.nodes) {
      neighbours.rows[count] = layer.row_of(links[count]);
      scorer.prefetch(neighbours.rows[count]);
      ++count;
    }
    scorer.score(neighbours.rows.data(), count, neighbours.ranks.data());
    uint32_t nearest = kNoRow;
    for (size_t i = 0; i < count; ++i) {
      if (!(neighbours.ranks[i] < *rank)) continue;
      *rank = neighbours.ranks[i];
      nearest = links[i];
    }
    if (nearest == kNoRow) return node;
    node = nearest;
  }
}

// Where a node of a layer above layer 0 stands in the one below.
inline uint32_t node_below(const Graph& graph, size_t layer, uint32_t node) {
  const size_t nodes = layer == 1 ? graph.rows : graph.layers[layer - 2].rows.size();
  return std::min(graph.layers[layer - 1].below[node], static_cast<uint32_t>(nodes - 1));
}

// The row of layer 0 at which a walk begins: where steps down from the top layer to `layer_end` + 1 lead.
// REQUIRES: at least one row.
template <class Scorer>
uint32_t find_entry(const Graph& graph, Scorer&& scorer, size_t layer_end, float* rank, Neighbours& neighbours) {
  uint32_t node = 0;
  neighbours.reserve(graph.degree);
  neighbours.rows[0] = LayerView::of(graph, graph.layers.size()).row_of(0);
  scorer.score(neighbours.rows.data(), 1, neighbours.ranks.data());
  *rank = neighbours.ranks[0];
  for (size_t layer = graph.layers.size(); layer > layer_end; --layer) {
    node = descend(LayerView::of(graph, layer), scorer, node, rank, neighbours);
    node = node_below(graph, layer, node);
  }
  return node;
}

}  // namespace elanus
