#include "sparse_search.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "../sparse.h"
#include "parallel.h"

namespace elanus {
namespace {

// With more terms the bounds, which have 16 bits, would tell too little.
constexpr size_t kBoundedTermsMax = 8192;
// Of so few allowed rows each is scored at once.
constexpr uint32_t kScoredRowsMax = 256;
constexpr uint32_t kBlocksBetweenChecks = 64;
constexpr uint32_t kBlocksAhead = 2;
constexpr uint32_t kBoundMax = 0xffff;

// What 1 / kSparseImpactMax of a term's maximum is at most worth, of BM25 with these parameters, when impacts were made
// with those; infinite when they say nothing. A quotient of sums of positive numbers is never more than the largest of
// the quotients of their members.
double growth_of(const ElanusBm25& built, const ElanusBm25& wanted) {
  const auto quotient = [](double a, double b) {
    if (b > 0) return a / b;
    return a > 0 ? std::numeric_limits<double>::infinity() : 1.0;
  };
  return std::max({1.0, quotient(built.k1 * (1 - built.b), wanted.k1 * (1 - wanted.b)),
                   quotient(built.k1 * built.b / built.average_length, wanted.k1 * wanted.b / wanted.average_length)});
}

class SparseSearch {
 public:
  SparseSearch(const ElanusSimd& simd, const SparsePostings& postings, const IndexSearch& search,
               SparseScratch& scratch)
      : loops_(simd.sparse), postings_(postings), search_(search), scratch_(scratch) {}
  ~SparseSearch() {
    for (const uint32_t id : scratch_.ids) scratch_.bits[id / 32] = 0;
    scratch_.ids.clear();
  }
  SparseSearch(const SparseSearch&) = delete;
  SparseSearch& operator=(const SparseSearch&) = delete;

  const std::vector<IndexHit>& run() {
    scratch_.hits.reset(search_.k, search_.range);
    scratch_.blocks_scored = 0;
    if (postings_.rows == 0 || !find_terms()) return scratch_.hits.sorted();
    const bool are_few = search_.allowed.count(postings_.rows) <= kScoredRowsMax;
    if (are_few || !make_multipliers())
      score_allowed();
    else
      score_best();
    return scratch_.hits.sorted();
  }

 private:
  // False when the index has none of the query's terms.
  bool find_terms() {
    const SparseVector query = {search_.query, search_.sparse.query_bytes / kSparsePairBytes};
    const bool is_bm25 = postings_.metric == ELANUS_BM25;
    const Bm25 bm25 = is_bm25 ? Bm25(search_.sparse.bm25) : Bm25();
    scratch_.ids.clear();
    scratch_.weights.clear();
    scratch_.terms.clear();
    scratch_.bits.resize(std::max(scratch_.bits.size(), (postings_.terms() + kSparseBitsSlack) / 32 + 1));
    for (size_t i = 0; i < query.pairs; ++i) {
      const SparsePair pair = sparse_pair_at(query, i);
      const uint32_t term = postings_.find(pair.dimension);
      // In a damaged file dimensions may ascend or not.
      if (term == postings_.terms() || (!scratch_.ids.empty() && term <= scratch_.ids.back())) continue;
      scratch_.ids.push_back(term);
      scratch_.weights.push_back(is_bm25 ? pair.value * bm25.gain() : pair.value);
    }
    scratch_.folded.fill(0);
    for (size_t i = 0; i < scratch_.ids.size(); ++i) {
      const uint32_t id = scratch_.ids[i];
      scratch_.bits[id / 32] |= 1u << id % 32;
      const uint32_t fold = id % kSparseFolds;
      scratch_.folded[fold / 16] |= static_cast<uint16_t>(1u << fold % 16);
      scratch_.places[fold] = static_cast<uint32_t>(i);
    }
    query_ = {scratch_.bits.data(),
              postings_.terms(),
              scratch_.folded.data(),
              scratch_.places.data(),
              scratch_.ids.data(),
              scratch_.weights.data(),
              static_cast<uint32_t>(scratch_.ids.size()),
              is_bm25,
              bm25.norm_base(),
              bm25.norm_slope()};
    return !scratch_.ids.empty();
  }

