#include "fast_graph.h"

#include <algorithm>
#include <limits>

#include "compact_graph.h"
#include "fast_records_file.h"
#include "fast_walk.h"
#include "find_nearest.h"
#include "search_scratch.h"

namespace elanus {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// The records of longer lists would take more memory than the vectors many times over.
constexpr uint32_t kBlocksMax = 16;
// Row codes are so exact that few rows beyond the k best need to be ranked by their vectors.
constexpr uint32_t kRankedMore = 8;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;
// A step of a walk, with its 32 estimates, takes as long as comparing so many rows of a scan.
constexpr double kStepCost = 4;

struct FastScratch : LayoutScratch {
  FastWalk walk;

  static FastScratch& of(SearchScratch& scratch) {
    if (scratch.fast == nullptr) scratch.fast = std::make_unique<FastScratch>();
    return static_cast<FastScratch&>(*scratch.fast);
  }
};

// Ranks rows by their codes, for a scan.
struct RowCodeScorer {
  const WalkLoops& loops;
  const FastRecords& records;
  const CodedQuery& query;

  void prefetch(uint32_t row) const {
    const uint8_t* const code = records.record_of(row);
    for (size_t at = 0; at < records.layout().row_code_bytes; at += 64) __builtin_prefetch(code + at);
  }
  void score(const uint32_t* rows, size_t count, float* ranks) const {
    for (size_t i = 0; i < count; ++i)
      ranks[i] = records.row_code().rank(loops, query, records.record_of(rows[i]));
  }
};

class FastGraph : public VectorIndex {
 public:
  FastGraph(const ElanusSimd& simd, StoredRows rows, FastRecords records, std::shared_ptr<const IndexFile> file)
      : simd_(simd),
        file_(std::move(file)),
        rows_(std::move(rows)),
        view_(rows_.view(rows_.rows())),
        records_(std::move(records)),
        reader_(simd, view_.type, rows_.metric(), view_.dim) {}

  uint32_t rows() const override { return view_.rows; }
  ElanusVectorType type() const override { return view_.type; }
  ElanusMetric metric() const override { return rows_.metric(); }
  uint32_t dim() const override { return view_.dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_FAST; }
  IndexKind kind() const override { return IndexKind::kFastGraph; }
  size_t memory_bytes() const override { return rows_.memory_bytes() + records_.memory_bytes(); }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, search.query);
    const uint32_t allowed = search.allowed.count(rows());
    // Hits that do not count because they are too near stand before those that do.
    const bool skips = search.range.lowest > -kInfinity || search.range.first.rank > -kInfinity;
    FastWalk& walk = FastScratch::of(scratch).walk;
    bool is_prepared = false;
    for (uint64_t ef = std::max(search.ef, search.k) * (skips ? kWiden : 1);; ef *= kWiden) {
      if (2 * ef >= allowed) return scan_exactly(view_, search, scratch);
      if (!is_prepared) prepare(search.query, walk);
      is_prepared = true;
      const uint64_t keep = skips ? ef : search.k + std::max(kRankedMore, search.k / 4);
      find(search, static_cast<uint32_t>(ef), static_cast<uint32_t>(std::min<uint64_t>(keep, allowed)), walk);
      // In a crowd of copies, or beside rows that are no numbers, a walk may come to an end before it has k rows.
      if (walk.found.size() < std::min(search.k, allowed)) return scan_exactly(view_, search, scratch);
      scratch.rows.clear();
      for (const Beam::Entry& entry : walk.found) {
        scratch.rows.push_back(entry.node());
        prefetch_vector(entry.node());
      }
      scratch.hits.reset(search.k, search.range);
      const float highest = rank_exactly(view_, scratch.rows.data(), scratch.rows.size(), scratch);
      const bool has_all = !skips || scratch.hits.size() >= search.k || highest > search.range.highest;
      if (has_all || is_set(search.cancelled)) return scratch.hits.sorted();
    }
  }

  void write(IndexFileWriter& writer) const override {
    write_fast_records(records_, view_, writer);
    rows_.write(writer);
  }

 private:
  void prepare(const uint8_t* query, FastWalk& walk) const {
    walk.query.resize(view_.dim);
    reader_.read(query, walk.query.data());
    prepare_fast_walk(simd_.walk, records_, &walk);
  }

  // Fills `walk.found` by a walk or a scan, whichever is shorter.
  void find(const IndexSearch& search, uint32_t ef, uint32_t keep, FastWalk& walk) const {
    if (search.allowed.are_all()) {
      walk_fast(simd_.walk, records_, ef, keep, search.cancelled, &walk);
      return;
    }
    const double allowed = search.allowed.count(rows());
    const double steps_max = allowed / kStepCost;
    // Allowed rows are met less often than in a plain walk, so that single estimates decide; more room makes up for it.
    const uint32_t ef_allowed = ef + ef / 4;
    const double steps = 20 + ef_allowed / (allowed / rows());
    if (steps < steps_max &&
        walk_fast_filtered(simd_.walk, records_, search.allowed, ef_allowed, keep, steps_max, search.cancelled, &walk))
      return;
    walk.found.reset(keep);
    const RowCodeScorer scorer = {simd_.walk, records_, walk.coded};
    scan_allowed(scorer, search, rows(), walk.found);
  }

  void prefetch_vector(uint32_t row) const {
    const uint8_t* const vector = view_.at(row);
    for (size_t at = 0; at < view_.stride; at += 64) __builtin_prefetch(vector + at);
  }

  const ElanusSimd& simd_;
  // What the rows and the records are views of, when the index was opened.
  std::shared_ptr<const IndexFile> file_;
  StoredRows rows_;
  DenseRows view_;
  FastRecords records_;
  RowReader reader_;
};

}  // namespace

bool is_valid_fast_graph(uint32_t m) { return fast_blocks(2 * m) <= kBlocksMax; }

std::unique_ptr<VectorIndex> build_fast_graph(const ElanusSimd& simd, StoredRows rows, const Graph& graph,
                                              uint64_t seed, uint32_t threads, WorkControl* control) {
  const DenseRows view = rows.view(rows.rows());
  FastRecords records = FastRecords::make(simd, rows.metric(), view, graph, seed, threads, control, 1);
  if (is_set(&control->cancelled)) return nullptr;
  return std::make_unique<FastGraph>(simd, std::move(rows), std::move(records), nullptr);
}

FileFault open_fast_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                          std::unique_ptr<VectorIndex>* index) {
  FastRecordsHead head;
  FastRecords records;
  FileFault fault = read_fast_records(*file, &head, &records);
  if (fault.failed()) return fault;
  StoredRows rows(simd, head.vector_type(), head.vector_metric(), head.dim);
  fault = rows.read(*file, head.rows);
  if (fault.failed()) return fault;
  *index = std::make_unique<FastGraph>(simd, std::move(rows), std::move(records), std::move(file));
  return {};
}

}  // namespace elanus
