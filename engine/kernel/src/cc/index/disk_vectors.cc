#include "disk_vectors.h"

#include <algorithm>
#include <vector>

#include "disk_graph_parts.h"
#include "disk_scan.h"
#include "disk_units.h"
#include "offer_nearest.h"
#include "packed_links.h"
#include "random.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "disk graph";
constexpr char kEntriesSection[] = "entries";
constexpr char kPlacesSection[] = "places";
constexpr char kLinksSection[] = "links";
constexpr char kNodesSection[] = "nodes";

// With fewer links walks go astray, unless the build asks for fewer.
constexpr uint32_t kLinksMin = 16;
// A build's progress, when its rows are coded and when they are linked.
constexpr float kCodedAt = 0.03f;
constexpr float kLinkedAt = 0.98f;

// A walk costs little beside a read: it keeps more in view than are read.
constexpr uint32_t kViewMin = 48;
constexpr uint32_t kViewPerRead = 2;
// Walks keep this many rows in view at most, whatever a filter leaves.
constexpr double kViewMax = 16384;
// In nanoseconds, of which only the proportion counts: a row that a scan compares, a row that a walk stands on.
constexpr double kScannedCost = 6;
constexpr double kSteppedCost = 300;

// What may be in memory of a row.
size_t row_bytes(const ElanusIndexSpec& spec) { return size_t{spec.code_bytes} + spec.cache_bytes; }

uint32_t links_min(const ElanusIndexSpec& spec) { return std::min(kLinksMin, 2 * spec.m); }

// As many links as fit beside a code, an even number.
uint32_t links_beside(const ElanusIndexSpec& spec, uint32_t rows, size_t record_bytes) {
  const size_t left = row_bytes(spec) - std::min(row_bytes(spec), record_bytes);
  const size_t links = 8 * left / PackedLinks::bits_of(rows);
  return static_cast<uint32_t>(std::min<size_t>(2 * size_t{spec.m}, links / 2 * 2));
}

uint32_t view_of(uint32_t ef) { return std::max(kViewMin, kViewPerRead * ef); }

// Compares by records without gaps.
struct DenseCodeScorer : CodeScorer {
  void prefetch(uint32_t row) const { codes.prefetch_whole(row); }
};

// Before it is in a file.
class MemoryDiskVectors : public DiskGraph {
 public:
  MemoryDiskVectors(const ElanusSimd& simd, const DiskGraphHead& head, std::vector<uint32_t> entries, WalkCodes codes,
                    StoredRows vectors, Graph graph, std::vector<uint32_t> places)
      : DiskGraph(simd, head),
        entries_(std::move(entries)),
        codes_(std::move(codes)),
        vectors_(std::move(vectors)),
        graph_(std::move(graph)),
        places_(std::move(places)) {}

  IndexKind kind() const override { return IndexKind::kDiskVectors; }
  size_t memory_bytes() const override {
    return codes_.memory_bytes() + vectors_.memory_bytes() + graph_.memory_bytes() + places_.size() * sizeof(places_[0]);
  }

  void write(IndexFileWriter& writer, VectorPlace) const override {
    writer.add(kHeadSection, &head_, 1);
    writer.add(kEntriesSection, entries_.data(), entries_.size());
    writer.add(kPlacesSection, places_.data(), places_.size());
    codes_.write(writer);
    writer.begin(kLinksSection);
    PackedLinks::write(graph_, writer);
    writer.begin(kNodesSection);
    write_nodes({head_.vector_bytes(), 0}, vectors_.sparing_view(rows()), graph_, places_, writer);
  }
  const IndexFile* file() const override { return nullptr; }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return graph_.is_sound(cancelled); }

 protected:
  void find(const IndexSearch& search, uint32_t ef, DiskScratch&, SearchScratch& scratch) const override {
    codes_.prepare(search.query, &scratch.walk_query);
    const DenseCodeScorer scorer = {codes_, scratch.walk_query};
    offer_nearest(graph_, vectors_.view(rows()), scorer, search, std::min(view_of(ef), rows()), ef, scratch);
  }

 private:
  const std::vector<uint32_t> entries_;
  const WalkCodes codes_;
  const StoredRows vectors_;
  const Graph graph_;
  const std::vector<uint32_t> places_;
};

