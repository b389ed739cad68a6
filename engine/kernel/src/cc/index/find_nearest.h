// The allowed rows nearest to a query, by a walk or by a scan: what each costs, and how it goes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "search_scratch.h"
#include "usual_search.h"
#include "walk.h"

namespace elanus {

// What searches cost on the machine that they were measured on, in nanoseconds: only their proportions count.
// A row that a scan compares by its code, for each cache line of it; one that a walk comes upon, and each line of that;
// under a filter one that it stands on, most of whose neighbours it knows by then; one that a scan of short codes leaves,
// which is sorted out and is somewhere in memory, but was asked for in time.
inline constexpr double kScannedCost = 6.5;
inline constexpr double kScannedLineCost = 2.2;
inline constexpr double kWalkedCost = 22;
inline constexpr double kWalkedLineCost = 6;
inline constexpr double kFilteredStepCost = 120;
inline constexpr double kPickedLineCost = 12;
inline constexpr double kPickedCost = 40;
// A block of short codes, whatever its size, and each byte of it.
inline constexpr double kBlockCost = 45;
inline constexpr double kBlockByteCost = 1.0 / 36;

// Rows are left by short codes, to be compared by longer ones, unless their estimates are so many times the usual error
// worse than the k-th best one: more times where more is asked for, but not beyond all bounds.
inline constexpr float kErrorsAtLeast = 2;
inline constexpr float kErrorsPerDoubling = 0.35f;
inline constexpr size_t kPickedFactorMax = 16;
inline float errors_allowed(size_t ef) {
  return kErrorsAtLeast + kErrorsPerDoubling * std::log2(std::max(static_cast<float>(ef) / 10, 1.0f));
}
// As a rule they are so many, on the packages.
inline double picked_rows(double ef) { return 16 * std::sqrt(ef); }

// A walk that has compared so many times the rows that it should is among rows that are not allowed: it ends before it
// has cost more than a part of the scan that follows, by short codes of all rows or by longer ones of those allowed.
inline constexpr double kPatience = 1.5;
inline constexpr double kRowsPerScanned = 40;
inline constexpr double kRowsPerAllowed = 8;
inline double rows_until_scan(double rows, double allowed) {
  return std::min(rows / kRowsPerScanned, allowed / kRowsPerAllowed);
}

// Of the rows that it takes up, from so many on, and so many times as many as there is one that is allowed, a walk wants at
// least so much of the share that is allowed of all.
inline constexpr size_t kFirstRows = 128;
inline constexpr double kFirstAllowed = 16;
inline constexpr double kLuckMin = 0.3;

// The short codes of an index, for a scan that reads little; and how queries become comparable with them.
struct ShortScan {
  const WalkLoops& loops;
  const ScanCodes& codes;
  const RowReader& reader;
};

// A longer code has so many cache lines.
inline double short_scan_cost(const ShortScan& scan, const AllowedRows& allowed, uint32_t rows, size_t ef,
                              double lines) {
  const double block = kBlockCost + kBlockByteCost * static_cast<double>(scan.codes.block_bytes());
  return allowed.words(rows) * block + picked_rows(static_cast<double>(ef)) * (kPickedCost + kPickedLineCost * lines);
}

// Notes what a walk did that compared rows of so many cache lines.
inline void note_walk(const LayerView& layer, const WalkCount& count, double lines, SearchEffort& effort) {
  effort.walk(count.steps, layer.degree * sizeof(uint32_t));
  effort.compare(count.compared, static_cast<uint64_t>(64 * lines));
}

// Notes what a scan of short codes did for one query.
inline void note_short_scan(const ShortScan& scan, const AllowedRows& allowed, uint32_t rows, SearchEffort& effort) {
  effort.scan(allowed.count(rows));
  const uint64_t blocks = allowed.words(rows);
  effort.compare(blocks * kBlockNeighbours, scan.codes.block_bytes() / kBlockNeighbours);
}

// Makes the scratch ready for a scan of short codes.
inline void begin_scan(const ShortScan& scan, const IndexSearch& search, size_t ef, SearchScratch& scratch) {
  ScanQuery& query = scratch.scan_query;
  query.query.resize(scan.codes.dim());
  scan.reader.read(search.query, query.query.data());
  scan.codes.prepare(scan.loops, &query);
  const size_t k = search.skips() ? ef : search.k;
  scratch.pool.reset(k, errors_allowed(ef) * query.error, kPickedFactorMax * (ef + 16));
}

// Offers all allowed rows to the pool by their short codes.
inline void fill_pool(const ShortScan& scan, const IndexSearch& search, uint32_t rows, SearchScratch& scratch) {
  const ScanCodes::Task task = {scratch.scan_query, scratch.pool};
  scan.codes.scan(scan.loops, &task, 1, search.allowed, rows, search.cancelled);
  note_short_scan(scan, search.allowed, rows, scratch.effort);
}

// The best of the allowed rows by their short codes: what is in the pool then.
inline void scan_short(const ShortScan& scan, const IndexSearch& search, uint32_t rows, size_t ef,
                       SearchScratch& scratch) {
  begin_scan(scan, search, ef, scratch);
  fill_pool(scan, search, rows, scratch);
}

// The same of two searches that differ in their queries only.
inline void scan_short_both(const ShortScan& scan, const IndexSearch& one, const IndexSearch& other, uint32_t rows,
                            size_t ef, SearchScratch& of_one, SearchScratch& of_other) {
  begin_scan(scan, one, ef, of_one);
  begin_scan(scan, other, ef, of_other);
  const ScanCodes::Task tasks[] = {{of_one.scan_query, of_one.pool}, {of_other.scan_query, of_other.pool}};
  scan.codes.scan(scan.loops, tasks, 2, one.allowed, rows, one.cancelled);
  note_short_scan(scan, one.allowed, rows, of_one.effort);
  note_short_scan(scan, one.allowed, rows, of_other.effort);
}

// Calls `take(rank, row)` for all allowed rows.
template <class Scorer, class Take>
void scan_allowed(Scorer&& scorer, const IndexSearch& search, uint32_t rows, const Take& take) {
  constexpr size_t kAtOnce = 64;
  uint32_t ids[2][kAtOnce];
  float ranks[kAtOnce];
  size_t counts[2] = {};
  size_t turn = 0;
  // What is compared now was asked for while the others were.
  const auto compare = [&](size_t side) {
    scorer.score(ids[side], counts[side], ranks);
    for (size_t i = 0; i < counts[side]; ++i) take(ranks[i], ids[side][i]);
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

// Rows that a walk under a filter stands on at once when it has found enough and only looks for better ones: it waits for
// memory once.
inline constexpr size_t kStoodOnAtOnce = 4;

// How many of the `ef` allowed rows in view a walk wants to be sure of. Without a filter those behind the hits are there so that
// it does not end where it has lost its way; under a filter any rows serve for that, allowed or not. So of the allowed ones it
// is enough to know `always` and a part of the others, as large as the share that is allowed, and half as much again. The
// number of hits has no say, or the first hits would depend on it.
struct RowsInView {
  uint32_t always;  // at most ef
  uint32_t ef;

  size_t under(double allowed_share) const {
    return always + static_cast<size_t>(std::ceil(std::min(1.0, kBesideWanted * allowed_share) * (ef - always)));
  }

 private:
  static constexpr double kBesideWanted = 1.5;
};

// When a walk under a filter ends.
struct FilteredWalkEnd {
  RowsInView view;
  double share;        // of all rows that are allowed
  double rows_max;     // to compare
  double allowed_min;  // the share of what is near
};

// Walks through all rows, allowed or not, until `ef` allowed ones are known, and as many of them as it wants to be sure of are
// nearer than anything that is left to explore (as hnswlib and knowhere do), and the last of these has been stood on as well. How
// many that are is a matter of the share that is allowed near the query, or of all if that is more. False when it has compared
// too many rows, or too few of those near are allowed.
template <class Scorer>
bool walk_filtered(const Graph& graph, Scorer&& scorer, const IndexSearch& search, const FilteredWalkEnd& end,
                   SearchScratch& scratch, WalkCount* so_far) {
  const LayerView layer = LayerView::of(graph, 0);
  Neighbours& neighbours = scratch.neighbours;
  neighbours.reserve(kStoodOnAtOnce * layer.degree);
  uint32_t* const nodes = neighbours.nodes.data();
  float* const ranks = neighbours.ranks.data();
  Frontier& frontier = scratch.frontier;
  Beam& found = scratch.found;
  size_t taken = 0;
  size_t allowed = 0;
  size_t wanted = end.view.ef;
  for (;;) {
    size_t count = 0;
    float bound = found.is_full() ? found.rank_of(wanted) : std::numeric_limits<float>::infinity();
    const size_t at_once = found.is_full() ? kStoodOnAtOnce : 1;
    size_t stood_on = 0;
    uint32_t node = 0;
    float rank = 0;
    for (; stood_on < at_once && frontier.peek_next(&node, &rank) && rank <= bound; ++stood_on) {
      frontier.take_next();
      const size_t end =
          count + scratch.visited.insert_run(layer.links_of(node), layer.degree, layer.nodes, nodes + count);
      for (; count < end; ++count) scorer.prefetch(nodes[count]);
    }
    if (stood_on == 0) break;
    so_far->steps += stood_on;
    scorer.score(nodes, count, ranks);
    for (size_t i = 0; i < count; ++i) {
      const bool is_near = ranks[i] < bound;
      if (is_near) {
        ++taken;
        frontier.offer(ranks[i], nodes[i]);
        // It may be the next one at once.
        prefetch_links(layer, nodes[i]);
      }
      if (!(ranks[i] < found.worst()) || !search.allowed.has(graph.row_of(nodes[i]))) continue;
      if (is_near) ++allowed;
      found.offer(ranks[i], nodes[i]);
      if (found.is_full()) bound = found.rank_of(wanted);
    }
    so_far->compared += count;
    if (static_cast<double>(so_far->compared) > end.rows_max || is_set(search.cancelled)) return false;
    if (taken < kFirstRows) continue;
    const double share_here = static_cast<double>(allowed) / static_cast<double>(taken);
    // Near the query hardly any are allowed.
    if (share_here < end.allowed_min && static_cast<double>(taken) * end.share >= kFirstAllowed) return false;
    wanted = end.view.under(std::max(share_here, end.share));
  }
  return found.is_full();
}

// Where a walk begins; a walk comes upon it no more.
template <class Scorer>
Beam::Entry entry_of(const Graph& graph, const Scorer& scorer, SearchScratch& scratch) {
  float rank = 0;
  const uint32_t entry = find_entry(graph, scorer, 0, &rank, scratch.neighbours);
  scratch.visited.reset(graph.rows);
  scratch.visited.insert(entry);
  return {rank, entry};
}

// Begins a walk that keeps so many in view.
template <class Scorer>
void enter(const Graph& graph, const Scorer& scorer, size_t room, SearchScratch& scratch) {
  const Beam::Entry entry = entry_of(graph, scorer, scratch);
  scratch.beam.reset(room);
  scratch.beam.offer(entry.rank, entry.node());
}

// The way that the search asks for, or the least costly; never kVectors. `scan` may be nullptr.
inline Way way_of(const Graph& graph, const UsualSearch& usual, const IndexSearch& search, RowsInView view,
                  const ShortScan* scan, double lines) {
  if (search.way != Way::kCheapest) return search.way;
  const uint32_t ef = view.ef;
  const double allowed = search.allowed.count(graph.rows);
  const double share = allowed / graph.rows;
  const auto in_view = static_cast<double>(view.under(share));
  const double steps_cost = search.allowed.are_all() ? 0 : in_view / share * kFilteredStepCost;
  const double walked = usual.rows_walked(in_view, share) * (kWalkedCost + lines * kWalkedLineCost) + steps_cost;
  const double long_cost = allowed * (kScannedCost + lines * kScannedLineCost);
  const double short_cost =
      scan == nullptr ? long_cost
                      : static_cast<double>(usual.scans) * short_scan_cost(*scan, search.allowed, graph.rows, ef, lines);
  if (ef < allowed && walked < std::min(long_cost, short_cost)) return Way::kWalk;
  return short_cost < long_cost ? Way::kShortScan : Way::kLongScan;
}

// About the `view.ef` nearest allowed rows by the scorer's ranks, nearest first, each once; nullptr when the walk has given
// up, which only a filter makes it do. Void when cancelled.
// REQUIRES: at least one row; 1 <= view.ef.
template <class Scorer>
const Beam* walk_to_nearest(const Graph& graph, const UsualSearch& usual, Scorer&& scorer, const IndexSearch& search,
                            RowsInView view, SearchScratch& scratch) {
  const LayerView layer = LayerView::of(graph, 0);
  if (search.allowed.are_all()) {
    enter(graph, scorer, view.ef, scratch);
    const WalkCount count =
        walk(layer, scorer, scratch.beam, scratch.visited, scratch.neighbours, search.cancelled);
    note_walk(layer, count, scorer.lines(), scratch.effort);
    return &scratch.beam;
  }
  const double share = static_cast<double>(search.allowed.count(graph.rows)) / graph.rows;
  // What is learnt is a mean: walks of twice the length are none that have gone astray.
  const auto in_view = static_cast<double>(view.under(share));
  const double usually = std::max(usual.rows_walked(in_view, share),
                                  UsualSearch::of_degree(graph.degree).rows_walked(in_view, share));
  const double walked = std::max(kPatience * usually, rows_until_scan(graph.rows, share * graph.rows));
  const Beam::Entry entry = entry_of(graph, scorer, scratch);
  scratch.frontier.clear();
  scratch.frontier.offer(entry.rank, entry.node());
  scratch.found.reset(view.ef);
  if (search.allowed.has(graph.row_of(entry.node()))) scratch.found.offer(entry.rank, entry.node());
  WalkCount count;
  const bool may_give_up = search.way != Way::kWalk;
  const FilteredWalkEnd end = {view, share, may_give_up ? walked : std::numeric_limits<double>::infinity(),
                               may_give_up ? kLuckMin * share : 0};
  const bool has_ended = walk_filtered(graph, scorer, search, end, scratch, &count);
  note_walk(layer, count, scorer.lines(), scratch.effort);
  return has_ended || !may_give_up ? &scratch.found : nullptr;
}

// The same of two searches that differ in their queries only and have no filter: what is in the beams then.
template <class Scorer>
void walk_to_nearest_of_both(const Graph& graph, const Scorer (&scorers)[2], uint32_t ef,
                             const std::atomic<bool>* cancelled, SearchScratch* const (&scratches)[2]) {
  for (size_t i = 0; i < 2; ++i) enter(graph, scorers[i], ef, *scratches[i]);
  const LayerView layer = LayerView::of(graph, 0);
  Walker one(layer, scorers[0], scratches[0]->beam, scratches[0]->visited, scratches[0]->neighbours);
  Walker other(layer, scorers[1], scratches[1]->beam, scratches[1]->visited, scratches[1]->neighbours);
  walk_both(one, other, cancelled);
  note_walk(layer, one.so_far(), scorers[0].lines(), scratches[0]->effort);
  note_walk(layer, other.so_far(), scorers[1].lines(), scratches[1]->effort);
}

}  // namespace elanus
