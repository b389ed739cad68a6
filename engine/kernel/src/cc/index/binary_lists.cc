#include "binary_lists.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "bit_means.h"
#include "bit_ranks.h"
#include "huge_array.h"
#include "least_bound.h"
#include "near_lists.h"
#include "parallel.h"
#include "random.h"
#include "search_scratch.h"
#include "spread.h"

namespace elanus {
namespace {

// Of a list, from which its centre is learnt.
constexpr uint32_t kLearntRowsPerList = 256;
constexpr uint32_t kIterations = 10;
// Rows that are compared before the cancel flag and the hits are looked at.
constexpr size_t kRowsAtOnce = 1024;
// Of a build's time, about, what learning takes.
constexpr float kLearntAt = 0.4f;
constexpr uint64_t kLearntSeed = 0xb175;
constexpr uint64_t kTriedSeed = 0x7719;
// Rows in the role of queries, and the nearest lists of each, by which it is learnt how near the best row of a list is.
constexpr size_t kTriedQueries = 256;
constexpr size_t kTriedLists = 8;
// A list's best row is hardly ever nearer than usual by more standard deviations than these. Who looks through few lists
// misses more in those behind them than by passing over one of them, and reckons with less: of one list with
// kShareDeviationsMin, and with a quarter more whenever the number doubles.
constexpr float kShareDeviations = 2;
constexpr float kShareDeviationsMin = 0.5f;

// Centres of so many bytes, which stay in the second-level cache, stand side by side in memory, too: half the work.
constexpr size_t kArrangedBytesMax = 1 << 20;

constexpr char kHeadSection[] = "binary lists";
constexpr char kCentresSection[] = "centres";
constexpr char kStartsSection[] = "list starts";
constexpr char kRowsSection[] = "list rows";
constexpr char kVectorsSection[] = "list vectors";
constexpr char kBitsSetSection[] = "bits set";
constexpr char kBestShareSection[] = "best share";
constexpr char kShareDeviationSection[] = "share deviation";

// What the head section holds.
struct Head {
  uint32_t metric;
  uint32_t dim;
  uint32_t rows;
  uint32_t lists;
};

struct BinaryScratch : LayoutScratch {
  BitRanks compare;
  NearLists near;
  float ranks[kRowsAtOnce + kRowTile];
  uint32_t near_rows[kRowsAtOnce + kFoundSlack];
};

struct Lists {
  Head head{};
  HugeArray<uint8_t> centres;
  AlignedVector<uint32_t> arranged_centres;  // by HAMMING, unless they are too many; not in files
  HugeArray<uint32_t> starts;  // one more than there are lists: the first of each among `rows`
  HugeArray<uint32_t> rows;    // by list, ascending
  HugeArray<uint8_t> vectors;  // of those
  HugeArray<uint32_t> bits_set;  // JACCARD only: of each vector, then of each centre
  float best_share = 0;  // of the rank of a centre: what its list's best row hardly ever is below
  float share_deviation = 0;  // of those of all lists
  std::shared_ptr<const IndexFile> file;

  size_t row_bytes() const { return head.dim / 8; }
  size_t memory_bytes() const {
    return centres.bytes() + 4 * arranged_centres.size() + starts.bytes() + rows.bytes() + vectors.bytes() + bits_set.bytes();
  }
  const uint8_t* vectors_from(size_t at) const { return vectors.data() + at * row_bytes(); }
  // For a search through so many lists; 0 where nothing is passed over.
  float best_share_in(uint32_t probes) const {
    if (best_share == 0 || probes >= head.lists) return 0;
    const float deviations = std::min(kShareDeviationsMin + std::log2(static_cast<float>(probes)) / 4, kShareDeviations);
    return best_share + (kShareDeviations - deviations) * share_deviation;
  }
  const uint32_t* bits_of_row(size_t at) const { return bits_set.size() == 0 ? nullptr : bits_set.data() + at; }