// Of whose file only the nodes are not in memory.
class FileDiskVectors : public DiskGraph {
 public:
  FileDiskVectors(const ElanusSimd& simd, const DiskGraphHead& head, std::vector<uint32_t> entries, WalkCodes codes,
                  const PackedLinks& links, std::unique_ptr<const BlockFile> blocks, const uint32_t* places,
                  uint64_t nodes_at, std::shared_ptr<const IndexFile> file)
      : DiskGraph(simd, head),
        entries_(std::move(entries)),
        codes_(std::move(codes)),
        links_(links),
        file_(std::move(file)),
        units_(head_, {head_.vector_bytes(), 0}, std::move(blocks), places, nodes_at) {}

  IndexKind kind() const override { return IndexKind::kDiskVectors; }
  size_t memory_bytes() const override {
    return codes_.memory_bytes() + links_.memory_bytes() + units_.memory_bytes();
  }

  void write(IndexFileWriter& writer, VectorPlace) const override { write_copy(*file_, writer); }
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override {
    return links_.are_sound(cancelled) && units_.are_sound(cancelled);
  }

 protected:
  void find(const IndexSearch& search, uint32_t ef, DiskScratch& own, SearchScratch& scratch) const override {
    codes_.prepare(search.query, &scratch.walk_query);
    const DenseCodeScorer scorer = {codes_, scratch.walk_query};
    const double allowed = search.allowed.count(rows());
    const double view = view_of(ef) / (allowed / rows());
    const bool scans =
        ef >= allowed || view >= std::min<double>(kViewMax, rows()) || allowed * kScannedCost < view * kSteppedCost;
    DiskScan scan(units_, scorer, search, rows(), own, scratch);
    if (scans || !walk(scorer, search, ef, static_cast<uint32_t>(view), scratch)) return scan.offer_best(ef);
    scan.offer_found();
  }

 private:
  // Finds the best `ef` allowed rows of those that a walk comes by which keeps `view` rows of all in view. False when
  // there may be better ones: what is near is not allowed.
  bool walk(const DenseCodeScorer& scorer, const IndexSearch& search, uint32_t ef, uint32_t view,
            SearchScratch& scratch) const {
    Beam& beam = scratch.beam;
    beam.reset(view);
    scratch.visited.reset(rows());
    enter_at_nearest(entries_, scorer, scratch);
    scratch.found.reset(ef);
    for (const Beam::Entry& entry : beam) {
      if (search.allowed.has(entry.node())) scratch.found.offer(entry.rank, entry.node());
    }
    Neighbours& neighbours = scratch.neighbours;
    neighbours.reserve(head_.degree);
    WalkCount so_far;
    for (uint32_t node = 0; beam.expand_next(&node);) {
      size_t count = 0;
      links_.for_each(node, [&](uint32_t link) {
        neighbours.nodes[count] = link;
        count += scratch.visited.insert(link);
      });
      for (size_t i = 0; i < count; ++i) scorer.prefetch(neighbours.nodes[i]);
      if (beam.peek_next(&node)) links_.prefetch(node);
      scorer.score(neighbours.nodes.data(), count, neighbours.ranks.data());
      for (size_t i = 0; i < count; ++i) {
        if (!(neighbours.ranks[i] < beam.worst())) continue;
        beam.offer(neighbours.ranks[i], neighbours.nodes[i]);
        if (search.allowed.has(neighbours.nodes[i])) scratch.found.offer(neighbours.ranks[i], neighbours.nodes[i]);
      }
      if (beam.peek_next(&node)) links_.prefetch(node);
      so_far.compared += count;
      if (++so_far.steps % kStepsBetweenLooks == 0 && is_set(search.cancelled)) break;
    }
    scratch.effort.walk(so_far.steps, links_.node_bytes());
    scratch.effort.compare(so_far.compared, codes_.record_bytes());
    return scratch.found.is_full() && !(beam.is_full() && beam.worst() < scratch.found.worst());
  }

  const std::vector<uint32_t> entries_;
  const WalkCodes codes_;
  const PackedLinks links_;
  const std::shared_ptr<const IndexFile> file_;
  const DiskUnits units_;
};

}  // namespace

