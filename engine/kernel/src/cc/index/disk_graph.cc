#include "disk_graph.h"

#include <algorithm>
#include <vector>

#include "disk_graph_parts.h"
#include "hot_units.h"
#include "offer_nearest.h"
#include "random.h"

namespace elanus {
namespace {

constexpr uint64_t kCodeSeed = 0xd15c;
constexpr uint64_t kTrialSeed = 0x4075;

constexpr char kHeadSection[] = "disk graph";
constexpr char kEntriesSection[] = "entries";
constexpr char kPlacesSection[] = "places";
constexpr char kNodesSection[] = "nodes";
constexpr char kCodesName[] = "walked";

// Rows as floats, as codes are learnt from them.
class Rows : public VectorSource {
 public:
  Rows(const RowReader& reader, const DenseRows& rows) : reader_(reader), rows_(rows) {}
  uint32_t rows() const override { return rows_.rows; }
  void read(uint32_t row, float* out) const override { reader_.read(rows_.at(row), out); }

 private:
  const RowReader& reader_;
  const DenseRows rows_;
};

// Before it is in a file.
class MemoryDiskGraph : public DiskGraph {
 public:
  MemoryDiskGraph(const ElanusSimd& simd, DiskGraphParts parts, StoredRows vectors, Graph graph,
                  std::vector<uint32_t> places)
      : DiskGraph(simd, parts.head),
        parts_(std::move(parts)),
        vectors_(std::move(vectors)),
        graph_(std::move(graph)),
        places_(std::move(places)) {}

  IndexKind kind() const override { return IndexKind::kDiskGraph; }
  size_t memory_bytes() const override {
    const size_t codes = rows() == 0 ? 0 : parts_.codes.memory_bytes();
    return codes + vectors_.memory_bytes() + graph_.memory_bytes() + places_.size() * sizeof(places_[0]);
  }

  void write(IndexFileWriter& writer, VectorPlace) const override {
    writer.add(kHeadSection, &parts_.head, 1);
    writer.add(kEntriesSection, parts_.entries.data(), parts_.entries.size());
    writer.add(kPlacesSection, places_.data(), places_.size());
    if (rows() > 0) parts_.codes.write(kCodesName, writer);
    writer.begin(kNodesSection);
    write_nodes(parts_.shape(), vectors_.sparing_view(rows()), graph_, places_, writer);
  }
  const IndexFile* file() const override { return nullptr; }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return graph_.is_sound(cancelled); }

 protected:
  void find(const IndexSearch& search, uint32_t ef, DiskScratch& own, SearchScratch& scratch) const override {
    parts_.read_query(search.query, &own.query);
    const CodedRowsScorer scorer(parts_.codes, own.query.data());
    offer_nearest(graph_, vectors_.view(rows()), scorer, search, ef, ef, scratch);
  }

 private:
  const DiskGraphParts parts_;
  const StoredRows vectors_;
  const Graph graph_;
  const std::vector<uint32_t> places_;
};

// Units that may stay in memory: of a share of each row's, and full.
uint32_t kept_units(const NodeShape& shape, uint32_t rows, uint32_t cache_bytes) {
  const uint64_t units = uint64_t{rows} * cache_bytes / shape.unit_bytes();
  return static_cast<uint32_t>(std::min<uint64_t>(units, rows / shape.nodes_per_unit()));
}

// As many parts as there are to be bytes in a code, but a divisor of the dimension.
QuantizerSpec code_spec(const ElanusIndexBuild& build) {
  uint32_t parts = std::clamp(build.spec.code_bytes, 1u, build.dim);
  while (build.dim % parts != 0) --parts;
  return {QuantizerKind::kProduct, build.dim, build.metric, parts, 8, 1};
}

}  // namespace

bool is_valid_disk_graph(const ElanusIndexBuild& build) {
  return build.type != ELANUS_INT8 && build.spec.code_bytes >= 1 && is_valid_quantizer(code_spec(build));
}

