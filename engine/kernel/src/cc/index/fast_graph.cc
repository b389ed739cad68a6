#include "fast_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compact_graph.h"
#include "fast_records_file.h"
#include "fast_walk.h"
#include "find_nearest.h"
#include "found_ranker.h"
#include "search_scratch.h"

namespace elanus {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// The records of longer lists would take more memory than the vectors many times over.
constexpr uint32_t kBlocksMax = 16;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;
// What a step of a walk costs for each cache line of a record, as kScannedLineCost; and the steps that lead to the query.
constexpr double kStepLineCost = 9;
constexpr double kFirstSteps = 20;
// What a scan of row codes costs for each row, however short its code: they stand a record apart.
constexpr double kRecordCost = 12;
// A scan finds more than a walk of the same `ef`, which knows of most rows by estimates only.
constexpr double kShortScanShare = 0.7;
// The fewer rows are allowed, the more often each is met before the walk stands on it.
constexpr double kShareExponent = 1.5;

struct FastScratch : LayoutScratch {
  FastWalk walk;

  static FastScratch& of(SearchScratch& scratch) {
    if (scratch.fast == nullptr) scratch.fast = std::make_unique<FastScratch>();
    return static_cast<FastScratch&>(*scratch.fast);
  }
};

class FastGraph : public VectorIndex {
 public:
  FastGraph(const ElanusSimd& simd, StoredRows rows, ScanCodes scan_codes, FastRecords records, float stretch,
            std::shared_ptr<const IndexFile> file)
      : simd_(simd),
        file_(std::move(file)),
        rows_(std::move(rows)),
        view_(rows_.view(rows_.rows())),
        scan_codes_(std::move(scan_codes)),
        records_(std::move(records)),
        stretch_(stretch),
        reader_(simd, view_.type, rows_.metric(), view_.dim) {}

