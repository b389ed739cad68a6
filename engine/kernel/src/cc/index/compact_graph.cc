#include "compact_graph.h"

#include <algorithm>
#include <limits>

#include "find_nearest.h"
#include "found_ranker.h"
#include "graph_file.h"
#include "random.h"
#include "scan_hits.h"

namespace elanus {
namespace {

constexpr size_t kRankedAtOnce = 64;
// Of the few rows of a walk so many are ranked that nothing is lost.
constexpr double kWalkDeviations = 5;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;
constexpr char kUsualSection[] = "usual search";
// What is usual is learnt by so many rows in the role of queries: how much a short and a long walk compare.
constexpr size_t kUsualSamples = 16;
constexpr uint32_t kUsualShortEf = 16;
constexpr uint32_t kUsualLongEf = 256;
// How often codes are gone through, and whether a walk finds so large a share of what they lead to.
constexpr uint32_t kUsualEf = 64;
constexpr double kUsualFoundMin = 0.8;
// Under a filter a walk is sure of so many rows at least.
constexpr uint32_t kAlwaysInView = 12;
constexpr uint32_t kUsualK = 10;
constexpr uint32_t kUsualRowsMin = 4 * kUsualLongEf;
constexpr HitRange kAllHits = {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};

// Compares rows, whose codes are those of their nodes.
struct RowScorer {
  const CodeScorer& of_nodes;
  const Graph& graph;

  double lines() const { return of_nodes.lines(); }
  float unit() const { return of_nodes.unit(); }
  void prefetch(uint32_t row) const { of_nodes.prefetch(graph.node_of(row)); }
  void score(const uint32_t* rows, size_t count, float* ranks) const {
    constexpr size_t kAtOnce = 64;
    uint32_t nodes[kAtOnce];
    for (size_t first = 0; first < count; first += kAtOnce) {
      const size_t here = std::min(kAtOnce, count - first);
      for (size_t i = 0; i < here; ++i) nodes[i] = graph.node_of(rows[first + i]);
      of_nodes.score(nodes, here, ranks + first);
    }
  }
};

// Who passes over hits wants all in view, and others behind them.
RowsInView in_view(const IndexSearch& search, uint32_t ef) {
  return {search.skips() ? ef : std::min(ef, kAlwaysInView), ef};
}

}  // namespace

float rank_exactly(const DenseRows& rows, const uint32_t* ids, size_t count, SearchScratch& scratch) {
  float ranks[kRankedAtOnce];
  float highest = -std::numeric_limits<float>::infinity();
  for (size_t first = 0; first < count; first += kRankedAtOnce) {
    const size_t here = std::min(kRankedAtOnce, count - first);
    scratch.exact.rank(rows, ids + first, here, ranks);
    for (size_t i = 0; i < here; ++i) {
      highest = std::max(highest, ranks[i]);
      if (ranks[i] <= scratch.hits.threshold()) scratch.hits.offer({ranks[i], ids[first + i]});
    }
  }
  scratch.effort.compare(count, rows.stride);
  return highest;
}

const std::vector<IndexHit>& scan_exactly(const DenseRows& rows, const IndexSearch& search, SearchScratch& scratch) {
  scratch.hits.reset(search.k, search.range);
  uint32_t ids[kRankedAtOnce];
  size_t count = 0;
  search.allowed.for_each(rows.rows, [&](uint32_t row) {
    ids[count++] = row;
    if (count < kRankedAtOnce) return true;
    rank_exactly(rows, ids, count, scratch);
    count = 0;
    return !is_set(search.cancelled);
  });
  if (count > 0) rank_exactly(rows, ids, count, scratch);
  scratch.effort.scan(search.allowed.count(rows.rows));
  return scratch.hits.sorted();
}

CompactGraph::CompactGraph(const ElanusSimd& simd, StoredRows rows, WalkCodes codes, ScanCodes scan_codes, Graph graph,
                           std::shared_ptr<const IndexFile> file)
    : simd_(simd),
      file_(std::move(file)),
      rows_(std::move(rows)),
      view_(rows_.view(rows_.rows())),
      codes_(std::move(codes)),
      scan_codes_(std::move(scan_codes)),
      reader_(simd, codes_.model().type, codes_.model().metric, codes_.model().dim),
      graph_(std::move(graph)),
      usual_(UsualSearch::of_degree(graph_.degree)) {}

void CompactGraph::learn_usual_search(uint64_t seed, const std::atomic<bool>* cancelled) {
  if (rows() < kUsualRowsMin) return;
  SearchScratch scratch;
  std::vector<uint8_t> others((rows() + 7) / 8, 0xff);
  uint64_t compared[2] = {};
  uint64_t scanned = 0;
  size_t wanted = 0;
  size_t found = 0;
  for (const uint32_t row : sample_numbers(rows(), kUsualSamples, seed)) {
    if (is_set(cancelled)) return;
    codes_.prepare_row(graph_.node_of(row), &scratch.walk_query);
    const CodeScorer scorer = {codes_, scratch.walk_query};
    for (size_t i = 0; i < 2; ++i) {
      enter(graph_, scorer, i == 0 ? kUsualShortEf : kUsualLongEf, scratch);
      compared[i] +=
          walk(LayerView::of(graph_, 0), scorer, scratch.beam, scratch.visited, scratch.neighbours, nullptr).compared;
    }
    // The row itself is no neighbour of a query.
    others[row / 8] ^= 1 << row % 8;
    IndexSearch search{};
    search.query = view_.at(row);
    search.k = kUsualK;
    search.allowed = AllowedRows(simd_, others.data(), rows());
    search.range = kAllHits;
    search.way = Way::kWalk;
    scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, search.query);
    look(search, kUsualEf, scratch);
    const std::vector<IndexHit> walked = scratch.hits.sorted();
    search.way = Way::kShortScan;
    scratch.effort = {};
    look(search, kUsualEf, scratch);
    scanned += scratch.effort.visited;
    const std::vector<IndexHit>& hits = scratch.hits.sorted();
    wanted += hits.size();
    for (const IndexHit& hit : walked) found += !hits.empty() && hit.rank <= hits.back().rank;
    others[row / 8] ^= 1 << row % 8;
  }
  // A walk that ends early because codes tell it nothing is not to be preferred for that.
  if (static_cast<double>(found) < kUsualFoundMin * static_cast<double>(wanted)) return;
  const auto of_each = [](uint64_t sum) { return static_cast<float>(sum) / kUsualSamples; };
  const float each = (of_each(compared[1]) - of_each(compared[0])) / (kUsualLongEf - kUsualShortEf);
  const float scans = of_each(scanned) / static_cast<float>(rows() - 1);
  usual_ = {std::max(of_each(compared[0]) - kUsualShortEf * each, 0.0f), each, std::clamp(scans, 1.0f, 2.0f)};
}

