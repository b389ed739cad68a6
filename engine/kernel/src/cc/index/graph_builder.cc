// Links the rows of a graph: `build_graph` of graph.h.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>

#include "graph.h"
#include "parallel.h"
#include "random.h"
#include "select_links.h"
#include "walk.h"

namespace elanus {
namespace {

constexpr size_t kLevelsMax = 16;
// A batch is at most this share of the rows that the graph will have.
constexpr uint32_t kBatchesMin = 50;
constexpr uint32_t kBatchRowsMin = 64;
// While the graph grows a row of layer 0 has room for so many more links than it keeps: choosing the best of them costs as
// much as finding a row's own, and is done once for as many as fit.
constexpr uint32_t spare_links(uint32_t m) { return m / 2; }
// From this layer on a walk's way down tells where its row is. Below it stand 1 in m * m rows.
constexpr size_t kPlaceLayer = 2;
constexpr size_t kRowsPerRun = 16;
constexpr size_t kTargetsPerRun = 32;

// The row's highest layer: each is reached by 1 in m of those of the layer below.
size_t level_of(uint32_t row, const GraphOptions& options) {
  const double luck = (static_cast<double>(seed_of_part(options.seed, row) >> 11) + 1) * 0x1p-53;
  return std::min(static_cast<size_t>(-std::log(luck) / std::log(static_cast<double>(options.m))), kLevelsMax);
}

// A link that is to be added: from `target` back to `source`.
struct BackLink {
  uint32_t target;
  uint32_t source;

  bool operator<(const BackLink& other) const {
    return target != other.target ? target < other.target : source < other.source;
  }
};

class Builder {
 public:
  Builder(const WalkCodes& codes, const GraphOptions& options, WorkControl* control, Graph* graph)
      : codes_(codes), options_(options), control_(control), graph_(*graph) {}

  bool build(float done_after);

 private:
  // What one thread works with.
  struct Scratch {
    explicit Scratch(const WalkCodes& codes) : scorer{codes, query}, selector(codes) {}
    WalkQuery query;
    const CodeScorer scorer;
    LinkSelector selector;
    Beam beam;
    Visited visited;
    Neighbours neighbours;
    std::vector<LinkCandidate> candidates;
  };
  // The links of one member of a batch in the layers above layer 0: `m` for each.
  struct UpperLinks {
    uint32_t row;
    std::vector<uint32_t> links;
  };

  void link_batch(const uint32_t* rows, size_t count);
  std::vector<uint32_t> by_place(const uint32_t* rows, size_t count);
  uint64_t place_of(uint32_t row, Scratch& scratch);
  void link_rows(const uint32_t* numbers, size_t count, const uint32_t* rows, std::vector<UpperLinks>& upper,
                 const std::vector<uint32_t>& upper_of);
  void go_down(uint32_t row, UpperLinks* upper, Scratch& scratch);
  void begin_walk(uint32_t node, float rank, const LayerView& view, Scratch& scratch);
  void end_walk(uint32_t row, const LayerView& view, Scratch& scratch, uint32_t* links);
  void append_to_layers(const UpperLinks& member);
  void add_back_links(size_t layer, std::vector<BackLink>& back_links);
  void add_back_links_of(size_t layer, const BackLink* begin, const BackLink* end, Scratch& scratch);
  void keep_best(size_t layer, uint32_t node, size_t count, uint32_t* links, Scratch& scratch);
  void end_spare_links();
  std::unique_ptr<Scratch> take_scratch();
  void give_back(std::unique_ptr<Scratch> scratch);

