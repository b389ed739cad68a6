#include "coded_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../aligned.h"
#include "find_nearest.h"
#include "graph_file.h"
#include "parallel.h"
#include "random.h"
#include "search_scratch.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "coded graph";
constexpr char kWalkedName[] = "walked";
constexpr char kRefinedName[] = "refined";
constexpr size_t kScannedAtOnce = 64;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;

// What the head section holds.
struct Head {
  uint32_t type;
  uint32_t metric;
  uint32_t dim;
  uint32_t is_refined;
};

class Rows : public VectorSource {
 public:
  Rows(const RowReader& reader, const DenseRows& rows) : reader_(reader), rows_(rows) {}
  uint32_t rows() const override { return rows_.rows; }
  void read(uint32_t row, float* out) const override { reader_.read(rows_.at(row), out); }

 private:
  const RowReader& reader_;
  const DenseRows& rows_;
};

QuantizerSpec walked_spec(ElanusMetric metric, uint32_t dim, const ElanusIndexSpec& spec) {
  switch (spec.type) {
    case ELANUS_HNSW_SQ:
      return {scalar_kind(spec.code), dim, metric, 0, 0, 0};
    case ELANUS_HNSW_PQ:
      return {QuantizerKind::kProduct, dim, metric, spec.subquantizers, spec.bits, 1};
    case ELANUS_HNSW_PRQ:
      return {QuantizerKind::kProductResidual, dim, metric, spec.subquantizers, spec.bits, spec.residuals};
    default:
      return {};
  }
}