  // Chooses the unit of bounds, so that the sum of all terms fits. False when there can be none.
  bool make_multipliers() {
    const size_t count = scratch_.ids.size();
    if (count > kBoundedTermsMax) return false;
    const bool is_bm25 = postings_.metric == ELANUS_BM25;
    const double growth = is_bm25 ? growth_of(postings_.bm25, search_.sparse.bm25) : 1;
    const auto most_of = [&](size_t i) {
      return std::abs(static_cast<double>(scratch_.weights[i])) *
             static_cast<double>(postings_.maxima[scratch_.ids[i]]) * growth;
    };
    double sum = 0;
    double most = 0;
    for (size_t i = 0; i < count; ++i) {
      sum += most_of(i);
      most = std::max(most, most_of(i));
    }
    if (!std::isfinite(sum)) return false;
    // An impact is worth (impact * multiplier >> 8) + 1 units, of which the second is for what the shift drops.
    const auto terms = static_cast<double>(count);
    unit_ = std::max(sum / (kBoundMax - 2 * terms), most / (kSparseImpactMax * kSparseImpactMax));
    if (!(unit_ >= std::numeric_limits<double>::min())) return false;
    // Rounding to float32 on the way may bring a score so far above what it should be.
    unit_rounded_ = unit_ * (1 + (terms + 16) * 0x1p-22);
    lost_ = terms * 0x1p-140;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t id = scratch_.ids[i];
      const double multiplier = std::ceil(most_of(i) / unit_ * (256.0 / kSparseImpactMax));
      const uint32_t begin = std::min<uint32_t>(postings_.list_starts[id], lists_count());
      const uint32_t end = std::clamp<uint32_t>(postings_.list_starts[id + 1], begin, lists_count());
      scratch_.terms.push_back({postings_.lists.data() + begin, postings_.lists.data() + end,
                                static_cast<uint32_t>(std::clamp<double>(multiplier, 0, kBoundMax))});
    }
    return true;
  }

  uint32_t lists_count() const { return static_cast<uint32_t>(postings_.lists.size()); }

  // Blocks with a lower bound have nothing that is wanted; those with a bound of 0 have none of the terms.
  uint32_t lowest_wanted() const {
    const double score = -static_cast<double>(scratch_.hits.threshold()) - lost_;
    const double bound = std::ceil(score / unit_rounded_);
    return static_cast<uint32_t>(std::clamp<double>(bound, 1, kBoundMax + 1));
  }

  // In each chapter the blocks with the highest bounds first, until none can have a hit.
  void score_best() {
    scratch_.bounds.resize(kSparseChapterBlocks);
    for (uint32_t chapter = 0; chapter < postings_.chapters(); ++chapter) {
      if (is_set(search_.cancelled)) return;
      if (make_bounds(chapter)) score_chapter(chapter);
    }
  }

  // False when the chapter has none of the terms.
  bool make_bounds(uint32_t chapter) {
    uint16_t* const bounds = scratch_.bounds.data();
    std::fill_n(bounds, kSparseChapterBlocks, 0);
    bool has_any = false;
    for (SparseTerm& term : scratch_.terms) {
      while (term.list != term.lists_end && term.list->chapter < chapter) ++term.list;
      if (term.list == term.lists_end || term.list->chapter != chapter) continue;
      const SparseList& list = *term.list++;
      const uint64_t at = uint64_t{list.at} * kSparseListAlignment;
      if (at + list.bytes() > postings_.list_bytes.size()) continue;
      has_any = true;
      const uint8_t* const bytes = postings_.list_bytes.data() + at;
      if (list.has_all())
        loops_.add_all(bytes, term.multiplier, bounds);
      else
        loops_.add_list(reinterpret_cast<const uint16_t*>(bytes), bytes + list.blocks * sizeof(uint16_t), list.blocks,
                        term.multiplier, bounds);
    }
    if (has_any && !search_.allowed.are_all()) {
      for (uint32_t i = 0; i < kSparseChapterBlocks; ++i) {
        if (allowed_of(chapter * kSparseChapterBlocks + i) == 0) bounds[i] = 0;
      }
    }
    return has_any;
  }

