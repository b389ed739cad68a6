#include "compact_graph.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "find_nearest.h"
#include "graph_file.h"

namespace elanus {
namespace {

constexpr size_t kRankedAtOnce = 64;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;

// What additions to an index that was read go on with.
constexpr char kBuiltSection[] = "built";
struct Built {
  uint64_t seed;
  uint32_t ef_construction;
  uint32_t zero;
};

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

namespace {

// Ranks what a walk has found by the vectors. Returns the highest rank.
float rank_found(const DenseRows& rows, const Beam& found, const IndexSearch& search, SearchScratch& scratch) {
  scratch.rows.clear();
  for (const Beam::Entry& entry : found) scratch.rows.push_back(entry.node());
  scratch.hits.reset(search.k, search.range);
  return rank_exactly(rows, scratch.rows.data(), scratch.rows.size(), scratch);
}

}  // namespace

struct CompactGraph::CodeScorer {
  const WalkCodes& codes;
  const WalkQuery& query;

  double lines() const { return static_cast<double>(codes.record_bytes()) / 64; }
  void prefetch(uint32_t row) const { codes.prefetch(row); }
  void score(const uint32_t* rows, size_t count, float* ranks) const { codes.score(query, rows, count, ranks); }
};

CompactGraph::CompactGraph(const ElanusSimd& simd, StoredRows rows, WalkCodes codes, ScanCodes scan_codes, Graph graph,
                           const GraphOptions& options)
    : simd_(simd),
      rows_(std::move(rows)),
      codes_(std::move(codes)),
      scan_codes_(std::move(scan_codes)),
      reader_(simd, codes_.model().type, codes_.model().metric, codes_.model().dim),
      graph_(std::move(graph)),
      options_(options) {
  measure_memory();
}

void CompactGraph::measure_memory() {
  memory_bytes_ = rows_.memory_bytes() + codes_.memory_bytes() + scan_codes_.memory_bytes() + graph_.memory_bytes();
}

uint32_t CompactGraph::rows() const {
  const std::shared_lock lock(mutex_);
  return graph_.rows;
}

size_t CompactGraph::memory_bytes() const {
  const std::shared_lock lock(mutex_);
  return memory_bytes_;
}

const std::vector<IndexHit>& CompactGraph::search(const IndexSearch& search, SearchScratch& scratch) const {
  const std::shared_lock lock(mutex_);
  const DenseRows rows = rows_.view(graph_.rows);
  scratch.exact.begin(simd_, rows.type, rows_.metric(), rows.dim, search.query);
  const bool skips = search.skips();
  const CodeScorer scorer = {codes_, scratch.walk_query};
  const ShortScan scan = {simd_.walk, scan_codes_, reader_};
  for (uint64_t ef = std::max(search.ef, search.k);; ef *= kWiden) {
    if (2 * std::max<uint64_t>(ef, search.k) >= search.allowed.count(graph_.rows)) return scan_exactly(rows, search, scratch);
    codes_.prepare(search.query, &scratch.walk_query);
    const Beam& found = find_nearest(graph_, scorer, search, static_cast<uint32_t>(ef), &scan, scratch);
    // Beside rows that are no numbers a walk, or a scan of codes, may end before it has k rows.
    if (found.size() < std::min(search.k, search.allowed.count(graph_.rows))) return scan_exactly(rows, search, scratch);
    const float highest = rank_found(rows, found, search, scratch);
    if (!skips || scratch.hits.size() >= search.k || highest > search.range.highest || is_set(search.cancelled))
      return scratch.hits.sorted();
  }
}

HitsOfBoth CompactGraph::search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                                     SearchScratch& of_other) const {
  {
    const std::shared_lock lock(mutex_);
    const uint32_t ef = std::max(one.ef, one.k);
    const uint32_t allowed = one.allowed.count(graph_.rows);
    if (!one.skips() && 2 * uint64_t{ef} < allowed) {
      const ShortScan scan = {simd_.walk, scan_codes_, reader_};
      const CodeScorer scorers[] = {{codes_, of_one.walk_query}, {codes_, of_other.walk_query}};
      const IndexSearch* const searches[] = {&one, &other};
      SearchScratch* const scratches[] = {&of_one, &of_other};
      const Beam* found[2];
      for (size_t i = 0; i < 2; ++i) codes_.prepare(searches[i]->query, &scratches[i]->walk_query);
      if (find_nearest_of_both(graph_, scorers, searches, ef, scan, scratches, found) &&
          std::min(found[0]->size(), found[1]->size()) >= std::min(one.k, allowed)) {
        const DenseRows rows = rows_.view(graph_.rows);
        for (size_t i = 0; i < 2; ++i) {
          scratches[i]->exact.begin(simd_, rows.type, rows_.metric(), rows.dim, searches[i]->query);
          rank_found(rows, *found[i], *searches[i], *scratches[i]);
        }
        return {of_one.hits.sorted(), of_other.hits.sorted()};
      }
    }
  }
  return VectorIndex::search_both(one, other, of_one, of_other);
}

// Rows are stored and coded before anybody can reach them; the graph grows batch by batch, and only the moments in
// which links or the places of arrays change are hidden from searches.
ElanusStatus CompactGraph::add(const ElanusRows* blocks, size_t block_count, uint32_t threads) {
  uint64_t total = rows_.rows();
  for (size_t b = 0; b < block_count; ++b) total += blocks[b].rows;
  if (total > kIndexRowsMax) return ELANUS_INVALID_ARGUMENT;
  {
    const std::unique_lock lock(mutex_);
    rows_.reserve(total);
    codes_.reserve(static_cast<uint32_t>(total));
    scan_codes_.reserve(static_cast<uint32_t>(total));
    graph_.links.reserve(total * graph_.degree);
  }
  for (size_t b = 0; b < block_count; ++b) rows_.append(blocks[b].bytes, blocks[b].rows);
  const DenseRows rows = rows_.view(static_cast<uint32_t>(total));
  codes_.extend(rows, threads, nullptr);
  extend_scan_codes(rows, threads);
  WorkControl control;
  GraphOptions options = options_;
  options.threads = threads;
  extend_graph(codes_, static_cast<uint32_t>(total), options, &control, 1, &graph_, &mutex_);
  const std::unique_lock lock(mutex_);
  measure_memory();
  return ELANUS_OK;
}

bool CompactGraph::links_are_sound(const std::atomic<bool>* cancelled) const {
  const std::shared_lock lock(mutex_);
  return graph_.is_sound(cancelled);
}

// Searches read the block in which the first new row stands: it alone is written while there are none.
void CompactGraph::extend_scan_codes(DenseRows rows, uint32_t threads) {
  const uint32_t total = rows.rows;
  const uint32_t block_end = (scan_codes_.rows() / kBlockNeighbours + 1) * kBlockNeighbours;
  {
    const std::unique_lock lock(mutex_);
    rows.rows = std::min(total, block_end);
    scan_codes_.extend(simd_, rows, 1, nullptr);
  }
  rows.rows = total;
  if (total > block_end) scan_codes_.extend(simd_, rows, threads, nullptr);
}

void CompactGraph::write(IndexFileWriter& writer, VectorPlace vectors) const {
  const std::shared_lock lock(mutex_);
  rows_.write(writer, vectors);
  codes_.write(writer);
  scan_codes_.write(writer);
  write_graph(graph_, writer);
  const Built built = {options_.seed, options_.ef_construction, 0};
  writer.add(kBuiltSection, &built, 1);
}

FileFault CompactGraph::open(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                             std::unique_ptr<VectorIndex>* index) {
  Graph graph;
  FileFault fault = read_graph(*file, &graph);
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
  const auto* const built = file->array<Built>(kBuiltSection, 1);
  if (built == nullptr || built->ef_construction == 0) return file->damaged("it does not say how it was built");
  const GraphOptions options = {graph.m, built->ef_construction, built->seed, 1};
  auto opened = std::make_unique<CompactGraph>(simd, std::move(rows), std::move(codes), std::move(scan_codes),
                                               std::move(graph), options);
  opened->file_ = std::move(file);
  *index = std::move(opened);
  return {};
}

}  // namespace elanus