size_t CompactGraph::memory_bytes() const {
  return rows_.memory_bytes() + codes_.memory_bytes() + scan_codes_.memory_bytes() + graph_.memory_bytes();
}

const std::vector<IndexHit>& CompactGraph::search(const IndexSearch& search, SearchScratch& scratch) const {
  scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, search.query);
  const uint32_t allowed = search.allowed.count(graph_.rows);
  const bool skips = search.skips();
  bool is_prepared = false;
  for (uint64_t ef = std::max(search.ef, search.k);; ef *= kWiden) {
    if (2 * ef >= allowed || search.way == Way::kVectors) return scan_exactly(view_, search, scratch);
    if (!is_prepared) codes_.prepare(search.query, &scratch.walk_query);
    is_prepared = true;
    const Looked looked = look(search, static_cast<uint32_t>(ef), scratch);
    // Beside rows that are no numbers a walk, or a scan of codes, may end before it has k rows.
    if (looked.found < std::min(search.k, allowed)) return scan_exactly(view_, search, scratch);
    if (!skips || scratch.hits.size() >= search.k || looked.highest > search.range.highest || is_set(search.cancelled))
      return scratch.hits.sorted();
  }
}

// Offers the best of the allowed rows to `scratch.hits`.
Looked CompactGraph::look(const IndexSearch& search, uint32_t ef, SearchScratch& scratch) const {
  const ShortScan scan = {simd_.walk, scan_codes_, reader_};
  const CodeScorer scorer = {codes_, scratch.walk_query};
  const RowsInView view = in_view(search, ef);
  const Way way = way_of(graph_, usual_, search, view, &scan, scorer.lines());
  if (way == Way::kWalk) {
    const Beam* const walked = walk_to_nearest(graph_, usual_, scorer, search, view, scratch);
    if (walked != nullptr) return rank_walked(*walked, search, scratch);
  }
  const RowScorer of_rows = {scorer, graph_};
  HitScan hits(view_, &scan, of_rows, search, ef, scratch);
  return way == Way::kLongScan ? hits.by_long_codes() : hits.by_short_codes();
}