std::optional<CodeModel> find_disk_vectors_model(const ElanusSimd& simd, const StoredRows& rows,
                                                 const ElanusIndexBuild& build, const std::atomic<bool>* cancelled) {
  const size_t links_bytes = PackedLinks::node_bytes(rows.rows(), links_min(build.spec));
  const size_t most = row_bytes(build.spec);
  if (most <= links_bytes) return std::nullopt;
  CodeModel model = CodeModel::learn_short(simd, rows.sparing_view(rows.rows()), build.metric, most - links_bytes,
                                           build.seed, build.threads, cancelled);
  if (is_set(cancelled) || model.record_bytes(RecordGaps::kNone) > most - links_bytes) return std::nullopt;
  return model;
}

std::unique_ptr<VectorIndex> build_disk_vectors(const ElanusSimd& simd, StoredRows rows, CodeModel model,
                                                const ElanusIndexBuild& build, WorkControl* control) {
  const DenseRows view = rows.sparing_view(rows.rows());
  WalkCodes codes(simd, std::move(model), RecordGaps::kNone);
  codes.encode(view, build.threads, &control->cancelled);
  control->done.store(kCodedAt, std::memory_order_relaxed);
  const uint32_t links = links_beside(build.spec, rows.rows(), codes.record_bytes());
  const GraphOptions options = {links / 2, build.spec.ef_construction, build.seed, build.threads};
  Graph graph;
  if (is_set(&control->cancelled) || !build_graph(codes, options, control, kLinkedAt, &graph)) return nullptr;
  std::vector<uint32_t> entries = sample_numbers(graph.rows, kDiskGraphEntriesMax, build.seed);
  const DiskGraphHead head = {static_cast<uint32_t>(build.type), static_cast<uint32_t>(build.metric), build.dim, graph.rows,
                              graph.degree, static_cast<uint32_t>(entries.size()), 0};
  std::vector<uint32_t> places = place_together(graph, NodeShape{head.vector_bytes(), 0}.nodes_per_unit());
  control->done.store(1, std::memory_order_relaxed);
  return std::make_unique<MemoryDiskVectors>(simd, head, std::move(entries), std::move(codes), std::move(rows),
                                             std::move(graph), std::move(places));
}

FileFault open_disk_vectors(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index) {
  const DiskGraphHead* const head = file->array<DiskGraphHead>(kHeadSection, 1);
  if (head == nullptr || !head->is_plausible() || head->kept != 0)
    return file->damaged("it does not say what it is an index of");
  CodeModel model;
  FileFault fault = CodeModel::read(*file, &model);
  if (fault.failed()) return fault;
  if (model.type != head->vector_type() || model.metric != head->rank_metric() || model.dim != head->dim)
    return file->damaged("its codes are of other vectors");
  WalkCodes codes(simd, std::move(model), RecordGaps::kNone);
  fault = codes.read(*file, head->rows);
  if (fault.failed()) return fault;
  const NodeShape shape = {head->vector_bytes(), 0};
  const auto* const entries = file->array<uint32_t>(kEntriesSection, head->entries);
  const auto* const places = file->array<uint32_t>(kPlacesSection, head->rows);
  const auto* const links =
      file->array<uint8_t>(kLinksSection, head->rows * PackedLinks::node_bytes(head->rows, head->degree));
  const IndexFile::Section* const nodes = file->section(kNodesSection);
  if (entries == nullptr || places == nullptr || links == nullptr || nodes == nullptr ||
      nodes->size != shape.units(head->rows) * shape.unit_bytes())
    return file->damaged("it has not the rows that it must");
  std::vector<uint32_t> begins(entries, entries + head->entries);
  for (uint32_t& row : begins) row = std::min(row, head->rows - 1);
  std::unique_ptr<const BlockFile> blocks = BlockFile::open(file->fd());
  if (blocks == nullptr) return {ELANUS_IO_FAILED, "the index file " + file->path() + " cannot be opened once more"};
  *index = std::make_unique<FileDiskVectors>(simd, *head, std::move(begins), std::move(codes),
                                             PackedLinks(links, head->rows, head->degree),
                                             std::move(blocks), places, nodes->offset, std::move(file));
  return {};
}

}  // namespace elanus