  const WalkCodes& codes_;
  const GraphOptions& options_;
  WorkControl* control_;
  Graph& graph_;
  std::mutex mutex_;  // guards what follows
  std::vector<std::unique_ptr<Scratch>> free_;
};

// The rows in an order of their own: those that came together are often alike, and members of a batch do not see each
// other. Row 0, where walks begin as long as there are no layers, stays first.
std::vector<uint32_t> shuffled_rows(uint32_t count, uint64_t seed) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  SplitMix random(seed_of_part(seed, 0));
  for (size_t i = rows.size(); i > 2; --i) std::swap(rows[i - 1], rows[1 + random.below(i - 1)]);
  return rows;
}

bool Builder::build(float done_after) {
  const uint32_t row_count = codes_.rows();
  const float done_before = control_->done.load(std::memory_order_relaxed);
  const uint32_t batch_max = std::max(row_count / kBatchesMin, kBatchRowsMin);
  graph_.links.resize(size_t{row_count} * graph_.degree);
  std::fill(graph_.links.data(), graph_.links.data() + graph_.links.size(), kNoRow);
  const std::vector<uint32_t> rows = shuffled_rows(row_count, options_.seed);
  for (size_t linked = 0; linked < rows.size();) {
    const size_t batch = std::min({std::max<size_t>(linked, 1), size_t{batch_max}, rows.size() - linked});
    link_batch(rows.data() + linked, batch);
    if (is_set(&control_->cancelled)) return false;
    linked += batch;
    const float share = static_cast<float>(linked) / static_cast<float>(rows.size());
    control_->done.store(done_before + (done_after - done_before) * share, std::memory_order_relaxed);
  }
  end_spare_links();
  return !is_set(&control_->cancelled);
}

void Builder::link_batch(const uint32_t* rows, size_t count) {
  std::vector<UpperLinks> upper;
  std::vector<uint32_t> upper_of(count, kNoRow);
  for (size_t i = 0; i < count; ++i) {
    const size_t level = level_of(rows[i], options_);
    if (level == 0) continue;
    upper_of[i] = static_cast<uint32_t>(upper.size());
    upper.push_back({rows[i], std::vector<uint32_t>(level * graph_.m, kNoRow)});
  }
  const std::vector<uint32_t> order = by_place(rows, count);
  parallel_for(options_.threads, count, kRowsPerRun, &control_->cancelled, [&](size_t from, size_t to) {
    for (size_t at = from; at < to; at += 2)
      link_rows(order.data() + at, std::min<size_t>(to - at, 2), rows, upper, upper_of);
  });
  // Nobody has a way to the new rows yet, so nothing need be undone.
  if (is_set(&control_->cancelled)) return;
  std::vector<BackLink> back_links;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t* const links = graph_.links_of(rows[i]);
    for (size_t l = 0; l < graph_.degree && links[l] != kNoRow; ++l) back_links.push_back({links[l], rows[i]});
  }
  graph_.rows = codes_.rows();
  add_back_links(0, back_links);
  std::vector<uint32_t> slots_before;
  for (const GraphLayer& layer : graph_.layers) slots_before.push_back(static_cast<uint32_t>(layer.rows.size()));
  for (const UpperLinks& member : upper) append_to_layers(member);
  for (size_t layer = 1; layer <= slots_before.size(); ++layer) {
    back_links.clear();
    const GraphLayer& at = graph_.layers[layer - 1];
    for (uint32_t slot = slots_before[layer - 1]; slot < at.rows.size(); ++slot) {
      const uint32_t* const links = at.links.data() + size_t{slot} * graph_.m;
      for (size_t i = 0; i < graph_.m && links[i] != kNoRow; ++i) back_links.push_back({links[i], slot});
    }
    add_back_links(layer, back_links);
  }
}

// The numbers of a batch's members, those that are near each other one after the other: their walks read the same part
// of the graph, which stays in the caches of the processor. What they find does not depend on it.
std::vector<uint32_t> Builder::by_place(const uint32_t* rows, size_t count) {
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (graph_.layers.size() < kPlaceLayer) return order;
  std::vector<uint64_t> places(count);
  parallel_for(options_.threads, count, kRowsPerRun, &control_->cancelled, [&](size_t from, size_t to) {
    std::unique_ptr<Scratch> scratch = take_scratch();
    for (size_t i = from; i < to; ++i) places[i] = place_of(rows[i], *scratch);
    give_back(std::move(scratch));
  });
  std::sort(order.begin(), order.end(), [&](uint32_t one, uint32_t other) {
    return places[one] != places[other] ? places[one] < places[other] : one < other;
  });
  return order;
}

// Near rows have like numbers: above, what is nearest in the layer above `kPlaceLayer`, below, what is in that.
uint64_t Builder::place_of(uint32_t row, Scratch& scratch) {
  codes_.prepare_row(row, &scratch.query);
  float rank = 0;
  const uint32_t far = find_entry(graph_, scratch.scorer, kPlaceLayer, &rank, scratch.neighbours);
  const uint32_t near = descend(LayerView::of(graph_, kPlaceLayer), scratch.scorer, far, &rank, scratch.neighbours);
  return uint64_t{far} << 32 | near;
}