  uint32_t rows() const override { return view_.rows; }
  ElanusVectorType type() const override { return view_.type; }
  ElanusMetric metric() const override { return rows_.metric(); }
  uint32_t dim() const override { return view_.dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_FAST; }
  IndexKind kind() const override { return IndexKind::kFastGraph; }
  size_t memory_bytes() const override { return rows_.memory_bytes() + scan_codes_.memory_bytes() + records_.memory_bytes(); }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, search.query);
    const uint32_t allowed = search.allowed.count(rows());
    const bool skips = search.skips();
    FastWalk& walk = FastScratch::of(scratch).walk;
    bool is_prepared = false;
    for (uint64_t ef = std::max(search.ef, search.k);; ef *= kWiden) {
      if (2 * ef >= allowed) return scan_exactly(view_, search, scratch);
      if (!is_prepared) prepare(search.query, walk);
      is_prepared = true;
      find(search, static_cast<uint32_t>(ef), walk, scratch);
      // Beside rows that are no numbers even a scan of codes may end before it has k rows.
      if (walk.found.size() < std::min(search.k, allowed)) return scan_exactly(view_, search, scratch);
      scratch.hits.reset(search.k, search.range);
      FoundRanker ranker(view_, scratch, walk.found);
      if (skips) {
        ranker.rank_first(ef);
      } else {
        ranker.rank_best(search.k);
      }
      const bool has_all = !skips || scratch.hits.size() >= search.k || ranker.highest() > search.range.highest;
      if (has_all || is_set(search.cancelled)) return scratch.hits.sorted();
    }
  }

  HitsOfBoth search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                         SearchScratch& of_other) const override {
    const uint32_t ef = std::max(one.ef, one.k);
    const uint32_t allowed = one.allowed.count(rows());
    if (!one.skips() && 2 * uint64_t{ef} < allowed) {
      FastWalk& walk_of_one = FastScratch::of(of_one).walk;
      FastWalk& walk_of_other = FastScratch::of(of_other).walk;
      prepare(one.query, walk_of_one);
      prepare(other.query, walk_of_other);
      if (find_both(one, other, ef, of_one, of_other) &&
          std::min(walk_of_one.found.size(), walk_of_other.found.size()) >= std::min(one.k, allowed))
        return {rank_exactly_found(one, of_one), rank_exactly_found(other, of_other)};
    }
    return VectorIndex::search_both(one, other, of_one, of_other);
  }

  void write(IndexFileWriter& writer, VectorPlace vectors) const override {
    write_fast_records(records_, stretch_, view_, writer);
    rows_.write(writer, vectors);
    if (rows() > 0) scan_codes_.write(writer);
  }

  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override {
    return records_.links_are_sound(cancelled);
  }

 private:
  void prepare(const uint8_t* query, FastWalk& walk) const {
    walk.query.resize(view_.dim);
    reader_.read(query, walk.query.data());
    prepare_fast_walk(simd_.walk, records_, &walk);
  }

  // The hits among the rows that one of two searches has found.
  const std::vector<IndexHit>& rank_exactly_found(const IndexSearch& search, SearchScratch& scratch) const {
    scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, search.query);
    scratch.hits.reset(search.k, search.range);
    FoundRanker(view_, scratch, FastScratch::of(scratch).walk.found).rank_best(search.k);
    return scratch.hits.sorted();
  }

  struct Plan {
    Way way;
    uint32_t room;  // of a walk, and how long it should be
    double steps;
  };

  Plan plan_of(const IndexSearch& search, uint32_t ef) const {
    const double allowed = search.allowed.count(rows());
    const double lines = static_cast<double>(records_.layout().row_code_bytes) / 64;
    const double long_cost = allowed * (kRecordCost + lines * kScannedLineCost);
    const double short_cost = kShortScanShare * short_scan_cost(short_scan(), search.allowed, rows(), ef, lines);
    const double step_cost = kStepLineCost * static_cast<double>(records_.layout().record_bytes()) / 64;
    // Allowed rows are met less often than in a plain walk, so that single estimates decide; more room makes up for it.
    const double wanted = static_cast<double>(stretch_) * (search.allowed.are_all() ? ef : ef + ef / 4);
    const auto room = static_cast<uint32_t>(std::min<double>(std::ceil(wanted), rows()));
    const double steps = kFirstSteps + room / std::pow(allowed / rows(), kShareExponent);
    if (steps * step_cost < std::min(long_cost, short_cost)) return {Way::kWalk, room, steps};
    return {short_cost < long_cost ? Way::kShortScan : Way::kLongScan, room, steps};
  }

  // Fills `walk.found` by a walk or a scan, whichever is shorter.
  void find(const IndexSearch& search, uint32_t ef, FastWalk& walk, SearchScratch& scratch) const {
    const Plan plan = plan_of(search, ef);
    if (plan.way == Way::kWalk) {
      if (!walk_by_plan(search, plan, walk)) walk.found.clear();
      note_walk(walk, scratch.effort);
      // In a crowd of copies a walk may come to an end before it has k rows.
      if (walk.found.size() >= std::min(search.k, search.allowed.count(rows()))) return;
    }
    walk.found.clear();
    if (plan.way == Way::kLongScan) {
      scan_codes_of_rows(search, walk);
      scratch.effort.scan(search.allowed.count(rows()));
      scratch.effort.compare(search.allowed.count(rows()), records_.layout().row_code_bytes);
    } else {
      rank_codes(scan_short(short_scan(), search, rows(), ef, scratch), walk, scratch.effort);
    }
  }

  // Each step compares with the row's own code and with those of its neighbours.
  void note_walk(const FastWalk& walk, SearchEffort& effort) const {
    effort.walk(walk.steps, records_.layout().record_bytes());
    effort.compare(walk.steps * (1 + records_.layout().blocks * kBlockNeighbours), 0);
  }

  bool walk_by_plan(const IndexSearch& search, const Plan& plan, FastWalk& walk) const {
    if (search.allowed.are_all()) {
      walk_fast(simd_.walk, records_, plan.room, search.cancelled, &walk);
      return true;
    }
    const double share = static_cast<double>(search.allowed.count(rows())) / rows();
    const FilteredWalk limits = {plan.room, kPatience * plan.steps, kLuckMin * share};
    return walk_fast_filtered(simd_.walk, records_, search.allowed, limits, search.cancelled, &walk);
  }

  // The same for two searches that differ in their queries only. False when they are better made one after the other.
  bool find_both(const IndexSearch& one, const IndexSearch& other, uint32_t ef, SearchScratch& of_one,
                 SearchScratch& of_other) const {
    FastWalk& walk_of_one = FastScratch::of(of_one).walk;
    FastWalk& walk_of_other = FastScratch::of(of_other).walk;
    const Plan plan = plan_of(one, ef);
    if (plan.way == Way::kWalk && one.allowed.are_all()) {
      walk_fast_both(simd_.walk, records_, plan.room, one.cancelled, &walk_of_one, &walk_of_other);
      note_walk(walk_of_one, of_one.effort);
      note_walk(walk_of_other, of_other.effort);
      return true;
    }
    if (plan.way != Way::kShortScan) return false;
    scan_short_both(short_scan(), one, other, rows(), ef, of_one, of_other);
    walk_of_one.found.clear();
    walk_of_other.found.clear();
    rank_codes(of_one.pool.rows(), walk_of_one, of_one.effort);
    rank_codes(of_other.pool.rows(), walk_of_other, of_other.effort);
    return true;
  }

  ShortScan short_scan() const { return {simd_.walk, scan_codes_, reader_}; }

  // Ranks rows by their codes.
  void rank_codes(const std::vector<IndexHit>& rows, FastWalk& walk, SearchEffort& effort) const {
    effort.compare(rows.size(), records_.layout().row_code_bytes);
    constexpr size_t kAhead = 16;
    for (size_t i = 0; i < std::min(rows.size(), kAhead); ++i) prefetch_code(rows[i].row);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) prefetch_code(rows[i + kAhead].row);
      rank_code(rows[i].row, walk);
    }
  }

  void scan_codes_of_rows(const IndexSearch& search, FastWalk& walk) const {
    constexpr size_t kAhead = 16;
    uint32_t ahead[kAhead];
    size_t count = 0;
    search.allowed.for_each(rows(), [&](uint32_t row) {
      prefetch_code(row);
      uint32_t& place = ahead[count % kAhead];
      if (count >= kAhead) rank_code(place, walk);
      place = row;
      return ++count % 1024 != 0 || !is_set(search.cancelled);
    });
    for (size_t i = 0; i < std::min(count, kAhead); ++i) rank_code(ahead[i], walk);
  }

  void prefetch_code(uint32_t row) const {
    const uint8_t* const code = records_.record_of(row);
    for (size_t at = 0; at < records_.layout().row_code_bytes; at += 64) __builtin_prefetch(code + at);
  }
  void rank_code(uint32_t row, FastWalk& walk) const {
    const float rank = records_.row_code().rank(simd_.walk, walk.coded, records_.record_of(row));
    if (rank < kInfinity) walk.found.push_back({rank, row});
  }

  const ElanusSimd& simd_;
  // What the rows and the records are views of, when the index was opened.
  std::shared_ptr<const IndexFile> file_;
  StoredRows rows_;
  DenseRows view_;
  ScanCodes scan_codes_;
  FastRecords records_;
  float stretch_;
  RowReader reader_;
};

}  // namespace