  void score_chapter(uint32_t chapter) {
    constexpr uint32_t kGroups = kSparseChapterBlocks / kSparseGroupBlocks;
    static_assert(kGroups == kSparseGroupBlocks, "groups are searched as blocks are");
    uint16_t* const bounds = scratch_.bounds.data();
    SparsePeak peaks[kGroups];
    alignas(64) uint16_t highest[kGroups];
    for (uint32_t group = 0; group < kGroups; ++group) {
      peaks[group] = loops_.find_peak(bounds + group * kSparseGroupBlocks);
      highest[group] = static_cast<uint16_t>(peaks[group].bound);
    }
    // The block with the highest bound, which is then left out; of a bound of 0 when there is none that is wanted.
    const auto take = [&]() -> SparsePeak {
      const SparsePeak group = loops_.find_peak(highest);
      if (group.bound < lowest_wanted()) return {0, 0};
      const uint32_t block = group.at * kSparseGroupBlocks + peaks[group.at].at;
      bounds[block] = 0;
      peaks[group.at] = loops_.find_peak(bounds + group.at * kSparseGroupBlocks);
      highest[group.at] = static_cast<uint16_t>(peaks[group.at].bound);
      postings_.prefetch_block(chapter * kSparseChapterBlocks + block);
      return {group.bound, block};
    };
    // Each is asked for from memory while those before it are scored.
    SparsePeak ahead[kBlocksAhead];
    for (SparsePeak& block : ahead) block = take();
    for (uint32_t scored = 0;; ++scored) {
      SparsePeak& next = ahead[scored % kBlocksAhead];
      if (next.bound < lowest_wanted()) return;
      if (scored % kBlocksBetweenChecks == 0 && is_set(search_.cancelled)) return;
      const uint32_t block = next.at;
      next = take();
      score_block(chapter * kSparseChapterBlocks + block);
    }
  }

  void score_allowed() {
    uint32_t last = std::numeric_limits<uint32_t>::max();
    uint32_t scored = 0;
    search_.allowed.for_each(postings_.rows, [&](uint32_t row) {
      const uint32_t block = row / kSparseBlockRows;
      if (block == last) return true;
      last = block;
      score_block(block);
      return ++scored % kBlocksBetweenChecks != 0 || !is_set(search_.cancelled);
    });
  }

  // Which rows of a block are allowed.
  uint32_t allowed_of(uint32_t block) const { return search_.allowed.sixteen(block); }

  void score_block(uint32_t block) {
    SparseBlock rows;
    if (block >= postings_.blocks() || !postings_.read_block(block, &rows)) return;
    ++scratch_.blocks_scored;
    alignas(64) float scores[kSparseBlockRows];
    uint32_t found = loops_.score(rows, query_, scores) & allowed_of(block);
    for (; found != 0; found &= found - 1) {
      const auto lane = static_cast<uint32_t>(__builtin_ctz(found));
      const float rank = -scores[lane];
      const uint32_t row = block * static_cast<uint32_t>(kSparseBlockRows) + lane;
      if (rank <= scratch_.hits.threshold() && row < postings_.rows) scratch_.hits.offer({rank, row});
    }
  }

  const SparseLoops& loops_;
  const SparsePostings& postings_;
  const IndexSearch& search_;
  SparseScratch& scratch_;
  SparseTerms query_{};
  double unit_ = 0;
  double unit_rounded_ = 0;
  double lost_ = 0;
};

}  // namespace

const std::vector<IndexHit>& search_sparse(const ElanusSimd& simd, const SparsePostings& postings,
                                           const IndexSearch& search, SparseScratch& scratch) {
  return SparseSearch(simd, postings, search, scratch).run();
}

}  // namespace elanus