// Writes the links of one or two members of a batch, which are not in the graph yet: those of layer 0 to their place, the
// others to theirs in `upper`. Two walk by turns, each as it would go alone.
void Builder::link_rows(const uint32_t* numbers, size_t count, const uint32_t* rows, std::vector<UpperLinks>& upper,
                        const std::vector<uint32_t>& upper_of) {
  if (graph_.rows == 0) return;
  std::unique_ptr<Scratch> scratches[2];
  std::optional<Walker<CodeScorer>> walkers[2];
  const LayerView view = LayerView::of(graph_, 0);
  for (size_t i = 0; i < count; ++i) {
    scratches[i] = take_scratch();
    Scratch& scratch = *scratches[i];
    const uint32_t above = upper_of[numbers[i]];
    go_down(rows[numbers[i]], above == kNoRow ? nullptr : &upper[above], scratch);
    walkers[i].emplace(view, scratch.scorer, scratch.beam, scratch.visited, scratch.neighbours);
  }
  if (count == 2) {
    walk_both(*walkers[0], *walkers[1], &control_->cancelled);
  } else {
    while (walkers[0]->gather()) walkers[0]->take();
  }
  for (size_t i = 0; i < count; ++i) {
    const uint32_t row = rows[numbers[i]];
    end_walk(row, view, *scratches[i], graph_.links.data() + size_t{row} * graph_.degree);
    give_back(std::move(scratches[i]));
  }
}

// Finds the row's links in the layers that it belongs to above layer 0, and where its walk through that begins.
void Builder::go_down(uint32_t row, UpperLinks* upper, Scratch& scratch) {
  codes_.prepare_row(row, &scratch.query);
  const size_t level = upper == nullptr ? 0 : upper->links.size() / graph_.m;
  const size_t top = std::min(level, graph_.layers.size());
  float rank = 0;
  uint32_t node = find_entry(graph_, scratch.scorer, top, &rank, scratch.neighbours);
  for (size_t layer = top; layer > 0; --layer) {
    const LayerView view = LayerView::of(graph_, layer);
    begin_walk(node, rank, view, scratch);
    walk(view, scratch.scorer, scratch.beam, scratch.visited, scratch.neighbours, &control_->cancelled);
    end_walk(row, view, scratch, upper->links.data() + (layer - 1) * graph_.m);
    if (scratch.candidates.empty()) break;
    node = node_below(graph_, layer, scratch.candidates[0].node);
    rank = scratch.candidates[0].rank;
  }
  begin_walk(node, rank, LayerView::of(graph_, 0), scratch);
}

void Builder::begin_walk(uint32_t node, float rank, const LayerView& view, Scratch& scratch) {
  scratch.visited.reset(view.nodes);
  scratch.visited.insert(node);
  // No more than there are: users may ask for any number.
  scratch.beam.reset(std::min<size_t>(std::max(options_.ef_construction, graph_.m), codes_.rows()));
  scratch.beam.offer(rank, node);
}

void Builder::end_walk(uint32_t row, const LayerView& view, Scratch& scratch, uint32_t* links) {
  scratch.candidates.clear();
  for (const Beam::Entry& found : scratch.beam)
    scratch.candidates.push_back({found.rank, found.node(), view.row_of(found.node())});
  scratch.selector.select(row, scratch.candidates, graph_.m, links);
}

void Builder::append_to_layers(const UpperLinks& member) {
  uint32_t below = member.row;
  for (size_t l = 0; l < member.links.size() / graph_.m; ++l) {
    if (l == graph_.layers.size()) graph_.layers.emplace_back();
    GraphLayer& layer = graph_.layers[l];
    layer.rows.append(&member.row, 1);
    layer.below.append(&below, 1);
    layer.links.append(member.links.data() + l * graph_.m, graph_.m);
    below = static_cast<uint32_t>(layer.rows.size() - 1);
  }
}

void Builder::add_back_links(size_t layer, std::vector<BackLink>& back_links) {
  std::sort(back_links.begin(), back_links.end());
  std::vector<size_t> firsts;
  for (size_t i = 0; i < back_links.size(); ++i) {
    if (i == 0 || back_links[i].target != back_links[i - 1].target) firsts.push_back(i);
  }
  firsts.push_back(back_links.size());
  // Half-done back links would leave rows without a way to them: this part is not cancelled.
  parallel_for(options_.threads, firsts.size() - 1, kTargetsPerRun, nullptr, [&](size_t from, size_t to) {
    std::unique_ptr<Scratch> scratch = take_scratch();
    for (size_t i = from; i < to; ++i)
      add_back_links_of(layer, back_links.data() + firsts[i], back_links.data() + firsts[i + 1], *scratch);
    give_back(std::move(scratch));
  });
}

