#include "fast_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compact_graph.h"
#include "fast_records_file.h"
#include "fast_walk.h"
#include "find_nearest.h"
#include "found_ranker.h"
#include "scan_hits.h"
#include "search_scratch.h"

namespace elanus {
namespace {

// The records of longer lists would take more memory than the vectors many times over.
constexpr uint32_t kBlocksMax = 16;
// How much longer the next walk is when the one before has found too few hits behind those that do not count.
constexpr uint64_t kWiden = 4;
// What a step of a walk costs for each cache line of a record, as kScannedLineCost; and the steps that lead to the query.
constexpr double kStepLineCost = 9;
constexpr double kFirstSteps = 20;
// What a scan of row codes costs for each row, however short its code: they stand a record apart.
constexpr double kRecordCost = 12;
// Each of them is somewhere else in memory, and nothing beside it is read. Vectors of so few lines, which stand side by
// side, are gone through in two thirds of the time, and tell what no code does. Of few rows so are longer ones: the best by
// their codes would be compared by their vectors, too, and all of them in a crowd.
constexpr size_t kShortVectorBytes = 640;
// A scan finds more than a walk of the same `ef`, which knows of most rows by estimates only.
constexpr double kShortScanShare = 0.7;
// A walk is tried where it may take so small a part of the scan's time, and goes on where so many of the rows are allowed
// that it meets.
constexpr double kTriedShare = 0.5;
constexpr double kMostlyAllowed = 0.5;
// The fewer rows are allowed, the more often each is met before the walk stands on it.
constexpr double kShareExponent = 1.5;

struct FastScratch : LayoutScratch {
  FastWalk walk;

  static FastScratch& of(SearchScratch& scratch) {
    if (scratch.fast == nullptr) scratch.fast = std::make_unique<FastScratch>();
    return static_cast<FastScratch&>(*scratch.fast);
  }
};

// Compares with the codes of rows, each in the row's record.
struct RecordScorer {
  const WalkLoops& loops;
  const FastRecords& records;
  const CodedQuery& query;

  double lines() const { return static_cast<double>(records.layout().row_code_bytes) / 64; }
  float unit() const { return 1; }
  void prefetch(uint32_t row) const {
    const uint8_t* const code = records.record_of(row);
    for (size_t at = 0; at < records.layout().row_code_bytes; at += 64) __builtin_prefetch(code + at);
  }
  void score(const uint32_t* rows, size_t count, float* ranks) const {
    for (size_t i = 0; i < count; ++i) ranks[i] = records.row_code().rank(loops, query, records.record_of(rows[i]));
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
    bool is_prepared = false;
    for (uint64_t ef = std::max(search.ef, search.k);; ef *= kWiden) {
      if (2 * ef >= allowed || search.way == Way::kVectors) return scan_exactly(view_, search, scratch);
      if (!is_prepared) prepare(search.query, FastScratch::of(scratch).walk);
      is_prepared = true;
      const Looked looked = look(search, static_cast<uint32_t>(ef), scratch);
      // Beside rows that are no numbers even a scan of codes may end before it has k rows.
      if (looked.found < std::min(search.k, allowed)) return scan_exactly(view_, search, scratch);
      const bool has_all = !skips || scratch.hits.size() >= search.k || looked.highest > search.range.highest;
      if (has_all || is_set(search.cancelled)) return scratch.hits.sorted();
    }
  }

