// The allowed rows nearest to a query, by a walk or by a scan, whichever is shorter.
#pragma once

#include <algorithm>
#include <cstdint>

#include "search_scratch.h"
#include "walk.h"

namespace elanus {

// Comparing a row that a walk comes upon takes so many times as long as comparing one of a scan: 45 to 60 ns and 8 ns
// on the packages.
inline constexpr double kWalkedRowCost = 6;

// Rows that a walk under a filter keeps in view at most, unless more hits are wanted.
inline constexpr size_t kExploredMax = 16384;

// A walk that has compared so many times the rows that it should is among rows that are not allowed: it ends before it
// has cost more than a part of the scan that follows.
inline constexpr double kPatience = 1.5;

// Of the rows that it takes up, from so many on, a walk wants at least so much of the share that is allowed of all.
inline constexpr size_t kFirstRows = 128;
inline constexpr double kLuckMin = 0.3;

// About how many rows a walk compares until it knows the `ef` nearest of those that are allowed, where any row is as
// likely to be allowed as any other. Measured on three data sets: 350 rows to begin with, 11 more for each at degree
// 32.
inline double rows_walked(size_t degree, double ef, double allowed_share) {
  return static_cast<double>(degree) * (11 + 0.35 * ef / allowed_share);
}

// Offers all allowed rows to the beam.
template <class Scorer>
void scan_allowed(Scorer&& scorer, const IndexSearch& search, uint32_t rows, Beam& beam) {
  constexpr size_t kAtOnce = 64;
  uint32_t ids[2][kAtOnce];
  float ranks[kAtOnce];
  size_t counts[2] = {};
  size_t turn = 0;
  // What is compared now was asked for while the others were.
  const auto compare = [&](size_t side) {
    scorer.score(ids[side], counts[side], ranks);
    for (size_t i = 0; i < counts[side]; ++i) {
      if (ranks[i] < beam.worst()) beam.offer(ranks[i], ids[side][i]);
    }
    counts[side] = 0;
  };
  search.allowed.for_each(rows, [&](uint32_t row) {
    ids[turn][counts[turn]++] = row;
    scorer.prefetch(row);
    if (counts[turn] < kAtOnce) return true;
    turn ^= 1;
    if (counts[turn] > 0) compare(turn);
    return !is_set(search.cancelled);
  });
  if (counts[turn ^ 1] > 0) compare(turn ^ 1);
  if (counts[turn] > 0) compare(turn);
}

// Walks through all rows, allowed or not, until the allowed ones that are known are nearer than anything that is
// left to explore (as hnswlib and knowhere do). False when it has compared more than `rows_max` rows, would have to
// explore more of those that are not allowed than there is room for, or finds a share of less than `allowed_min` of what
// is near to be allowed.
template <class Scorer>
bool walk_filtered(const LayerView& layer, Scorer&& scorer, const IndexSearch& search, double rows_max,
                   double allowed_min, SearchScratch& scratch) {
  Neighbours& neighbours = scratch.neighbours;
  neighbours.reserve(layer.degree);
  uint32_t* const nodes = neighbours.nodes.data();
  float* const ranks = neighbours.ranks.data();
  Beam& beam = scratch.beam;
  Beam& found = scratch.found;
  size_t compared = 0;
  size_t taken = 0;
  size_t allowed = 0;
  uint32_t node = 0;
  float rank = 0;
  while (beam.peek_next(&node, &rank) && rank < found.worst()) {
    beam.expand_next(&node);
    const uint32_t* const links = layer.links_of(node);
    size_t count = 0;
    for (size_t i = 0; i < layer.degree && links[i] != kNoRow; ++i) {
      if (!scratch.visited.insert(links[i])) continue;
      nodes[count] = links[i];
      scorer.prefetch(nodes[count]);
      ++count;
    }
    scorer.score(nodes, count, ranks);
    for (size_t i = 0; i < count; ++i) {
      if (!(ranks[i] < found.worst())) continue;
      ++taken;
      if (ranks[i] < beam.worst()) beam.offer(ranks[i], nodes[i]);
      if (!search.allowed.has(nodes[i])) continue;
      ++allowed;
      found.offer(ranks[i], nodes[i]);
    }
    compared += count;
    if (static_cast<double>(compared) > rows_max || is_set(search.cancelled)) return false;
    // Near the query hardly any are allowed.
    if (taken >= kFirstRows && static_cast<double>(allowed) < allowed_min * static_cast<double>(taken)) return false;
    if (beam.peek_next(&node, &rank)) __builtin_prefetch(layer.links_of(node));
  }
  return found.is_full() && !(beam.is_full() && beam.worst() < found.worst());
}

// About the `ef` nearest allowed rows by the scorer's ranks, nearest first. Each once. Void when cancelled.
// REQUIRES: at least one row; 1 <= ef.
template <class Scorer>
const Beam& find_nearest(const Graph& graph, Scorer&& scorer, const IndexSearch& search, uint32_t ef,
                         SearchScratch& scratch) {
  const double allowed = search.allowed.count(graph.rows);
  const double share = allowed / static_cast<double>(graph.rows);
  const double walked = rows_walked(graph.degree, ef, share);
  if (ef < allowed && walked * kWalkedRowCost < allowed) {
    const LayerView layer = LayerView::of(graph, 0);
    float rank = 0;
    const uint32_t entry = find_entry(graph, scorer, 0, &rank, scratch.neighbours);
    scratch.visited.reset(graph.rows);
    scratch.visited.insert(entry);
    if (search.allowed.are_all()) {
      scratch.beam.reset(ef);
      scratch.beam.offer(rank, entry);
      walk(layer, scorer, scratch.beam, scratch.visited, scratch.neighbours, search.cancelled);
      return scratch.beam;
    }
    // As a rule there are about ef / share that are nearer than the nearest allowed ones; where those lie far from the
    // query there are many more.
    scratch.beam.reset(std::max<size_t>(ef, std::min(static_cast<size_t>(kPatience * walked), kExploredMax)));
    scratch.beam.offer(rank, entry);
    scratch.found.reset(ef);
    if (search.allowed.has(entry)) scratch.found.offer(rank, entry);
    if (walk_filtered(layer, scorer, search, kPatience * walked, kLuckMin * share, scratch)) return scratch.found;
  }
  scratch.found.reset(ef);
  scan_allowed(scorer, search, graph.rows, scratch.found);
  return scratch.found;
}

}  // namespace elanus
