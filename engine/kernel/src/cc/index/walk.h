// The beam search of HNSW, over any layer and any way to compare.
#pragma once

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

  static LayerView of(const Graph& graph, size_t layer) {
    if (layer == 0) return {graph.links.data(), graph.degree, nullptr, graph.rows};
    const GraphLayer& above = graph.layers[layer - 1];
    return {above.links.data(), graph.m, above.rows.data(), above.rows.size()};
  }

  const uint32_t* links_of(uint32_t node) const { return links + node * degree; }
  uint32_t row_of(uint32_t node) const { return rows == nullptr ? node : rows[node]; }
};

// One walk's memory for the neighbours of a node.
struct Neighbours {
  std::vector<uint32_t> nodes;
  std::vector<uint32_t> rows;
  std::vector<float> ranks;

  void reserve(size_t degree) {
    const size_t size = (degree + kRowTile - 1) / kRowTile * kRowTile;
    if (nodes.size() >= size) return;
    nodes.resize(size);
    rows.resize(size);
    ranks.resize(size);
  }
};

// A `Scorer` has
//   prefetch(row)              asks for what comparing with the row will read
//   score(rows, count, ranks)  fills ranks[i] with the rank of rows[i]; both have room up to a multiple of kRowTile

// Fills the beam with nodes near the scorer's query, from what stands in it already. All that is in the beam was
// inserted into `visited`.
template <class Scorer>
void walk(const LayerView& layer, Scorer&& scorer, Beam& beam, Visited& visited, Neighbours& neighbours,
          const std::atomic<bool>* cancelled) {
  neighbours.reserve(layer.degree);
  uint32_t* const nodes = neighbours.nodes.data();
  uint32_t* const rows = layer.rows == nullptr ? nodes : neighbours.rows.data();
  float* const ranks = neighbours.ranks.data();
  uint32_t node = 0;
  for (uint32_t step = 0; beam.expand_next(&node); ++step) {
    if (step % 64 == 63 && is_set(cancelled)) return;
    const uint32_t* const links = layer.links_of(node);
    size_t count = 0;
    for (size_t i = 0; i < layer.degree && links[i] != kNoRow; ++i) {
      const uint32_t neighbour = links[i];
      if (!visited.insert(neighbour)) continue;
      nodes[count] = neighbour;
      rows[count] = layer.row_of(neighbour);
      scorer.prefetch(rows[count]);
      ++count;
    }
    if (count == 0) continue;
    if (beam.peek_next(&node)) __builtin_prefetch(layer.links_of(node));
    scorer.score(rows, count, ranks);
    for (size_t i = 0; i < count; ++i) {
      if (ranks[i] < beam.worst()) beam.offer(ranks[i], nodes[i]);
    }
    if (beam.peek_next(&node)) {
      __builtin_prefetch(layer.links_of(node));
      __builtin_prefetch(layer.links_of(node) + 16);
    }
  }
}

// From `node`, step by step to the node nearest to the scorer's query; returns it, and its rank in `*rank`.
template <class Scorer>
uint32_t descend(const LayerView& layer, Scorer&& scorer, uint32_t node, float* rank, Neighbours& neighbours) {
  neighbours.reserve(layer.degree);
  for (;;) {
    const uint32_t* const links = layer.links_of(node);
    size_t count = 0;
    while (count < layer.degree && links[count] != kNoRow) {
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

// The row of layer 0 at which a walk begins: where steps down from the top layer to `layer_end` + 1 lead.
template <class Scorer>
uint32_t find_entry(const Graph& graph, Scorer&& scorer, size_t layer_end, float* rank, Neighbours& neighbours) {
  uint32_t node = 0;
  neighbours.reserve(graph.degree);
  neighbours.rows[0] = graph.layers.empty() ? 0 : graph.layers.back().rows[0];
  scorer.score(neighbours.rows.data(), 1, neighbours.ranks.data());
  *rank = neighbours.ranks[0];
  for (size_t layer = graph.layers.size(); layer > layer_end; --layer) {
    node = descend(LayerView::of(graph, layer), scorer, node, rank, neighbours);
    node = graph.layers[layer - 1].below[node];
  }
  return node;
}

}  // namespace elanus
