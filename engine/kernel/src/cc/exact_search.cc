#include "exact_search.h"

#include <algorithm>
#include <cmath>

#include "min_hash.h"
#include "norms.h"

namespace elanus {
namespace {

// Queries of a group stay in the second-level cache beside the rows; their hits stay within a few MiB.
constexpr size_t kGroupBytes = 384 * 1024;
constexpr size_t kGroupQueriesMin = 8;
constexpr size_t kGroupQueriesMax = 128;
constexpr size_t kGroupHitsMax = size_t{1} << 17;
// Bytes of rows times queries in one slice: some hundred microseconds of work.
constexpr size_t kSliceBytes = size_t{1} << 22;
constexpr size_t kSliceRowsMin = 64;

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

bool is_metric_of(ElanusVectorType type, ElanusMetric metric) {
  switch (metric) {
    case ELANUS_IP:
      return type != ELANUS_BINARY;
    case ELANUS_L2:
    case ELANUS_COSINE:
      return type != ELANUS_BINARY && type != ELANUS_SPARSE;
    case ELANUS_HAMMING:
    case ELANUS_JACCARD:
    case ELANUS_SUBSTRUCTURE:
    case ELANUS_SUPERSTRUCTURE:
    case ELANUS_MHJACCARD:
      return type == ELANUS_BINARY;
    case ELANUS_BM25:
      return type == ELANUS_SPARSE;
  }
  return false;
}

bool is_dim_of(ElanusVectorType type, uint32_t dim) {
  if (type == ELANUS_SPARSE) return true;
  if (type == ELANUS_BINARY) return dim >= 8 && dim <= ELANUS_DIM_MAX && dim % 8 == 0;
  return dim >= 1 && dim <= ELANUS_INT8_DIM_MAX;
}

bool is_valid(const ElanusBlock& block, const ElanusExactSearch& search) {
  if (block.rows == 0) return true;
  if (search.type == ELANUS_SPARSE) {
    if (block.offsets == nullptr) return false;
  } else if (block.lists == nullptr && block.rows > block.bytes_size / dense_bytes(search.type, search.dim)) {
    return false;
  }
  if (block.codes.rows > block.rows || (block.codes.rows > 0 && search.type != ELANUS_FLOAT32)) return false;
  if ((block.lists == nullptr) != (search.query_lists == nullptr)) return false;
  if (search.key_type == ELANUS_KEY_INT64) return block.keys.int64_values != nullptr;
  return block.keys.varchar_offsets != nullptr;
}

// Query vectors that a row is compared with at a time, about.
size_t vectors_per_group(const ElanusExactSearch& search, size_t groups) {
  const size_t vectors = search.query_lists == nullptr ? search.query_count : search.query_lists[search.query_count];
  return std::max<size_t>(divide_up(vectors, groups), 1);
}

// Whether the queries are lists that lie one behind the other. What rows are is looked at when they are compared.
bool are_lists_valid(const ElanusExactSearch& search) {
  if (search.type == ELANUS_SPARSE || search.metric == ELANUS_SUBSTRUCTURE || search.metric == ELANUS_SUPERSTRUCTURE)
    return false;
  const uint32_t* const lists = search.query_lists;
  if (!std::is_sorted(lists, lists + search.query_count + 1)) return false;
  return lists[search.query_count] <= search.queries_size / dense_bytes(search.type, search.dim);
}

}  // namespace

ElanusStatus validate(const ElanusExactSearch& search) {
  const bool plausible = is_metric_of(search.type, search.metric) && is_dim_of(search.type, search.dim) &&
                         search.query_count <= ELANUS_QUERY_COUNT_MAX && search.k >= 1 &&
                         search.k <= ELANUS_K_MAX && !std::isnan(search.outer) && !std::isnan(search.inner);
  if (!plausible) return ELANUS_INVALID_ARGUMENT;
  if (search.metric == ELANUS_BM25 && !Bm25::is_valid(search.bm25)) return ELANUS_INVALID_ARGUMENT;
  if (search.metric == ELANUS_MHJACCARD &&
      (search.query_lists != nullptr || !is_valid_min_hash(search.min_hash, search.dim)))
    return ELANUS_INVALID_ARGUMENT;
  if (search.type == ELANUS_SPARSE) {
    if (search.query_count > 0 && search.query_offsets == nullptr) return ELANUS_INVALID_ARGUMENT;
  } else if (search.query_lists != nullptr) {
    if (!are_lists_valid(search)) return ELANUS_INVALID_ARGUMENT;
  } else if (search.query_count > search.queries_size / dense_bytes(search.type, search.dim)) {
    return ELANUS_INVALID_ARGUMENT;
  }
  const bool blocks_valid = std::all_of(search.blocks, search.blocks + search.block_count,
                                        [&](const ElanusBlock& block) { return is_valid(block, search); });
  return blocks_valid ? ELANUS_OK : ELANUS_INVALID_ARGUMENT;
}

ExactSearchJob::ExactSearchJob(const ElanusSimd& simd, const ElanusExactSearch& search, ElanusHits hits,
                               ElanusDone done, void* context)
    : simd_(simd),
      search_(search),
      blocks_(search.blocks, search.blocks + search.block_count),
      order_(blocks_.data(), search.key_type),
      hits_(hits),
      done_(done),
      context_(context) {
  search_.blocks = blocks_.data();
  std::fill_n(hits_.counts, search_.query_count, 0);
  cut_into_groups();
  cut_into_slices();
}

// Each list is a group: its vectors are as many as single queries that are compared together.
void ExactSearchJob::make_groups_of_lists() {
  groups_ = std::vector<Group>(search_.query_count);
  for (uint32_t q = 0; q < search_.query_count; ++q) {
    groups_[q].first_query = q;
    groups_[q].query_count = 1;
  }
}

void ExactSearchJob::cut_into_groups() {
  if (search_.query_lists != nullptr) return make_groups_of_lists();
  const size_t query_bytes = search_.type == ELANUS_SPARSE ? 4096 : dense_bytes(search_.type, search_.dim);
  const size_t by_cache = std::clamp(kGroupBytes / query_bytes, kGroupQueriesMin, kGroupQueriesMax);
  const size_t queries_max = std::clamp(kGroupHitsMax / search_.k, kGroupQueriesMin, by_cache);
  const size_t group_count = divide_up(search_.query_count, queries_max);
  groups_ = std::vector<Group>(group_count);
  for (size_t g = 0; g < group_count; ++g) {
    const size_t first = search_.query_count * g / group_count;
    const size_t end = search_.query_count * (g + 1) / group_count;
    groups_[g].first_query = static_cast<uint32_t>(first);
    groups_[g].query_count = static_cast<uint32_t>(end - first);
  }
}

void ExactSearchJob::cut_into_slices() {
  if (groups_.empty()) return;
  for (uint32_t b = 0; b < search_.block_count; ++b) {
    const ElanusBlock& block = search_.blocks[b];
    if (block.rows == 0) continue;
    const size_t row_bytes = search_.type == ELANUS_SPARSE ? block.bytes_size / block.rows + 1
                             : search_.query_lists != nullptr ? block.bytes_size / block.rows + 1
                             : block.codes.rows == block.rows ? search_.dim
                                                              : dense_bytes(search_.type, search_.dim);
    const size_t group_vectors = vectors_per_group(search_, groups_.size());
    bytes_compared_ += size_t{block.rows} * row_bytes * group_vectors * groups_.size();
    const size_t slice_rows = std::max(kSliceBytes / row_bytes / group_vectors,
                                       search_.query_lists != nullptr ? 1 : kSliceRowsMin);
    const size_t slice_count = divide_up(block.rows, slice_rows);
    for (size_t s = 0; s < slice_count; ++s) {
      slices_.push_back({b, static_cast<uint32_t>(size_t{block.rows} * s / slice_count),
                         static_cast<uint32_t>(size_t{block.rows} * (s + 1) / slice_count)});
    }
  }
}

bool ExactSearchJob::enter() {
  const std::lock_guard lock(mutex_);
  if (finished_) return false;
  ++workers_;
  return true;
}

void ExactSearchJob::leave() {
  {
    const std::lock_guard lock(mutex_);
    --workers_;
    if (finished_) return;
    const bool complete = slice_count() == 0 || groups_done_ == groups_.size();
    if (!complete && !(has_failed() && workers_ == 0)) return;
    // A cancellation that comes after the last hit was written changes nothing.
    if (complete) status_.store(ELANUS_OK, std::memory_order_relaxed);
    finished_ = true;
  }
  done_(context_, static_cast<ElanusStatus>(status_.load(std::memory_order_relaxed)));
}

void ExactSearchJob::fail(ElanusStatus status) {
  int expected = ELANUS_OK;
  status_.compare_exchange_strong(expected, status, std::memory_order_relaxed);
}

ElanusStatus ExactSearchJob::open(Scanner& scanner, Group& group) {
  const ElanusStatus status = scanner.begin(simd_, search_, group.first_query, group.query_count);
  if (status != ELANUS_OK) return status;
  const float highest = rank_range(search_).highest;
  const std::lock_guard lock(mutex_);
  for (uint32_t q = 0; q < group.query_count; ++q)
    scanner.top(q).reset(search_.k, group.top.empty() ? highest : group.top[q].threshold());
  return ELANUS_OK;
}

void ExactSearchJob::close(Scanner& scanner, Group& group, size_t slices_done) {
  const std::lock_guard lock(mutex_);
  if (group.top.empty()) {
    group.top.resize(group.query_count);
    const float highest = rank_range(search_).highest;
    for (TopK& top : group.top) top.reset(search_.k, highest);
  }
  for (uint32_t q = 0; q < group.query_count; ++q) {
    group.top[q].merge(scanner.top(q), order_);
    group.top[q].tighten(order_);
  }
  group.slices_done += slices_done;
  if (group.slices_done < slices_.size()) return;
  write(group);
  group.top = std::vector<TopK>();
  ++groups_done_;
}

void ExactSearchJob::write(Group& group) {
  const float sign = largest_is_best(search_.metric) ? -1 : 1;
  for (uint32_t q = 0; q < group.query_count; ++q) {
    const std::vector<Hit>& hits = group.top[q].sorted(order_);
    const size_t query = group.first_query + size_t{q};
    hits_.counts[query] = static_cast<uint32_t>(hits.size());
    for (size_t i = 0; i < hits.size(); ++i) {
      const size_t at = query * search_.k + i;
      hits_.blocks[at] = hits[i].block;
      hits_.rows[at] = hits[i].row;
      hits_.scores[at] = sign * hits[i].rank + 0.0f;  // no negative zero
    }
  }
}

}  // namespace elanus

extern "C" ElanusStatus elanus_exact_search_run(const ElanusSimd* simd, const ElanusExactSearch* search,
                                                ElanusHits hits) {
  const ElanusStatus valid = elanus::validate(*search);
  if (valid != ELANUS_OK) return valid;
  try {
    thread_local elanus::Scanner scanner;
    ElanusStatus outcome = ELANUS_OK;
    const ElanusDone done = [](void* context, ElanusStatus status) { *static_cast<ElanusStatus*>(context) = status; };
    elanus::ExactSearchJob job(*simd, *search, hits, done, &outcome);
    job.work(scanner, [] { return false; });
    return outcome;
  } catch (...) {
    // Only the allocator throws.
    return ELANUS_OUT_OF_MEMORY;
  }
}
