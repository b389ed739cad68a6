#include "coded_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../aligned.h"
#include "compact_graph.h"
#include "find_nearest.h"
#include "graph_file.h"
#include "ordered_dot.h"
#include "parallel.h"
#include "random.h"
#include "scan_hits.h"
#include "search_scratch.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "coded graph";
constexpr char kWalkedName[] = "walked";
constexpr char kRefinedName[] = "refined";
constexpr char kSpreadSection[] = "usual width";
// Of files before that one, which measured less well.
constexpr char kOldSpreadSection[] = "usual spread";
constexpr size_t kScannedAtOnce = 64;
// Of so many rows, the best by their codes, it is asked whether they stand in a crowd; the first ones do not count, whose
// codes may be off as hardly any others are.
constexpr uint32_t kCrowdRows = 64;
constexpr uint32_t kCrowdFirst = 3;
// What a filter leaves so little of is compared whole: too few rows to tell a crowd by.
constexpr uint32_t kFewRows = 4 * kCrowdRows;
// Rows in the role of queries, by which it is learnt what is usual; hardly any have more around them.
constexpr size_t kUsualSamples = 64;
constexpr double kUsualShare = 0.97;
constexpr uint32_t kUsualEf = 96;
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
  CodedGraph(const ElanusSimd& simd, StoredRows rows)
      : simd_(simd),
        rows_(std::move(rows)),
        view_(rows_.view(rows_.rows())),
        metric_(rows_.metric()),
        dim_(view_.dim),
        reader_(simd, view_.type, metric_, dim_) {}

  bool build(const ElanusIndexSpec& spec, Graph graph, uint64_t seed, uint32_t threads, WorkControl* control) {
    graph_ = std::move(graph);
    const Rows source(reader_, view_);
    if (view_.rows == 0) {
      control->done = 1;
      return true;
    }
    const float before = control->done;
    const QuantizerSpec walked = walked_spec(metric_, dim_, spec);
    walked_ = CodedRows::encode(walked, simd_, source, {seed_of_part(seed, 1), threads, &control->cancelled});
    control->done = (before + 1) / 2;
    if (spec.refine != ELANUS_CODE_NONE) {
      const QuantizerSpec refined = refined_spec(view_.type, metric_, dim_, spec);
      refined_ = CodedRows::encode(refined, simd_, source, {seed_of_part(seed, 2), threads, &control->cancelled});
      is_refined_ = true;
    }
    if (is_set(&control->cancelled)) return false;
    usual_spread_ = measured_spread(source, seed_of_part(seed, 3));
    has_vectors_ = true;
    control->done = 1;
    return true;
  }

  FileFault open(std::shared_ptr<const IndexFile> file, LentRows vectors, bool is_refined) {
    file_ = std::move(file);
    is_refined_ = is_refined;
    FileFault fault = read_graph(*file_, &graph_);
    if (fault.failed() || graph_.rows == 0) return fault;
    fault = borrow(vectors);
    if (fault.failed()) return fault;
    fault = CodedRows::read(kWalkedName, simd_, *file_, graph_.rows, &walked_);
    if (!fault.failed() && !has_shape(walked_)) fault = file_->damaged("its codes are of other vectors");
    if (fault.failed() || !is_refined_) return fault;
    fault = CodedRows::read(kRefinedName, simd_, *file_, graph_.rows, &refined_);
    if (!fault.failed() && !has_shape(refined_)) fault = file_->damaged("its codes are of other vectors");
    return fault;
  }

  uint32_t rows() const override { return graph_.rows; }
  ElanusVectorType type() const override { return view_.type; }
  ElanusMetric metric() const override { return metric_; }
  uint32_t dim() const override { return dim_; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_CODES; }
  IndexKind kind() const override { return IndexKind::kCodedGraph; }

  size_t memory_bytes() const override {
    if (rows() == 0) return graph_.memory_bytes();
    const size_t coded_bytes = walked_.memory_bytes() + (is_refined_ ? refined_.memory_bytes() : 0);
    return rows_.memory_bytes() + graph_.memory_bytes() + coded_bytes;
  }

  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return graph_.is_sound(cancelled); }

  void write(IndexFileWriter& writer, VectorPlace) const override {
    const Head head = {static_cast<uint32_t>(view_.type), static_cast<uint32_t>(metric_), dim_, is_refined_ ? 1u : 0};
    writer.add(kHeadSection, &head, 1);
    write_graph(graph_, writer);
    if (rows() == 0) return;
    if (has_vectors_) {
      writer.add(kSpreadSection, &usual_spread_, 1);
      rows_.write(writer, VectorPlace::kOutside);
    }
    walked_.write(kWalkedName, writer);
    if (is_refined_) refined_.write(kRefinedName, writer);
  }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.hits.reset(search.k, search.range);
    const uint32_t allowed = search.allowed.count(rows());
    if (rows() == 0 || allowed == 0) return scratch.hits.sorted();
    if (has_vectors_ && !search.allowed.are_all() && allowed <= kFewRows) return by_vectors(search, scratch);
    CodedScratch& coded = CodedScratch::of(scratch);
    coded.query.resize(dim_);
    reader_.read(search.query, coded.query.data());
    const CodedRowsScorer scorer(walked_, coded.query.data());
    const bool skips = search.skips();
    const uint32_t wanted = candidates_wanted(search);
    for (uint64_t ef = std::max(search.ef, wanted);; ef *= kWiden) {
      coded.candidates.reset(skips ? allowed : wanted, kAllHits);
      const bool scans = 2 * ef >= allowed || !walk(scorer, search, static_cast<uint32_t>(ef), scratch);
      if (scans && !skips) return scan_for_best(scorer, search, static_cast<uint32_t>(ef), scratch);
      if (scans && may_be_crowd(search)) {
        const Crowd crowd = look_in_crowd(scorer, search, static_cast<uint32_t>(ef), scratch);
        if (crowd == Crowd::kHasAll || is_set(search.cancelled)) return scratch.hits.sorted();
        if (crowd == Crowd::kHasFew && 2 * ef >= allowed) return by_vectors(search, scratch);
        if (crowd == Crowd::kHasFew) continue;
      }
      if (scans) scan(scorer, search, coded.candidates, scratch.effort);
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

  // Finds candidates. False when a scan is shorter, or has turned out to be.
  bool walk(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t ef, SearchScratch& scratch) const {
    const UsualSearch usual = UsualSearch::of_degree(graph_.degree);
    if (way_of(graph_, usual, search, {ef, ef}, nullptr, scorer.lines()) != Way::kWalk) return false;
    const Beam* const walked = walk_to_nearest(graph_, usual, scorer, search, {ef, ef}, scratch);
    if (walked == nullptr) return false;
    HitCollector& candidates = CodedScratch::of(scratch).candidates;
    for (const Beam::Entry& entry : *walked) candidates.offer({entry.rank, entry.node()});
    return true;
  }

  // The hits among all allowed rows. In a crowd vectors decide.
  const std::vector<IndexHit>& scan_for_best(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t ef,
                                             SearchScratch& scratch) const {
    CodedScratch& coded = CodedScratch::of(scratch);
    switch (look_in_crowd(scorer, search, ef, scratch)) {
      case Crowd::kNone:
        break;
      case Crowd::kHasAll:
        return scratch.hits.sorted();
      case Crowd::kHasFew:
        return scan_exactly(view_, search, scratch);
    }
    for (const IndexHit& hit : scratch.picked) coded.candidates.offer(hit);
    rank(coded, scratch);
    return scratch.hits.sorted();
  }

  bool may_be_crowd(const IndexSearch& search) const { return has_vectors_ && !search.allowed.are_all(); }

  enum class Crowd { kNone, kHasAll, kHasFew };

  // Fills `scratch.picked` with the best of the allowed rows by their codes. Where a filter leaves rows that stand so near
  // to each other that codes tell less of them than they do as a rule, and vectors are lent, these decide on hits.
  Crowd look_in_crowd(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t ef,
                      SearchScratch& scratch) const {
    HitScan hits(view_, nullptr, scorer, search, std::max(ef, kCrowdRows), scratch);
    hits.gather_by_long_codes();
    if (!may_be_crowd(search)) return Crowd::kNone;
    if (!(spread_of(CodedScratch::of(scratch).query.data(), scratch.picked) < usual_spread_)) return Crowd::kNone;
    scratch.exact.begin(simd_, view_.type, metric_, dim_, search.query);
    const Looked looked = hits.from_gathered();
    // Rows that are no numbers have codes, too, and may be the best by them.
    const bool has_all = scratch.hits.size() >= std::min(search.k, search.allowed.count(rows()));
    return has_all || looked.highest > search.range.highest ? Crowd::kHasAll : Crowd::kHasFew;
  }

  const std::vector<IndexHit>& by_vectors(const IndexSearch& search, SearchScratch& scratch) const {
    scratch.exact.begin(simd_, view_.type, metric_, dim_, search.query);
    return scan_exactly(view_, search, scratch);
  }

  // How far the first kCrowdRows of `found`, but for the very first, are apart by their codes, in proportion to how far off
  // codes are so far from the query; infinity when there are fewer. May reorder them.
  float spread_of(const float* query, std::vector<IndexHit>& found) const {
    if (found.size() < kCrowdRows) return kInfinity;
    const auto first = found.begin() + kCrowdFirst;
    const auto last = found.begin() + (kCrowdRows - 1);
    std::nth_element(found.begin(), last, found.end());
    std::nth_element(found.begin(), first, last);
    const float width = last->rank - first->rank;
    const float square = metric_ == ELANUS_L2 ? last->rank : square_length(query, dim_);
    const float reach = std::sqrt(square);
    return reach > 0 ? width / reach : kInfinity;
  }

  // What that is at most without a filter, but for a few of some rows.
  float measured_spread(const Rows& source, uint64_t seed) const {
    SearchScratch scratch;
    AlignedVector<float> query(dim_);
    IndexSearch search{};
    search.range = kAllHits;
    std::vector<float> spreads;
    for (const uint32_t row : sample_numbers(rows(), kUsualSamples, seed)) {
      source.read(row, query.data());
      const CodedRowsScorer scorer(walked_, query.data());
      std::vector<IndexHit> found;
      for (const Beam::Entry& entry : *walk_to_nearest(graph_, UsualSearch::of_degree(graph_.degree), scorer, search, {kUsualEf, kUsualEf}, scratch)) {
        if (entry.node() != row) found.push_back({entry.rank, entry.node()});
      }
      const float spread = spread_of(query.data(), found);
      if (std::isfinite(spread)) spreads.push_back(spread);
    }
    if (spreads.empty()) return 0;
    const auto usual = spreads.begin() + static_cast<ptrdiff_t>(kUsualShare * static_cast<double>(spreads.size()));
    std::nth_element(spreads.begin(), usual, spreads.end());
    return *usual;
  }

  // Files of before hold nothing of what belongs to vectors, or what does not compare: then any rows may be a crowd.
  FileFault borrow(LentRows vectors) {
    const float* const spread = file_->array<float>(kSpreadSection, 1);
    const bool takes_vectors = spread != nullptr || file_->array<float>(kOldSpreadSection, 1) != nullptr;
    FileFault fault;
    if (takes_vectors && vectors.count > 0) {
      fault = rows_.read(*file_, graph_.rows, vectors);
      usual_spread_ = spread == nullptr ? kInfinity : *spread;
      has_vectors_ = !fault.failed();
    }
    view_ = rows_.view(graph_.rows);
    return fault;
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

  const ElanusSimd& simd_;
  // What the graph and the codes are views of, when the index was opened.
  std::shared_ptr<const IndexFile> file_;
  StoredRows rows_;
  // Of all rows; where they are is known if has_vectors_.
  DenseRows view_;
  const ElanusMetric metric_;
  const uint32_t dim_;
  const RowReader reader_;
  bool has_vectors_ = false;
  float usual_spread_ = 0;
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

std::unique_ptr<VectorIndex> build_coded_graph(const ElanusSimd& simd, StoredRows rows, const ElanusIndexSpec& spec,
                                               Graph graph, uint64_t seed, uint32_t threads, WorkControl* control) {
  auto index = std::make_unique<CodedGraph>(simd, std::move(rows));
  if (!index->build(spec, std::move(graph), seed, threads, control)) return nullptr;
  return index;
}

FileFault open_coded_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                           std::unique_ptr<VectorIndex>* index) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || !is_dense(head->type) || head->metric > ELANUS_COSINE || head->dim == 0 ||
      head->dim > ELANUS_INT8_DIM_MAX || head->is_refined > 1)
    return file->damaged("it does not say what it is an index of");
  StoredRows rows(simd, static_cast<ElanusVectorType>(head->type), static_cast<ElanusMetric>(head->metric), head->dim);
  auto opened = std::make_unique<CodedGraph>(simd, std::move(rows));
  const bool is_refined = head->is_refined == 1;
  FileFault fault = opened->open(std::move(file), vectors, is_refined);
  if (!fault.failed()) *index = std::move(opened);
  return fault;
}

}  // namespace elanus