// Elements that a 16-bit float holds exactly need no 32 bits.
QuantizerSpec refined_spec(ElanusVectorType type, ElanusMetric metric, uint32_t dim, const ElanusIndexSpec& spec) {
  QuantizerKind kind = scalar_kind(spec.refine);
  if (kind == QuantizerKind::kFloat32 && metric != ELANUS_COSINE && type != ELANUS_FLOAT32)
    kind = type == ELANUS_FLOAT16 ? QuantizerKind::kFloat16 : QuantizerKind::kBFloat16;
  return {kind, dim, metric, 0, 0, 0};
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr HitRange kAllHits = {-kInfinity, kInfinity};

struct CodedScratch : LayoutScratch {
  AlignedVector<float> query;
  HitCollector candidates;

  static CodedScratch& of(SearchScratch& scratch) {
    if (scratch.coded == nullptr) scratch.coded = std::make_unique<CodedScratch>();
    return static_cast<CodedScratch&>(*scratch.coded);
  }
};

class CodedGraph : public VectorIndex {
 public:
  CodedGraph(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
      : type_(type), metric_(metric), dim_(dim), reader_(simd, type, metric, dim) {}

  bool build(const ElanusSimd& simd, const DenseRows& rows, const ElanusIndexSpec& spec, Graph graph, uint64_t seed,
             uint32_t threads, WorkControl* control) {
    graph_ = std::move(graph);
    const Rows source(reader_, rows);
    if (rows.rows == 0) {
      control->done = 1;
      return true;
    }
    const float before = control->done;
    const QuantizerSpec walked = walked_spec(metric_, dim_, spec);
    walked_ = CodedRows::encode(walked, simd, source, {seed_of_part(seed, 1), threads, &control->cancelled});
    control->done = (before + 1) / 2;
    if (spec.refine != ELANUS_CODE_NONE) {
      const QuantizerSpec refined = refined_spec(type_, metric_, dim_, spec);
      refined_ = CodedRows::encode(refined, simd, source, {seed_of_part(seed, 2), threads, &control->cancelled});
      is_refined_ = true;
    }
    control->done = 1;
    return !is_set(&control->cancelled);
  }

  FileFault open(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, bool is_refined) {
    file_ = std::move(file);
    is_refined_ = is_refined;
    FileFault fault = read_graph(*file_, &graph_);
    if (fault.failed() || graph_.rows == 0) return fault;
    fault = CodedRows::read(kWalkedName, simd, *file_, graph_.rows, &walked_);
    if (!fault.failed() && !has_shape(walked_)) fault = file_->damaged("its codes are of other vectors");
    if (fault.failed() || !is_refined_) return fault;
    fault = CodedRows::read(kRefinedName, simd, *file_, graph_.rows, &refined_);
    if (!fault.failed() && !has_shape(refined_)) fault = file_->damaged("its codes are of other vectors");
    return fault;
  }

  uint32_t rows() const override { return graph_.rows; }
  ElanusVectorType type() const override { return type_; }
  ElanusMetric metric() const override { return metric_; }
  uint32_t dim() const override { return dim_; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_CODES; }
  IndexKind kind() const override { return IndexKind::kCodedGraph; }

  size_t memory_bytes() const override {
    if (rows() == 0) return graph_.memory_bytes();
    return graph_.memory_bytes() + walked_.memory_bytes() + (is_refined_ ? refined_.memory_bytes() : 0);
  }

  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return graph_.is_sound(cancelled); }

  void write(IndexFileWriter& writer, VectorPlace) const override {
    const Head head = {static_cast<uint32_t>(type_), static_cast<uint32_t>(metric_), dim_, is_refined_ ? 1u : 0};
    writer.add(kHeadSection, &head, 1);
    write_graph(graph_, writer);
    if (rows() == 0) return;
    walked_.write(kWalkedName, writer);
    if (is_refined_) refined_.write(kRefinedName, writer);
  }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.hits.reset(search.k, search.range);
    const uint32_t allowed = search.allowed.count(rows());
    if (rows() == 0 || allowed == 0) return scratch.hits.sorted();
    CodedScratch& coded = CodedScratch::of(scratch);
    coded.query.resize(dim_);
    reader_.read(search.query, coded.query.data());
    const CodedRowsScorer scorer(walked_, coded.query.data());
    const bool skips = search.skips();
    const uint32_t wanted = candidates_wanted(search);
    for (uint64_t ef = std::max(search.ef, wanted);; ef *= kWiden) {
      const bool scans = 2 * ef >= allowed;
      coded.candidates.reset(skips ? allowed : wanted, kAllHits);
      if (scans)
        scan(scorer, search, coded.candidates, scratch.effort);
      else
        walk(scorer, search, static_cast<uint32_t>(ef), scratch, coded.candidates);
      scratch.hits.reset(search.k, search.range);
      const float highest = rank(coded, scratch);
      const bool has_all = scratch.hits.size() >= search.k || highest > search.range.highest;
      if (scans || !skips || has_all || is_set(search.cancelled)) return scratch.hits.sorted();
    }
  }

 private:
  bool has_shape(const CodedRows& rows) const {
    const QuantizerSpec& spec = rows.quantizer().spec();
    return spec.dim == dim_ && spec.metric == metric_;
  }

  // How many of the rows that seem best are ranked anew.
  uint32_t candidates_wanted(const IndexSearch& search) const {
    if (!is_refined_) return search.k;
    return static_cast<uint32_t>(std::min<double>(std::ceil(double{search.refine_k} * search.k), rows()));
  }

  void scan(const CodedRowsScorer& scorer, const IndexSearch& search, HitCollector& found,
            SearchEffort& effort) const {
    uint32_t ids[kScannedAtOnce];
    float ranks[kScannedAtOnce];
    size_t count = 0;
    const auto compare = [&] {
      scorer.score(ids, count, ranks);
      for (size_t i = 0; i < count; ++i) found.offer({ranks[i], ids[i]});
      count = 0;
    };
    search.allowed.for_each(rows(), [&](uint32_t row) {
      scorer.prefetch(row);
      ids[count++] = row;
      if (count == kScannedAtOnce) compare();
      return count > 0 || !is_set(search.cancelled);
    });
    compare();
    effort.scan(search.allowed.count(rows()));
    effort.compare(search.allowed.count(rows()), static_cast<uint64_t>(64 * scorer.lines()));
  }

  void walk(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t ef, SearchScratch& scratch,
            HitCollector& found) const {
    for (const Beam::Entry& entry : find_nearest(graph_, scorer, search, ef, scratch))
      found.offer({entry.rank, entry.node()});
  }

  // Offers the candidates, ranked anew where there are codes for that. Returns the highest rank, wanted or not.
  float rank(CodedScratch& coded, SearchScratch& scratch) const {
    const std::vector<IndexHit>& candidates = coded.candidates.sorted();
    float highest = -kInfinity;
    if (!is_refined_) {
      for (const IndexHit& candidate : candidates) highest = std::max(highest, offer(candidate, scratch.hits));
      return highest;
    }
    const CodedRowsScorer scorer(refined_, coded.query.data());
    scratch.rows.resize(candidates.size());
    scratch.ranks.resize(candidates.size());
    for (size_t i = 0; i < candidates.size(); ++i) {
      scratch.rows[i] = candidates[i].row;
      scorer.prefetch(candidates[i].row);
    }
    scorer.score(scratch.rows.data(), candidates.size(), scratch.ranks.data());
    scratch.effort.compare(candidates.size(), static_cast<uint64_t>(64 * scorer.lines()));
    for (size_t i = 0; i < candidates.size(); ++i)
      highest = std::max(highest, offer({scratch.ranks[i], scratch.rows[i]}, scratch.hits));
    return highest;
  }

  float offer(IndexHit hit, HitCollector& hits) const {
    // The product of two vectors of length 1 may be a little more.
    if (metric_ == ELANUS_COSINE) hit.rank = std::clamp(hit.rank, -1.0f, 1.0f);
    hits.offer(hit);
    return hit.rank;
  }

  const ElanusVectorType type_;
  const ElanusMetric metric_;
  const uint32_t dim_;
  const RowReader reader_;
  // What the graph and the codes are views of, when the index was opened.
  std::shared_ptr<const IndexFile> file_;
  Graph graph_;
  CodedRows walked_;
  CodedRows refined_;
  bool is_refined_ = false;
};