// Adds the links of one target, and leaves the best when there is no room for all.
void Builder::add_back_links_of(size_t layer, const BackLink* begin, const BackLink* end, Scratch& scratch) {
  const LayerView view = LayerView::of(graph_, layer);
  const uint32_t target = begin->target;
  uint32_t* const links = const_cast<uint32_t*>(view.links_of(target));
  size_t count = 0;
  while (count < view.degree && links[count] < view.nodes) ++count;
  const auto added = static_cast<size_t>(end - begin);
  Neighbours& all = scratch.neighbours;
  all.reserve(count + added);
  uint32_t* const to = count + added <= view.degree ? links + count : all.nodes.data() + count;
  for (size_t i = 0; i < added; ++i) to[i] = begin[i].source;
  if (count + added <= view.degree) return;
  std::copy_n(links, count, all.nodes.data());
  keep_best(layer, target, count + added, links, scratch);
}

// Of `count` nodes in `scratch.neighbours`, writes those to `links` that `node` is to be linked to.
void Builder::keep_best(size_t layer, uint32_t node, size_t count, uint32_t* links, Scratch& scratch) {
  const LayerView view = LayerView::of(graph_, layer);
  Neighbours& all = scratch.neighbours;
  for (size_t i = 0; i < count; ++i) {
    all.rows[i] = view.row_of(all.nodes[i]);
    codes_.prefetch(all.rows[i]);
  }
  const uint32_t row = view.row_of(node);
  codes_.prepare_row(row, &scratch.query);
  scratch.scorer.score(all.rows.data(), count, all.ranks.data());
  scratch.candidates.clear();
  for (size_t i = 0; i < count; ++i) {
    // Codes in a damaged file may compare to what is no number, and could not be sorted.
    const float rank = std::isnan(all.ranks[i]) ? std::numeric_limits<float>::infinity() : all.ranks[i];
    scratch.candidates.push_back({rank, all.nodes[i], all.rows[i]});
  }
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
  std::fill_n(links, view.degree, kNoRow);
  scratch.selector.select(row, scratch.candidates, layer == 0 ? 2 * graph_.m : graph_.m, links);
}

// Leaves each row of layer 0 the links that it is to have.
void Builder::end_spare_links() {
  const size_t kept = 2 * size_t{graph_.m};
  const size_t room = graph_.degree;
  uint32_t* const links = graph_.links.data();
  parallel_for(options_.threads, graph_.rows, kTargetsPerRun, &control_->cancelled, [&](size_t from, size_t to) {
    std::unique_ptr<Scratch> scratch = take_scratch();
    for (size_t row = from; row < to; ++row) {
      uint32_t* const of_row = links + row * room;
      if (of_row[kept] == kNoRow) continue;
      const auto count = static_cast<size_t>(std::find(of_row, of_row + room, kNoRow) - of_row);
      scratch->neighbours.reserve(count);
      std::copy_n(of_row, count, scratch->neighbours.nodes.data());
      keep_best(0, static_cast<uint32_t>(row), count, of_row, *scratch);
    }
    give_back(std::move(scratch));
  });
  for (size_t row = 1; row < graph_.rows; ++row) std::copy_n(links + row * room, kept, links + row * kept);
  graph_.degree = static_cast<uint32_t>(kept);
  graph_.links.resize(size_t{graph_.rows} * kept);
  graph_.links.fit();
}

std::unique_ptr<Builder::Scratch> Builder::take_scratch() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return std::make_unique<Scratch>(codes_);
  std::unique_ptr<Scratch> scratch = std::move(free_.back());
  free_.pop_back();
  return scratch;
}

void Builder::give_back(std::unique_ptr<Scratch> scratch) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(scratch));
}

}  // namespace

bool build_graph(const WalkCodes& codes, const GraphOptions& options, WorkControl* control, float done_after,
                 Graph* graph) {
  graph->m = options.m;
  graph->degree = 2 * options.m + spare_links(options.m);
  return Builder(codes, options, control, graph).build(done_after);
}

}  // namespace elanus