  // REQUIRES: the head and the centres are there.
  void arrange_centres() {
    if (head.metric == ELANUS_HAMMING && centres.bytes() <= kArrangedBytesMax)
      arranged_centres = arrange_bits(centres.data(), row_bytes(), head.lists);
  }

  // Of all centres, for the query that `compare` is ready for.
  void rank_centres(const BitRanks& compare, NearLists& near) const {
    float* const ranks = near.ranks(head.lists);
    if (!arranged_centres.empty()) return compare.rank_arranged(arranged_centres.data(), head.lists, ranks);
    compare.rank(centres.data(), bits_of_row(head.rows), head.lists, ranks, centres.data());
  }
};

class BinaryLists : public VectorIndex {
 public:
  BinaryLists(const ElanusSimd& simd, Lists lists) : simd_(simd), lists_(std::move(lists)) {}

  uint32_t rows() const override { return lists_.head.rows; }
  ElanusVectorType type() const override { return ELANUS_BINARY; }
  ElanusMetric metric() const override { return static_cast<ElanusMetric>(lists_.head.metric); }
  uint32_t dim() const override { return lists_.head.dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_BINARY_LISTS; }
  size_t memory_bytes() const override { return lists_.memory_bytes(); }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override;

  void write(IndexFileWriter& writer, VectorPlace) const override {
    writer.add(kHeadSection, &lists_.head, 1);
    writer.add(kCentresSection, lists_.centres.data(), lists_.centres.size());
    writer.add(kStartsSection, lists_.starts.data(), lists_.starts.size());
    writer.add(kRowsSection, lists_.rows.data(), lists_.rows.size());
    writer.add(kVectorsSection, lists_.vectors.data(), lists_.vectors.size());
    if (metric() == ELANUS_JACCARD) writer.add(kBitsSetSection, lists_.bits_set.data(), lists_.bits_set.size());
    writer.add(kBestShareSection, &lists_.best_share, 1);
    writer.add(kShareDeviationSection, &lists_.share_deviation, 1);
  }
  IndexKind kind() const override { return IndexKind::kBinaryLists; }
  const IndexFile* file() const override { return lists_.file.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override;

 private:
  bool scan_list(uint32_t list, uint32_t next, const IndexSearch& search, BinaryScratch& scratch,
                 HitCollector& hits) const;
  bool offer(size_t first, size_t count, size_t stretch, const IndexSearch& search, BinaryScratch& scratch,
             HitCollector& hits) const;

  const ElanusSimd& simd_;
  const Lists lists_;
};

// Offers the allowed rows of a list. Whether there was any within the range. `next` is the list that will be compared next.
bool BinaryLists::scan_list(uint32_t list, uint32_t next, const IndexSearch& search, BinaryScratch& scratch,
                            HitCollector& hits) const {
  const BitRanks& compare = scratch.compare;
  const auto end_of = [this](uint32_t of) { return std::min(lists_.starts[of + 1], rows()); };
  const auto here_of = [](size_t first, size_t end) { return first < end ? std::min(end - first, kRowsAtOnce) : 0; };
  const size_t end = end_of(list);
  bool has_hit = false;
  for (size_t first = lists_.starts[list]; first < end && !is_set(search.cancelled); first += kRowsAtOnce) {
    const size_t here = here_of(first, end);
    const uint8_t* const vectors = lists_.vectors_from(first);
    const bool goes_on = first + here < end;
    const size_t then_first = goes_on ? first + here : lists_.starts[next];
    const uint8_t* const then = lists_.vectors_from(then_first);
    const size_t stretch = compare.stretch_of(here);
    const size_t in_stretches = stretch * kRowTile;
    if (stretch > 0) {
      const size_t then_stretch = compare.stretch_of(here_of(then_first, goes_on ? end : end_of(next)));
      compare.rank_stretches(vectors, stretch, scratch.ranks, then, then_stretch);
    }
    compare.rank(lists_.vectors_from(first + in_stretches), lists_.bits_of_row(first + in_stretches), here - in_stretches,
                 scratch.ranks + in_stretches, then);
    has_hit |= offer(first, here, stretch, search, scratch, hits);
  }
  return has_hit;
}

// The rows from position `first` on, whose ranks are there: first those of stretches of so many rows.
bool BinaryLists::offer(size_t first, size_t count, size_t stretch, const IndexSearch& search, BinaryScratch& scratch,
                        HitCollector& hits) const {
  const float* const ranks = scratch.ranks;
  uint32_t* const near = scratch.near_rows;
  float threshold = hits.threshold();
  // While there is none, the best of these rows make one.
  if (hits.size() < search.k && search.allowed.are_all() && !search.skips())
    threshold = std::min(threshold, least_bound(ranks, count, search.k));
  const size_t near_count = simd_.bits.find_at_most(ranks, count, threshold, near);
  const auto row_at = [&](size_t i) -> const uint32_t& {
    const size_t at = near[i];
    return lists_.rows[first + (at < stretch * kRowTile ? at % kRowTile * stretch + at / kRowTile : at)];
  };
  for (size_t i = 0; i < near_count; ++i) __builtin_prefetch(&row_at(i));
  bool has_hit = false;
  for (size_t i = 0; i < near_count; ++i) {
    const float rank = ranks[near[i]];
    if (rank > hits.threshold()) continue;
    const IndexHit hit = {rank, row_at(i)};
    if (hit.row >= rows() || !search.allowed.has(hit.row)) continue;
    has_hit |= search.range.has(hit);
    hits.offer(hit);
  }
  return has_hit;
}

const std::vector<IndexHit>& BinaryLists::search(const IndexSearch& search, SearchScratch& scratch) const {
  if (scratch.binary == nullptr) scratch.binary = std::make_unique<BinaryScratch>();
  auto& own = static_cast<BinaryScratch&>(*scratch.binary);
  NearLists& near = own.near;
  HitCollector& hits = scratch.hits;
  hits.reset(search.k, search.range);
  own.compare.begin(simd_, metric(), dim(), search.query);
  const uint32_t lists = lists_.head.lists;
  const uint32_t probes = std::clamp(search.lists.least, 1u, lists);
  const uint32_t probes_max = std::clamp(search.lists.most, probes, lists);
  // Who wants every list wants every row.
  const float best_share = lists_.best_share_in(probes);
  lists_.rank_centres(own.compare, near);
  near.begin(simd_, probes);
  scratch.effort.compare(lists, lists_.row_bytes());
  uint32_t empty = 0;
  for (uint32_t i = 0; i < probes_max && !is_set(search.cancelled); ++i) {
    const bool is_over = hits.size() >= search.k || (search.lists.empty_max > 0 && empty >= search.lists.empty_max);
    if (i >= probes && is_over) break;
    if (i == probes) near.go_on(simd_);
    const IndexHit list = near.take();
    // Nor has any list behind it a hit that is better than those there are. Within a radius alone nothing is passed over.
    if (hits.size() >= search.k && list.rank * best_share > hits.threshold()) break;
    const uint32_t next = near.left() > 0 ? near.peek().row : list.row;
    empty = scan_list(list.row, next, search, own, hits) ? 0 : empty + 1;
    const uint64_t compared = std::max(lists_.starts[list.row + 1], lists_.starts[list.row]) - lists_.starts[list.row];
    scratch.effort.walk(compared, 0);
    scratch.effort.compare(compared, lists_.row_bytes());
  }
  return hits.sorted();
}

bool BinaryLists::links_are_sound(const std::atomic<bool>* cancelled) const {
  std::vector<bool> seen(rows());
  for (uint32_t list = 0; list < lists_.head.lists; ++list) {
    const uint32_t end = lists_.starts[list + 1];
    if (is_set(cancelled) || lists_.starts[list] > end || end > rows()) return false;
    for (uint32_t at = lists_.starts[list]; at < end; ++at) {
      const uint32_t row = lists_.rows[at];
      if (row >= rows() || seen[row]) return false;
      seen[row] = true;
    }
  }
  return lists_.starts[lists_.head.lists] == rows();
}

std::vector<uint8_t> learn_centres(const ElanusSimd& simd, const DenseRows& rows, const BitMeansOptions& options) {
  const std::vector<uint32_t> chosen = sample_numbers(rows.rows, size_t{options.clusters} * kLearntRowsPerList,
                                                      seed_of_part(options.seed, kLearntSeed));
  std::vector<uint8_t> sample(chosen.size() * rows.stride);
  for (size_t i = 0; i < chosen.size(); ++i)
    std::memcpy(sample.data() + i * rows.stride, rows.at(chosen[i]), rows.stride);
  return bit_means(simd, sample.data(), chosen.size(), rows.dim, options);
}

// Of the shares of a centre's rank that the best row of its list is at.
Spread learn_shares(const ElanusSimd& simd, const Lists& lists, const ElanusIndexBuild& build) {
  BitRanks compare;
  NearLists near;
  std::vector<float> ranks;
  Spread shares;
  for (const uint32_t tried : sample_numbers(lists.head.rows, kTriedQueries, seed_of_part(build.seed, kTriedSeed))) {
    const uint8_t* const query = lists.vectors.data() + tried * lists.row_bytes();
    compare.begin(simd, build.metric, build.dim, query);
    lists.rank_centres(compare, near);
    near.begin(simd, kTriedLists);
    while (near.left() > 0) {
      const IndexHit list = near.take();
      const uint32_t first = lists.starts[list.row];
      const uint32_t size = lists.starts[list.row + 1] - first;
      ranks.resize(size + kRowTile);
      compare.rank(lists.vectors_from(first), lists.bits_of_row(first), size, ranks.data(), query);
      float best = std::numeric_limits<float>::infinity();
      // The query is none of its hits.
      for (uint32_t i = 0; i < size; ++i) best = first + i == tried ? best : std::min(best, ranks[i]);
      shares.add(static_cast<double>(best) / static_cast<double>(list.rank));
    }
  }
  return shares;
}

}  // namespace

bool is_valid_binary_lists(const ElanusIndexBuild& build) {
  return build.type == ELANUS_BINARY && (build.metric == ELANUS_HAMMING || build.metric == ELANUS_JACCARD) &&
         build.dim % 8 == 0 && build.dim <= ELANUS_DIM_MAX && build.spec.lists >= 1 && build.spec.lists <= ELANUS_LISTS_MAX;
}

std::unique_ptr<VectorIndex> build_binary_lists(const ElanusSimd& simd, const StoredRows& stored,
                                                const ElanusIndexBuild& build, WorkControl* control) {
  const std::atomic<bool>* const cancelled = &control->cancelled;
  const uint32_t rows = stored.rows();
  const DenseRows vectors = stored.view(rows);
  const size_t bytes = build.dim / 8;
  const uint32_t wanted = std::min(build.spec.lists, std::max(rows / kListRowsMin, 1u));
  const BitMeansOptions options = {build.metric, wanted, kIterations, build.seed, build.threads, cancelled};
  std::vector<uint8_t> centres(wanted * bytes);
  if (rows > 0) centres = learn_centres(simd, vectors, options);
  control->done.store(kLearntAt, std::memory_order_relaxed);
  std::vector<uint32_t> nearest(rows);
  std::vector<float> ranks(rows);
  find_nearest_centres(simd, centres, vectors, options, nearest.data(), ranks.data());
  if (is_set(cancelled)) return nullptr;

  Lists lists;
  lists.head = {static_cast<uint32_t>(build.metric), build.dim, rows, wanted};
  lists.centres.resize(centres.size());
  std::memcpy(lists.centres.data(), centres.data(), centres.size());
  lists.arrange_centres();
  lists.starts.resize(wanted + size_t{1});
  for (const uint32_t list : nearest) ++lists.starts[list + 1];
  std::partial_sum(lists.starts.data(), lists.starts.data() + wanted + 1, lists.starts.data());
  lists.rows.resize(rows);
  lists.vectors.resize(rows * bytes);
  std::vector<uint32_t> next(lists.starts.data(), lists.starts.data() + wanted);
  for (uint32_t row = 0; row < rows; ++row) {
    const uint32_t at = next[nearest[row]]++;
    lists.rows[at] = row;
    std::memcpy(lists.vectors.data() + at * bytes, vectors.at(row), bytes);
  }
  if (build.metric == ELANUS_JACCARD) {
    lists.bits_set.resize(size_t{rows} + wanted);
    count_bits(simd, build.dim, lists.vectors.data(), rows, lists.bits_set.data());
    count_bits(simd, build.dim, lists.centres.data(), wanted, lists.bits_set.data() + rows);
  }
  const Spread shares = learn_shares(simd, lists, build);
  lists.share_deviation = static_cast<float>(shares.deviation());
  lists.best_share = std::max(0.0f, static_cast<float>(shares.mean()) - kShareDeviations * lists.share_deviation);
  control->done.store(1, std::memory_order_relaxed);
  return std::make_unique<BinaryLists>(simd, std::move(lists));
}

FileFault open_binary_lists(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                            std::unique_ptr<VectorIndex>* index) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || (head->metric != ELANUS_HAMMING && head->metric != ELANUS_JACCARD) || head->dim == 0 ||
      head->dim % 8 != 0 || head->dim > ELANUS_DIM_MAX || head->rows > ELANUS_INDEX_ROWS_MAX || head->lists == 0 ||
      head->lists > ELANUS_LISTS_MAX)
    return file->damaged("it does not say what it is an index of");
  Lists lists;
  lists.head = *head;
  const size_t bytes = lists.row_bytes();
  const auto borrow = [&](const char* name, size_t count, auto* array) {
    using Array = std::remove_pointer_t<decltype(array)>;
    using Number = std::remove_reference_t<decltype((*array)[0])>;
    const Number* const values = file->array<Number>(name, count);
    if (values == nullptr) return false;
    *array = Array::borrow(values, count);
    return true;
  };
  const bool has_all = borrow(kCentresSection, head->lists * bytes, &lists.centres) &&
                       borrow(kStartsSection, size_t{head->lists} + 1, &lists.starts) &&
                       borrow(kRowsSection, head->rows, &lists.rows) &&
                       borrow(kVectorsSection, head->rows * bytes, &lists.vectors) &&
                       (head->metric != ELANUS_JACCARD ||
                        borrow(kBitsSetSection, size_t{head->rows} + head->lists, &lists.bits_set));
  if (!has_all) return file->damaged("it has not the rows and lists that it must");
  lists.arrange_centres();
  // Files of before have none: no list is passed over.
  if (file->section(kBestShareSection) != nullptr) {
    const float* const share = file->array<float>(kBestShareSection, 1);
    if (share == nullptr) return file->damaged("it does not say how near the rows of its lists are");
    lists.best_share = *share >= 0 && *share <= 1 ? *share : 0;
  }
  // Nor have those of a time between: they reckon with what hardly ever is, however few lists are looked through.
  if (file->section(kShareDeviationSection) != nullptr) {
    const float* const deviation = file->array<float>(kShareDeviationSection, 1);
    if (deviation == nullptr) return file->damaged("it does not say how much the rows of its lists differ");
    lists.share_deviation = *deviation >= 0 && *deviation <= 1 ? *deviation : 0;
  }
  lists.file = std::move(file);
  *index = std::make_unique<BinaryLists>(simd, std::move(lists));
  return {};
}

}  // namespace elanus
