#include "index_search_job.h"

#include <algorithm>
#include <cmath>

#include "../norms.h"
#include "../sparse.h"

namespace elanus {
namespace {

// While fewer queries are left for each other thread, one is taken at a time, so that all have something to do.
constexpr uint32_t kLeftForEachOther = 4;

HitRange range_of(const ElanusIndexSearch& search, ElanusMetric metric) {
  ElanusExactSearch bounds{};
  bounds.metric = metric;
  bounds.outer = search.outer;
  bounds.inner = search.inner;
  const RankRange ranks = rank_range(bounds);
  return {ranks.lowest, ranks.highest};
}

}  // namespace

ElanusStatus validate(const VectorIndex& index, const ElanusIndexSearch& search) {
  const bool plausible = search.query_count <= ELANUS_QUERY_COUNT_MAX && search.k >= 1 && search.k <= ELANUS_K_MAX &&
                         !std::isnan(search.outer) && !std::isnan(search.inner) && search.refine_k >= 1 &&
                         search.way >= ELANUS_WAY_CHEAPEST && search.way <= ELANUS_WAY_VECTORS &&
                         search.query_bits <= ELANUS_QUERY_BITS_MAX;
  if (!plausible) return ELANUS_INVALID_ARGUMENT;
  if (index.type() == ELANUS_SPARSE) {
    const bool has_scoring = index.metric() != ELANUS_BM25 || Bm25::is_valid(search.bm25);
    return has_scoring && search.query_offsets != nullptr ? ELANUS_OK : ELANUS_INVALID_ARGUMENT;
  }
  if (search.query_count > search.queries_size / dense_bytes(index.type(), index.dim())) return ELANUS_INVALID_ARGUMENT;
  return ELANUS_OK;
}

IndexSearchJob::IndexSearchJob(const ElanusSimd& simd, std::shared_ptr<const VectorIndex> index,
                               const ElanusIndexSearch& search, ElanusIndexHits hits, ElanusDone done, void* context)
    : index_(std::move(index)),
      search_(search),
      query_bytes_(index_->type() == ELANUS_SPARSE ? 0 : dense_bytes(index_->type(), index_->dim())),
      hits_(hits),
      done_(done),
      context_(context) {
  each_.k = search.k;
  each_.ef = std::max({search.ef, search.k, 1u});
  each_.refine_k = search.refine_k;
  each_.range = range_of(search, index_->metric());
  each_.cancelled = &stop_;
  each_.sparse.bm25 = search.bm25;
  each_.lists = {std::max(search.probes, 1u), std::max({search.probes, search.probes_max, 1u}), search.empty_lists_max,
                 search.query_bits};
  each_.by_share = search.by_share != 0;
  each_.way = static_cast<Way>(search.way);
  if (search.allowed != nullptr) {
    const uint64_t bits = uint64_t{search.allowed_size} * 8;
    each_.allowed = AllowedRows(simd, search.allowed, static_cast<uint32_t>(std::min<uint64_t>(index_->rows(), bits)));
  }
  std::fill_n(hits_.counts, search.query_count, 0);
}

bool IndexSearchJob::is_exhausted() const {
  return has_failed() || next_.load(std::memory_order_relaxed) >= search_.query_count;
}

void IndexSearchJob::fail(ElanusStatus status) {
  int expected = ELANUS_OK;
  status_.compare_exchange_strong(expected, status, std::memory_order_relaxed);
  stop_.store(true, std::memory_order_relaxed);
}

// False when it is none.
bool IndexSearchJob::read_query(uint32_t query, IndexSearch* search) const {
  if (index_->type() != ELANUS_SPARSE) {
    search->query = search_.queries + query * query_bytes_;
    return true;
  }
  SparseVector vector;
  if (!sparse_vector_at(search_.queries, search_.queries_size, search_.query_offsets, query, &vector) ||
      !is_sound(vector))
    return false;
  search->query = vector.bytes;
  search->sparse.query_bytes = vector.pairs * kSparsePairBytes;
  return true;
}

// Searches with the next query, or with two while there are enough for all `threads`. Returns how many are done.
size_t IndexSearchJob::search_next(SearchScratch& scratch, uint32_t threads) {
  const uint64_t left_for_others = uint64_t{kLeftForEachOther} * (threads - 1);
  const bool takes_two = next_.load(std::memory_order_relaxed) + left_for_others < search_.query_count;
  const uint32_t query = next_.fetch_add(takes_two ? 2 : 1, std::memory_order_relaxed);
  if (query >= search_.query_count) return 0;
  const bool has_two = takes_two && query + 1 < search_.query_count;
  IndexSearch one = each_;
  IndexSearch other = each_;
  if (!read_query(query, &one) || (has_two && !read_query(query + 1, &other))) {
    fail(ELANUS_CORRUPT_INPUT);
    return 0;
  }
  scratch.effort = {};
  if (!has_two) {
    const std::vector<IndexHit>& hits = index_->search(one, scratch);
    if (has_failed()) return 0;
    keep(query, hits);
    note(scratch.effort);
    return 1;
  }
  SearchScratch& second = scratch.of_second();
  second.effort = {};
  const HitsOfBoth hits = index_->search_both(one, other, scratch, second);
  if (has_failed()) return 0;
  keep(query, hits.one);
  keep(query + 1, hits.other);
  note(scratch.effort);
  note(second.effort);
  return 2;
}

void IndexSearchJob::note(const SearchEffort& effort) {
  if (search_.effort == nullptr) return;
  const std::lock_guard lock(mutex_);
  search_.effort->visited += effort.visited;
  search_.effort->distances += effort.distances;
  search_.effort->bytes += effort.bytes;
  search_.effort->scans += effort.scans;
}

void IndexSearchJob::keep(uint32_t query, const std::vector<IndexHit>& hits) {
  const float sign = largest_is_best(index_->metric()) ? -1 : 1;
  hits_.counts[query] = static_cast<uint32_t>(hits.size());
  for (size_t i = 0; i < hits.size(); ++i) {
    const size_t at = size_t{query} * search_.k + i;
    hits_.rows[at] = hits[i].row;
    hits_.scores[at] = sign * hits[i].rank + 0.0f;  // no negative zero
  }
}

void IndexSearchJob::work(ThreadMemory& memory, const Turn& turn) noexcept {
  if (!enter()) return;
  size_t done = 0;
  try {
    while (!has_failed()) {
      const size_t searched = search_next(memory.scratch, turn.threads);
      done += searched;
      if (searched == 0 || turn.is_over()) break;
    }
  } catch (...) {
    // Only the allocator throws.
    fail(ELANUS_OUT_OF_MEMORY);
  }
  leave(done);
}

void IndexSearchJob::run(SearchScratch& scratch) noexcept {
  if (!enter()) return;
  size_t done = 0;
  try {
    while (const size_t searched = search_next(scratch, 1)) done += searched;
  } catch (...) {
    fail(ELANUS_OUT_OF_MEMORY);
  }
  leave(done);
}

bool IndexSearchJob::enter() {
  const std::lock_guard lock(mutex_);
  if (finished_) return false;
  ++workers_;
  return true;
}

void IndexSearchJob::leave(size_t queries_done) {
  {
    const std::lock_guard lock(mutex_);
    --workers_;
    queries_done_ += queries_done;
    if (finished_) return;
    const bool complete = queries_done_ == search_.query_count;
    if (!complete && !(has_failed() && workers_ == 0)) return;
    // A cancellation that comes after the last hit was written changes nothing.
    if (complete) status_.store(ELANUS_OK, std::memory_order_relaxed);
    finished_ = true;
  }
  done_(context_, static_cast<ElanusStatus>(status_.load(std::memory_order_relaxed)));
}

}  // namespace elanus
