#include "graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>

#include "parallel.h"
#include "random.h"
#include "select_links.h"
#include "walk.h"

namespace elanus {

namespace {

// Numbers between two looks at `cancelled`.
constexpr size_t kSoundAtOnce = size_t{1} << 16;

// Whether all are below `end`, or are kNoRow where that may be. Without a branch, so that it is done in vectors.
bool all_below(const uint32_t* numbers, size_t count, size_t end, bool may_be_none,
               const std::atomic<bool>* cancelled) {
  for (size_t first = 0; first < count; first += kSoundAtOnce) {
    if (is_set(cancelled)) return false;
    bool sound = true;
    const size_t here = std::min(count, first + kSoundAtOnce);
    for (size_t i = first; i < here; ++i) sound &= (numbers[i] < end) | (may_be_none & (numbers[i] == kNoRow));
    if (!sound) return false;
  }
  return true;
}

}  // namespace

bool Graph::is_sound(const std::atomic<bool>* cancelled) const {
  if (!all_below(links.data(), size_t{rows} * degree, rows, true, cancelled)) return false;
  size_t nodes_below = rows;
  for (const GraphLayer& layer : layers) {
    const size_t nodes = layer.rows.size();
    if (!all_below(layer.rows.data(), nodes, rows, false, cancelled) ||
        !all_below(layer.below.data(), nodes, nodes_below, false, cancelled) ||
        !all_below(layer.links.data(), layer.links.size(), nodes, true, cancelled))
      return false;
    nodes_below = nodes;
  }
  return true;
}

size_t Graph::memory_bytes() const {
  size_t bytes = links.bytes();
  for (const GraphLayer& layer : layers)
    bytes += layer.rows.bytes() + layer.below.bytes() + layer.links.bytes();
  return bytes;
}

namespace {

constexpr size_t kLevelsMax = 16;
// A batch is at most this share of the rows that the graph will have.
constexpr uint32_t kBatchesMin = 50;
constexpr uint32_t kBatchRowsMin = 64;
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
  void find_links(uint32_t row, size_t level, Scratch& scratch, uint32_t* upper_links);
  void append_to_layers(const UpperLinks& member);
  void add_back_links(size_t layer, std::vector<BackLink>& back_links);
  void add_back_links_of(size_t layer, const BackLink* begin, const BackLink* end, Scratch& scratch);
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
  return true;
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
  parallel_for(options_.threads, count, kRowsPerRun, &control_->cancelled, [&](size_t from, size_t to) {
    std::unique_ptr<Scratch> scratch = take_scratch();
    for (size_t i = from; i < to; ++i) {
      UpperLinks* const above = upper_of[i] == kNoRow ? nullptr : &upper[upper_of[i]];
      find_links(rows[i], above == nullptr ? 0 : above->links.size() / graph_.m, *scratch,
                 above == nullptr ? nullptr : above->links.data());
    }
    give_back(std::move(scratch));
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

// Writes the links of a row that is not in the graph yet: those of layer 0 to their place, the others to
// `upper_links`.
void Builder::find_links(uint32_t row, size_t level, Scratch& scratch, uint32_t* upper_links) {
  uint32_t* const links = graph_.links.data() + size_t{row} * graph_.degree;
  if (graph_.rows == 0) return;
  const CodeScorer& scorer = scratch.scorer;
  codes_.prepare_row(row, &scratch.query);
  const size_t top = std::min(level, graph_.layers.size());
  float rank = 0;
  uint32_t entry = find_entry(graph_, scorer, top, &rank, scratch.neighbours);
  for (size_t layer = top + 1; layer-- > 0;) {
    const LayerView view = LayerView::of(graph_, layer);
    scratch.visited.reset(layer == 0 ? codes_.rows() : view.nodes);
    scratch.visited.insert(entry);
    // No more than there are: users may ask for any number.
    scratch.beam.reset(std::min<size_t>(std::max(options_.ef_construction, graph_.m), codes_.rows()));
    scratch.beam.offer(rank, entry);
    walk(view, scorer, scratch.beam, scratch.visited, scratch.neighbours, &control_->cancelled);
    scratch.candidates.clear();
    for (const Beam::Entry& found : scratch.beam)
      scratch.candidates.push_back({found.rank, found.node(), view.row_of(found.node())});
    uint32_t* const out = layer == 0 ? links : upper_links + (layer - 1) * graph_.m;
    scratch.selector.select(row, scratch.candidates, graph_.m, out);
    if (layer == 0) return;
    if (scratch.candidates.empty()) return;
    entry = node_below(graph_, layer, scratch.candidates[0].node);
    rank = scratch.candidates[0].rank;
  }
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
  if (count + added <= view.degree) {
    for (const BackLink* link = begin; link != end; ++link) links[count++] = link->source;
    return;
  }
  Neighbours& all = scratch.neighbours;
  all.reserve(count + added);
  for (size_t i = 0; i < count + added; ++i) {
    all.nodes[i] = i < count ? links[i] : begin[i - count].source;
    all.rows[i] = view.row_of(all.nodes[i]);
    codes_.prefetch(all.rows[i]);
  }
  const uint32_t row = view.row_of(target);
  codes_.prepare_row(row, &scratch.query);
  scratch.scorer.score(all.rows.data(), count + added, all.ranks.data());
  scratch.candidates.clear();
  for (size_t i = 0; i < count + added; ++i) {
    // Codes in a damaged file may compare to what is no number, and could not be sorted.
    const float rank = std::isnan(all.ranks[i]) ? std::numeric_limits<float>::infinity() : all.ranks[i];
    scratch.candidates.push_back({rank, all.nodes[i], all.rows[i]});
  }
  std::sort(scratch.candidates.begin(), scratch.candidates.end());
  std::fill_n(links, view.degree, kNoRow);
  scratch.selector.select(row, scratch.candidates, view.degree, links);
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
  graph->degree = 2 * options.m;
  return Builder(codes, options, control, graph).build(done_after);
}

}  // namespace elanus