  HitsOfBoth search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                         SearchScratch& of_other) const override {
    const uint32_t ef = std::max(one.ef, one.k);
    const uint32_t allowed = one.allowed.count(rows());
    if (!one.skips() && 2 * uint64_t{ef} < allowed && one.way != Way::kVectors) {
      Looked looked[2];
      if (look_for_both({&one, &other}, ef, {&of_one, &of_other}, &looked) &&
          std::min(looked[0].found, looked[1].found) >= std::min(one.k, allowed))
        return {of_one.hits.sorted(), of_other.hits.sorted()};
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

  struct Plan {
    Way way;
    uint32_t room;  // of a walk, and how long it should be
    double steps;
    bool tries_walk = false;  // though a scan seems to be shorter: where the rows near the query are allowed it is not
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
    if (search.way != Way::kCheapest) return {search.way, room, steps};
    if (steps * step_cost < std::min(long_cost, short_cost)) return {Way::kWalk, room, steps};
    const double shortest = kPatience * (kFirstSteps + room);
    const bool tries_walk = shortest * step_cost < kTriedShare * std::min(long_cost, short_cost);
    if (short_cost < long_cost) return {Way::kShortScan, room, shortest, tries_walk};
    const bool takes_vectors = view_.stride <= kShortVectorBytes || are_few(view_, search, ef);
    return {takes_vectors ? Way::kVectors : Way::kLongScan, room, shortest, tries_walk};
  }

  // Offers the best of the allowed rows to `scratch.hits`, by a walk or a scan, whichever is shorter.
  Looked look(const IndexSearch& search, uint32_t ef, SearchScratch& scratch) const {
    FastWalk& walk = FastScratch::of(scratch).walk;
    const Plan plan = plan_of(search, ef);
    if (plan.tries_walk && walk_where_allowed(search, plan, walk)) {
      note_walk(walk, scratch.effort);
      return rank_walked(search, ef, scratch);
    }
    if (plan.way == Way::kVectors) {
      scan_exactly(view_, search, scratch);
      return {search.allowed.count(rows()), std::numeric_limits<float>::infinity()};
    }
    if (plan.way == Way::kWalk) {
      const bool has_ended = walk_by_plan(search, plan, walk);
      note_walk(walk, scratch.effort);
      // In a crowd of copies a walk may come to an end before it has k rows.
      const bool counts = has_ended || search.way == Way::kWalk;
      if (counts && walk.found.size() >= std::min(search.k, search.allowed.count(rows())))
        return rank_walked(search, ef, scratch);
    }
    const ShortScan scan = short_scan();
    const RecordScorer scorer = {simd_.walk, records_, walk.coded};
    HitScan hits(view_, &scan, scorer, search, ef, scratch);
    return plan.way == Way::kLongScan ? hits.by_long_codes() : hits.by_short_codes();
  }

  // Ranks what a walk has found by the vectors.
  Looked rank_walked(const IndexSearch& search, uint32_t ef, SearchScratch& scratch) const {
    std::vector<IndexHit>& found = FastScratch::of(scratch).walk.found;
    scratch.hits.reset(search.k, search.range);
    FoundRanker ranker(view_, scratch, found);
    if (search.skips())
      ranker.rank_first(ef);
    else
      ranker.rank_best(search.k);
    return {found.size(), ranker.highest()};
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
    const bool may_give_up = search.way != Way::kWalk;
    const FilteredWalk limits = {plan.room, may_give_up ? kPatience * plan.steps : rows(),
                                 may_give_up ? kLuckMin * share : 0};
    return walk_fast_filtered(simd_.walk, records_, search.allowed, limits, search.cancelled, &walk);
  }

  // A walk that goes on only where most of what it meets is allowed. Whether it has come to its end.
  bool walk_where_allowed(const IndexSearch& search, const Plan& plan, FastWalk& walk) const {
    const FilteredWalk limits = {plan.room, plan.steps, kMostlyAllowed};
    return walk_fast_filtered(simd_.walk, records_, search.allowed, limits, search.cancelled, &walk) &&
           walk.found.size() >= search.k;
  }

  // Like `look`, for two searches at once. False when they are better made one after the other.
  bool look_for_both(const IndexSearch* const (&searches)[2], uint32_t ef, SearchScratch* const (&scratches)[2],
                     Looked (*looked)[2]) const {
    const IndexSearch& search = *searches[0];
    FastWalk* const walks[] = {&FastScratch::of(*scratches[0]).walk, &FastScratch::of(*scratches[1]).walk};
    const Plan plan = plan_of(search, ef);
    const bool is_walk = plan.way == Way::kWalk && search.allowed.are_all();
    if (plan.tries_walk || (!is_walk && plan.way != Way::kShortScan)) return false;
    for (size_t i = 0; i < 2; ++i) prepare(searches[i]->query, *walks[i]);
    const ShortScan scan = short_scan();
    if (is_walk)
      walk_fast_both(simd_.walk, records_, plan.room, search.cancelled, walks[0], walks[1]);
    else
      scan_short_both(scan, search, *searches[1], rows(), ef, *scratches[0], *scratches[1]);
    for (size_t i = 0; i < 2; ++i) {
      SearchScratch& scratch = *scratches[i];
      scratch.exact.begin(simd_, view_.type, rows_.metric(), view_.dim, searches[i]->query);
      if (is_walk) {
        note_walk(*walks[i], scratch.effort);
        (*looked)[i] = rank_walked(*searches[i], ef, scratch);
      } else {
        const RecordScorer scorer = {simd_.walk, records_, walks[i]->coded};
        (*looked)[i] = HitScan(view_, &scan, scorer, *searches[i], ef, scratch).from_pool();
      }
    }
    return true;
  }

  ShortScan short_scan() const { return {simd_.walk, scan_codes_, reader_}; }

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