bool is_valid_fast_graph(uint32_t m) { return fast_blocks(2 * m) <= kBlocksMax; }

std::unique_ptr<VectorIndex> make_fast_graph(const ElanusSimd& simd, StoredRows rows, ScanCodes scan_codes,
                                             FastRecords records, float stretch) {
  return std::make_unique<FastGraph>(simd, std::move(rows), std::move(scan_codes), std::move(records), stretch, nullptr);
}

FileFault open_fast_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                          std::unique_ptr<VectorIndex>* index) {
  FastRecordsHead head;
  FastRecords records;
  FileFault fault = read_fast_records(*file, &head, &records);
  if (fault.failed()) return fault;
  StoredRows rows(simd, head.vector_type(), head.vector_metric(), head.dim);
  fault = rows.read(*file, head.rows, vectors);
  if (fault.failed()) return fault;
  ScanCodes scan_codes(head.vector_metric());
  if (head.rows > 0) fault = ScanCodes::read(*file, head.vector_metric(), head.dim, head.rows, &scan_codes);
  if (fault.failed()) return fault;
  *index = std::make_unique<FastGraph>(simd, std::move(rows), std::move(scan_codes), std::move(records), head.walk_stretch(),
                                       std::move(file));
  return {};
}

}  // namespace elanus