bool is_dense(uint32_t type) {
  return type == ELANUS_FLOAT32 || type == ELANUS_FLOAT16 || type == ELANUS_BFLOAT16 || type == ELANUS_INT8;
}

}  // namespace

bool is_valid_coded_graph(ElanusMetric metric, uint32_t dim, const ElanusIndexSpec& spec) {
  return is_valid_quantizer(walked_spec(metric, dim, spec)) && spec.refine != ELANUS_CODE_SQ4U;
}

std::unique_ptr<VectorIndex> build_coded_graph(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric,
                                               const ElanusIndexSpec& spec, Graph graph, uint64_t seed,
                                               uint32_t threads, WorkControl* control) {
  auto index = std::make_unique<CodedGraph>(simd, rows.type, metric, rows.dim);
  if (!index->build(simd, rows, spec, std::move(graph), seed, threads, control)) return nullptr;
  return index;
}

FileFault open_coded_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                           std::unique_ptr<VectorIndex>* index) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || !is_dense(head->type) || head->metric > ELANUS_COSINE || head->dim == 0 ||
      head->dim > ELANUS_INT8_DIM_MAX || head->is_refined > 1)
    return file->damaged("it does not say what it is an index of");
  auto opened = std::make_unique<CodedGraph>(simd, static_cast<ElanusVectorType>(head->type),
                                             static_cast<ElanusMetric>(head->metric), head->dim);
  const bool is_refined = head->is_refined == 1;
  FileFault fault = opened->open(simd, std::move(file), is_refined);
  if (!fault.failed()) *index = std::move(opened);
  return fault;
}

}  // namespace elanus