// Ranks what a walk has found by the vectors.
Looked CompactGraph::rank_walked(const Beam& walked, const IndexSearch& search, SearchScratch& scratch) const {
  const float unit = codes_.unit();
  scratch.picked.clear();
  for (const Beam::Entry& entry : walked) scratch.picked.push_back({entry.rank * unit, graph_.row_of(entry.node())});
  scratch.hits.reset(search.k, search.range);
  FoundRanker ranker(view_, scratch, scratch.picked, kWalkDeviations);
  if (search.skips())
    ranker.rank_first(scratch.picked.size());
  else
    ranker.rank_best(search.k);
  return {scratch.picked.size(), ranker.highest()};
}

// Like `look`, for two searches at once. False when they are better made one after the other.
bool CompactGraph::look_for_both(const IndexSearch* const (&searches)[2], uint32_t ef,
                                 SearchScratch* const (&scratches)[2], Looked (*looked)[2]) const {
  const IndexSearch& search = *searches[0];
  const ShortScan scan = {simd_.walk, scan_codes_, reader_};
  const CodeScorer scorers[] = {{codes_, scratches[0]->walk_query}, {codes_, scratches[1]->walk_query}};
  const Way way = way_of(graph_, usual_, search, in_view(search, ef), &scan, scorers[0].lines());
  const bool walks = way == Way::kWalk && search.allowed.are_all();
  if (!walks && way != Way::kShortScan) return false;
  for (size_t i = 0; i < 2; ++i) codes_.prepare(searches[i]->query, &scratches[i]->walk_query);
  if (walks)
    walk_to_nearest_of_both(graph_, scorers, ef, search.cancelled, scratches);
  else
    scan_short_both(scan, search, *searches[1], graph_.rows, ef, *scratches[0], *scratches[1]);
  for (size_t i = 0; i < 2; ++i) {
    scratches[i]->exact.begin(simd_, view_.type, rows_.metric(), view_.dim, searches[i]->query);
    const RowScorer of_rows = {scorers[i], graph_};
    (*looked)[i] = walks ? rank_walked(scratches[i]->beam, *searches[i], *scratches[i])
                         : HitScan(view_, &scan, of_rows, *searches[i], ef, *scratches[i]).from_pool();
  }
  return true;
}

HitsOfBoth CompactGraph::search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                                     SearchScratch& of_other) const {
  const uint32_t ef = std::max(one.ef, one.k);
  const uint32_t allowed = one.allowed.count(graph_.rows);
  Looked looked[2];
  if (!one.skips() && 2 * uint64_t{ef} < allowed && one.way != Way::kVectors &&
      look_for_both({&one, &other}, ef, {&of_one, &of_other}, &looked) &&
      std::min(looked[0].found, looked[1].found) >= std::min(one.k, allowed))
    return {of_one.hits.sorted(), of_other.hits.sorted()};
  return VectorIndex::search_both(one, other, of_one, of_other);
}

void CompactGraph::write(IndexFileWriter& writer, VectorPlace vectors) const {
  rows_.write(writer, vectors);
  codes_.write(writer);
  scan_codes_.write(writer);
  write_graph(graph_, writer);
  const float usual[] = {usual_.first, usual_.each, usual_.scans};
  writer.add(kUsualSection, usual, std::size(usual));
}

FileFault CompactGraph::open(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                             std::unique_ptr<VectorIndex>* index) {
  Graph graph;
  FileFault fault = read_graph(*file, &graph);
  if (fault.failed()) return fault;
  if (file->head().kind == IndexKind::kPlacedGraph) fault = read_places(*file, &graph);
  if (fault.failed()) return fault;
  CodeModel model;
  fault = CodeModel::read(*file, &model);
  if (fault.failed()) return fault;
  StoredRows rows(simd, model.type, model.metric, model.dim);
  fault = rows.read(*file, graph.rows, vectors);
  if (fault.failed()) return fault;
  WalkCodes codes(simd, std::move(model));
  fault = codes.read(*file, graph.rows);
  if (fault.failed()) return fault;
  ScanCodes scan_codes;
  fault = ScanCodes::read(*file, codes.model().metric, codes.model().dim, graph.rows, &scan_codes);
  if (fault.failed()) return fault;
  // Files of before have none.
  const float* const learnt = file->array<float>(kUsualSection, 3);
  auto opened = std::make_unique<CompactGraph>(simd, std::move(rows), std::move(codes), std::move(scan_codes),
                                               std::move(graph), std::move(file));
  if (learnt != nullptr) {
    const UsualSearch usual = {learnt[0], learnt[1], learnt[2]};
    if (!usual.is_sound()) return opened->file_->damaged("its searches cannot be usual");
    opened->usual_ = usual;
  }
  *index = std::move(opened);
  return {};
}

}  // namespace elanus