std::unique_ptr<VectorIndex> build_disk_graph(const ElanusSimd& simd, StoredRows rows, Graph graph,
                                              const ElanusIndexBuild& build, WorkControl* control) {
  const DenseRows view = rows.sparing_view(graph.rows);
  DiskGraphParts parts{{}, RowReader(simd, build.type, build.metric, build.dim), {}, {}};
  parts.entries = sample_numbers(graph.rows, kDiskGraphEntriesMax, build.seed);
  parts.head = {static_cast<uint32_t>(build.type), static_cast<uint32_t>(build.metric), build.dim, graph.rows,
                 graph.degree, static_cast<uint32_t>(parts.entries.size()), 0};
  const NodeShape shape = parts.shape();
  parts.head.kept = kept_units(shape, graph.rows, build.spec.cache_bytes);
  if (graph.rows > 0) {
    const Rows source(parts.reader, view);
    parts.codes = CodedRows::encode(code_spec(build), simd, source,
                                     {seed_of_part(build.seed, kCodeSeed), build.threads, &control->cancelled});
  }
  if (is_set(&control->cancelled)) return nullptr;
  std::vector<uint32_t> places = place_together(graph, shape.nodes_per_unit());
  if (parts.head.kept > 0) {
    const UnitTrial trial = {seed_of_part(build.seed, kTrialSeed), build.threads, &control->cancelled};
    put_hot_units_first(count_visits(parts, view, graph, places, trial), shape.nodes_per_unit(), &places);
  }
  if (is_set(&control->cancelled)) return nullptr;
  control->done.store(1, std::memory_order_relaxed);
  return std::make_unique<MemoryDiskGraph>(simd, std::move(parts), std::move(rows), std::move(graph),
                                           std::move(places));
}

FileFault open_disk_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                          std::unique_ptr<VectorIndex>* index) {
  const DiskGraphHead* const head = file->array<DiskGraphHead>(kHeadSection, 1);
  if (head == nullptr || !head->is_plausible()) return file->damaged("it does not say what it is an index of");
  DiskGraphParts parts{*head, RowReader(simd, head->vector_type(), head->rank_metric(), head->dim), {}, {}};
  const auto* const entries = file->array<uint32_t>(kEntriesSection, head->entries);
  const auto* const places = file->array<uint32_t>(kPlacesSection, head->rows);
  const IndexFile::Section* const nodes = file->section(kNodesSection);
  const NodeShape shape = parts.shape();
  if (entries == nullptr || places == nullptr || nodes == nullptr ||
      nodes->size != shape.units(head->rows) * shape.unit_bytes() || head->kept > shape.units(head->rows))
    return file->damaged("it has not the rows that it must");
  for (uint32_t i = 0; i < head->entries; ++i) parts.entries.push_back(std::min(entries[i], head->rows - 1));
  if (head->rows > 0) {
    const FileFault fault = CodedRows::read(kCodesName, simd, *file, head->rows, &parts.codes);
    if (fault.failed()) return fault;
    const QuantizerSpec& spec = parts.codes.quantizer().spec();
    if (spec.dim != head->dim || spec.metric != head->rank_metric()) return file->damaged("its codes are of other vectors");
  }
  std::unique_ptr<const BlockFile> blocks = BlockFile::open(file->fd());
  if (blocks == nullptr) return {ELANUS_IO_FAILED, "the index file " + file->path() + " cannot be opened once more"};
  const uint64_t nodes_at = nodes->offset;
  *index = make_disk_graph_of_file(simd, std::move(parts), std::move(file), std::move(blocks), places,
                                           nodes_at);
  return {};
}

bool DiskGraphHead::is_plausible() const {
  const bool is_dense = type == ELANUS_FLOAT32 || type == ELANUS_FLOAT16 || type == ELANUS_BFLOAT16;
  return is_dense && metric <= ELANUS_COSINE && dim > 0 && dim <= ELANUS_INT8_DIM_MAX &&
         rows <= ELANUS_INDEX_ROWS_MAX && degree <= 2 * ELANUS_M_MAX && entries <= kDiskGraphEntriesMax &&
         entries <= rows && kept <= rows;
}

DiskGraphReads disk_graph_reads(const SearchScratch& scratch) {
  return scratch.disk == nullptr ? DiskGraphReads{} : static_cast<const DiskScratch&>(*scratch.disk).reads;
}

}  // namespace elanus
