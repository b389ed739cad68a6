#include "scan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "norms.h"

namespace elanus {
namespace {

// Rows that are copied share the second-level cache with the queries.
constexpr size_t kPackedBytes = 32 * 1024;
// Of a row that is about to be compared; the machine itself asks for the rest.
constexpr size_t kPrefetchedBytes = 4 * 1024;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// The largest float that, as a double, is less than `bound`; -infinity when there is none.
float largest_below(double bound) {
  const float near = static_cast<float>(bound);
  return static_cast<double>(near) < bound ? near : std::nextafter(near, -kInfinity);
}

// The smallest float that, as a double, is not less than `bound`.
float smallest_from(double bound) {
  const float near = static_cast<float>(bound);
  return static_cast<double>(near) >= bound ? near : std::nextafter(near, kInfinity);
}

ScoreTile float_loop(const FloatLoops& loops, ElanusMetric metric) {
  return metric == ELANUS_L2 ? loops.square_distance : loops.dot;
}

ScoreRun run_loop(const FloatLoops& loops, ElanusMetric metric) {
  return metric == ELANUS_L2 ? loops.square_distance_run : loops.dot_run;
}

ScoreTile integer_loop(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric) {
  if (type == ELANUS_INT8) return simd.int8.dot;
  return metric == ELANUS_HAMMING ? simd.bits.xor_count : simd.bits.and_count;
}

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Bytes from one prepared vector to the next: whole cache lines, and an odd number of them, so that the same
// dimension of several vectors does not fall into one set of the cache.
size_t stride_of(size_t bytes) { return (round_up(bytes, kQueryPadding) / kQueryPadding | 1) * kQueryPadding; }

const FloatLoops* float_loops(const ElanusSimd& simd, ElanusVectorType type) {
  switch (type) {
    case ELANUS_FLOAT32:
      return &simd.float32;
    case ELANUS_FLOAT16:
      return &simd.float16;
    case ELANUS_BFLOAT16:
      return &simd.bfloat16;
    default:
      return nullptr;
  }
}

// The first row from `row` on that is allowed, `end` if none is before it.
uint32_t next_allowed(const uint8_t* allowed, uint32_t row, uint32_t end) {
  if (allowed == nullptr) return row;
  const size_t bytes = (size_t{end} + 7) / 8;
  while (row < end) {
    const size_t at = row / 8;
    uint64_t bits = 0;
    if (at + sizeof bits <= bytes)
      std::memcpy(&bits, allowed + at, sizeof bits);
    else
      std::memcpy(&bits, allowed + at, bytes - at);
    bits >>= row % 8;
    if (bits != 0) return std::min(row + static_cast<uint32_t>(std::countr_zero(bits)), end);
    row = static_cast<uint32_t>(std::min<size_t>((at + sizeof bits) * 8, end));
  }
  return end;
}

}  // namespace

RankRange rank_range(const ElanusExactSearch& search) {
  const bool largest = largest_is_best(search.metric);
  const double outer = largest ? -search.outer : search.outer;
  const double inner = largest ? -search.inner : search.inner;
  return {inner == -std::numeric_limits<double>::infinity() ? -kInfinity : smallest_from(inner),
          outer == std::numeric_limits<double>::infinity() ? kInfinity : largest_below(outer)};
}

ElanusStatus Scanner::begin(const ElanusSimd& simd, const ElanusExactSearch& search, uint32_t first_query,
                            uint32_t query_count) {
  simd_ = &simd;
  search_ = &search;
  range_ = rank_range(search);
  query_count_ = query_count;
  screen_is_tried_ = false;
  if (top_.size() < query_count) top_.resize(query_count);
  if (search.query_lists != nullptr) {
    query_lists_ = search.query_lists + first_query;
    list_count_ = query_count;
    first_query = query_lists_[0];
    query_count_ = query_lists_[list_count_] - first_query;
    best_ranks_.resize(query_count_);
  }
  if (search.type == ELANUS_SPARSE) return prepare_sparse_queries(first_query);
  row_bytes_ = dense_bytes(search.type, search.dim);
  square_norm_ = square_norm_loop(simd, search.type);
  if (const FloatLoops* const loops = float_loops(simd, search.type); loops != nullptr) {
    score_in_place_ = float_loop(*loops, search.metric);
    score_packed_ = float_loop(simd.float32, search.metric);
    score_run_ = run_loop(*loops, search.metric);
    widen_ = loops->widen;
    query_stride_ = stride_of(search.dim * sizeof(float));
  } else {
    score_in_place_ = integer_loop(simd, search.type, search.metric);
    score_packed_ = score_in_place_;
    widen_ = nullptr;
    query_stride_ = stride_of(row_bytes_);
  }
  if (search.metric == ELANUS_MHJACCARD) min_hashes_ = MinHashes(search.min_hash, search.dim);
  scores_.resize(kPanelRows * query_count_);
  const size_t rows_in_cache = kPackedBytes / query_stride_ / kRowTile * kRowTile;
  panel_rows_ = is_packed() ? std::clamp(rows_in_cache, kRowTile, kPanelRows) : kPanelRows;
  if (is_packed()) packed_rows_.resize(panel_rows_ * query_stride_);
  prepare_queries(first_query);
  return ELANUS_OK;
}

ElanusStatus Scanner::prepare_sparse_queries(uint32_t first_query) {
  sparse_queries_.resize(query_count_);
  if (search_->metric == ELANUS_BM25) bm25_ = Bm25(search_->bm25);
  for (uint32_t q = 0; q < query_count_; ++q) {
    if (!sparse_vector_at(search_->queries, search_->queries_size, search_->query_offsets, first_query + q,
                          &sparse_queries_[q]))
      return ELANUS_CORRUPT_INPUT;
  }
  return ELANUS_OK;
}

// COSINE compares with the query brought to length 1, so that no intermediate result is larger than a row is long.
void Scanner::prepare_float_query(const uint8_t* from, float* to) {
  const size_t dim = search_->dim;
  widen_(from, dim, to);
  if (search_->metric != ELANUS_COSINE) return;
  const double scale = inverse_length(square_norm_(from, dim));
  for (size_t i = 0; i < dim; ++i) to[i] = scale == 0 ? 0 : static_cast<float>(static_cast<double>(to[i]) * scale);
}

void Scanner::prepare_queries(uint32_t first_query) {
  queries_.assign(query_stride_ * query_count_, 0);
  query_sums_.assign(query_count_, 0);
  query_norms_.assign(query_count_, 0);
  for (uint32_t q = 0; q < query_count_; ++q) {
    const uint8_t* from = search_->queries + (first_query + size_t{q}) * row_bytes_;
    uint8_t* to = queries_.data() + q * query_stride_;
    if (widen_ != nullptr) {
      prepare_float_query(from, reinterpret_cast<float*>(to));
      continue;
    }
    std::memcpy(to, from, row_bytes_);
    query_norms_[q] = square_norm_(from, search_->type == ELANUS_INT8 ? search_->dim : row_bytes_);
    if (search_->type != ELANUS_INT8) continue;
    if (search_->metric == ELANUS_COSINE) query_norms_[q] = inverse_length(query_norms_[q]);
    for (size_t i = 0; i < row_bytes_; ++i) query_sums_[q] += static_cast<int8_t>(from[i]);
  }
}

ElanusStatus Scanner::scan_dense(const RowRun& run, const HitOrder& order) {
  if (search_->metric == ELANUS_MHJACCARD) {
    scan_hashes(run, order);
    return ELANUS_OK;
  }
  if (search_->metric == ELANUS_HAMMING && query_count_ == 1 && search_->blocks[run.block].allowed == nullptr) {
    scan_bits(run, order);
    return ELANUS_OK;
  }
  const uint32_t coded = search_->blocks[run.block].codes.rows;
  const uint32_t first_uncoded = coded > run.begin && prepare_screen() ? std::min(coded, run.end) : run.begin;
  if (first_uncoded > run.begin) scan_codes({run.block, run.begin, first_uncoded}, order);
  const RowRun uncoded = {run.block, first_uncoded, run.end};
  if (first_uncoded == run.end) return ELANUS_OK;
  if (can_scan_floats(search_->blocks[run.block]))
    scan_floats(uncoded, order);
  else
    scan_rows(uncoded, order);
  return ELANUS_OK;
}

// Whether the queries can be screened. Made ready for them when the first codes are met.
bool Scanner::prepare_screen() {
  if (query_count_ > kScreenedQueriesMax) return false;
  if (!screen_is_tried_) {
    screen_is_tried_ = true;
    screen_.begin(*simd_, search_->metric, search_->dim, queries_.data(), query_stride_, query_count_);
    survivors_.assign(query_count_, {});
  }
  return screen_.is_ready();
}

// Reads codes, and of the rows themselves only those that the codes do not rule out.
void Scanner::scan_codes(const RowRun& run, const HitOrder& order) {
  const ElanusBlock& block = search_->blocks[run.block];
  const auto* const codes = reinterpret_cast<const uint8_t*>(block.codes.values);
  const size_t dim = search_->dim;
  size_t count = 0;
  const auto flush = [&](size_t rows) {
    std::fill(row_pointers_ + count, row_pointers_ + 2 * kPanelRows, row_pointers_[count - 1]);
    screen_panel(run.block, rows, order);
  };
  for (uint32_t row = next_allowed(block.allowed, run.begin, run.end); row < run.end;
       row = next_allowed(block.allowed, row + 1, run.end)) {
    row_ids_[count] = row;
    row_pointers_[count] = codes + row * dim;
    if (++count < 2 * kPanelRows) continue;
    flush(kPanelRows);
    std::copy_n(row_ids_ + kPanelRows, kPanelRows, row_ids_);
    std::copy_n(row_pointers_ + kPanelRows, kPanelRows, row_pointers_);
    count = kPanelRows;
  }
  while (count > 0) {
    const size_t rows = std::min(count, kPanelRows);
    flush(rows);
    count -= rows;
    std::copy_n(row_ids_ + rows, count, row_ids_);
    std::copy_n(row_pointers_ + rows, count, row_pointers_);
  }
  for (uint32_t q = 0; q < query_count_; ++q) compare_survivors(q, run.block, order);
}

void Scanner::screen_panel(uint32_t block, size_t count, const HitOrder& order) {
  const auto* const factors = reinterpret_cast<const CodeFactors*>(search_->blocks[block].codes.factors);
  for (size_t i = 0; i < count; ++i) code_factors_[i] = factors + row_ids_[i];
  screen_.score(row_pointers_, row_pointers_ + kPanelRows, round_up(count, kRowTile));
  for (uint32_t q = 0; q < query_count_; ++q) {
    Survivors& survivors = survivors_[q];
    const size_t kept = screen_.keep(q, top_[q].threshold(), code_factors_, count, kept_);
    for (size_t i = 0; i < kept; ++i) {
      const uint32_t row = row_ids_[kept_[i]];
      const uint8_t* const bytes = search_->blocks[block].bytes + row * row_bytes_;
      for (size_t at = 0; at < std::min(row_bytes_, kPrefetchedBytes); at += 64) __builtin_prefetch(bytes + at);
      survivors.ids[survivors.count++] = row;
      if (survivors.count == kRowTile) compare_survivors(q, block, order);
    }
  }
}

// Compares a query with the rows themselves that its screen has let pass.
void Scanner::compare_survivors(uint32_t query, uint32_t block, const HitOrder& order) {
  Survivors& survivors = survivors_[query];
  if (survivors.count == 0) return;
  const ElanusBlock& from = search_->blocks[block];
  const uint8_t* rows[kRowTile];
  for (size_t i = 0; i < kRowTile; ++i)
    rows[i] = from.bytes + survivors.ids[std::min(i, survivors.count - 1)] * row_bytes_;
  float* const scores = scores_.data() + query * kPanelRows;
  score_in_place_({.queries = queries_.data() + query * query_stride_,
                   .query_stride = query_stride_,
                   .query_count = 1,
                   .query_sums = nullptr,
                   .rows = rows,
                   .soon = rows,
                   .soon_bytes = 0,
                   .row_count = kRowTile,
                   .dim = search_->dim,
                   .scores = scores,
                   .score_stride = kPanelRows});
  load_row_factors(from, survivors.ids, rows, survivors.count);
  rank(query, scores, survivors.count);
  collect(query, block, survivors.ids, scores, survivors.count, order);
  survivors.count = 0;
}

void Scanner::scan_hashes(const RowRun& run, const HitOrder& order) {
  const ElanusBlock& block = search_->blocks[run.block];
  for (uint32_t row = next_allowed(block.allowed, run.begin, run.end); row < run.end;
       row = next_allowed(block.allowed, row + 1, run.end)) {
    for (uint32_t q = 0; q < query_count_; ++q) {
      const float rank =
          min_hashes_.rank(queries_.data() + q * query_stride_, block.bytes + size_t{row} * row_bytes_);
      if (rank < 0 && rank <= top_[q].threshold() && rank >= range_.lowest)
        top_[q].offer({rank, run.block, row}, order);
    }
  }
}

void Scanner::scan_rows(const RowRun& run, const HitOrder& order) {
  const ElanusBlock& block = search_->blocks[run.block];
  size_t count = 0;
  for (uint32_t row = next_allowed(block.allowed, run.begin, run.end); row < run.end;
       row = next_allowed(block.allowed, row + 1, run.end)) {
    row_ids_[count] = row;
    row_pointers_[count] = block.bytes + size_t{row} * row_bytes_;
    if (++count < 2 * panel_rows_) continue;
    score_panel(run.block, panel_rows_, order);
    drop_panel();
    count = panel_rows_;
  }
  if (count == 0) return;
  // Where there are no more rows the last is repeated.
  std::fill(row_pointers_ + count, row_pointers_ + 2 * panel_rows_, row_pointers_[count - 1]);
  score_panel(run.block, std::min(count, panel_rows_), order);
  if (count <= panel_rows_) return;
  drop_panel();
  score_panel(run.block, count - panel_rows_, order);
}

// Makes the next panel the first.
void Scanner::drop_panel() {
  std::copy_n(row_ids_ + panel_rows_, panel_rows_, row_ids_);
  std::copy_n(row_pointers_ + panel_rows_, panel_rows_, row_pointers_);
}

// Compares the first `count` rows of the panel with all queries.
void Scanner::score_panel(uint32_t block, size_t count, const HitOrder& order) {
  rank_panel(search_->blocks[block], count);
  for (uint32_t q = 0; q < query_count_; ++q)
    collect(q, block, row_ids_, scores_.data() + q * kPanelRows, count, order);
}

// Leaves the ranks of the first `count` rows of the panel in `scores_`.
void Scanner::rank_panel(const ElanusBlock& block, size_t count) {
  const size_t row_count = round_up(count, kRowTile);
  if (is_packed())
    score_packed(row_count);
  else
    score(score_in_place_, row_pointers_, row_pointers_ + kRowTile, row_count);
  load_row_factors(block, row_ids_, row_pointers_, count);
  for (uint32_t q = 0; q < query_count_; ++q) rank(q, scores_.data() + q * kPanelRows, count);
}

ElanusStatus Scanner::scan_lists(const RowRun& run, const HitOrder& order) {
  const ElanusBlock& block = search_->blocks[run.block];
  const size_t vectors = block.bytes_size / row_bytes_;
  for (uint32_t row = next_allowed(block.allowed, run.begin, run.end); row < run.end;
       row = next_allowed(block.allowed, row + 1, run.end)) {
    const uint32_t first = block.lists[row];
    const uint32_t end = block.lists[row + 1];
    if (first > end || end > vectors) return ELANUS_CORRUPT_INPUT;
    if (first == end) continue;
    find_best_ranks(block, first, end);
    offer_sums({0, run.block, row}, order);
  }
  return ELANUS_OK;
}

// Of each of the queries' vectors, among the vectors `first .. end` of the block.
void Scanner::find_best_ranks(const ElanusBlock& block, uint32_t first, uint32_t end) {
  std::fill(best_ranks_.begin(), best_ranks_.end(), kInfinity);
  while (first < end) {
    const size_t count = std::min<size_t>(end - first, panel_rows_);
    for (size_t i = 0; i < count; ++i) {
      row_ids_[i] = first + static_cast<uint32_t>(i);
      row_pointers_[i] = block.bytes + size_t{row_ids_[i]} * row_bytes_;
    }
    std::fill(row_pointers_ + count, row_pointers_ + 2 * panel_rows_, row_pointers_[count - 1]);
    rank_panel(block, count);
    for (uint32_t q = 0; q < query_count_; ++q) {
      const float* ranks = scores_.data() + q * kPanelRows;
      float best = best_ranks_[q];
      for (size_t i = 0; i < count; ++i) best = ranks[i] < best ? ranks[i] : best;
      best_ranks_[q] = best;
    }
    first += static_cast<uint32_t>(count);
  }
}

// Offers a row to each of the queries, by the sum of the best ranks of the query's vectors.
void Scanner::offer_sums(const Hit& row, const HitOrder& order) {
  for (uint32_t list = 0; list < list_count_; ++list) {
    double sum = 0;
    for (uint32_t v = query_lists_[list]; v < query_lists_[list + 1]; ++v)
      sum += static_cast<double>(best_ranks_[v - query_lists_[0]]);
    const float rank = static_cast<float>(sum);
    if (rank <= top_[list].threshold() && rank >= range_.lowest) top_[list].offer({rank, row.block, row.row}, order);
  }
}

void Scanner::score(ScoreTile score_tile, const uint8_t* const* rows, const uint8_t* const* soon, size_t row_count) {
  score_tile({.queries = queries_.data(),
              .query_stride = query_stride_,
              .query_count = query_count_,
              .query_sums = query_sums_.data(),
              .rows = rows,
              .soon = soon,
              .soon_bytes = row_bytes_,
              .row_count = row_count,
              .dim = search_->type == ELANUS_BINARY ? row_bytes_ : search_->dim,
              .scores = scores_.data(),
              .score_stride = kPanelRows});
}

// Many queries read each row many times: it is worth the while to copy it to cache lines of its own, widened.
void Scanner::score_packed(size_t row_count) {
  const uint8_t* packed[kPanelRows];
  for (size_t r = 0; r < row_count; ++r) {
    uint8_t* const row = packed_rows_.data() + r * query_stride_;
    pack(row_pointers_[r], row);
    packed[r] = row;
  }
  score(score_packed_, packed, row_pointers_ + panel_rows_, row_count);
}

void Scanner::pack(const uint8_t* row, uint8_t* out) {
  if (widen_ != nullptr)
    widen_(row, search_->dim, reinterpret_cast<float*>(out));
  else
    std::memcpy(out, row, row_bytes_);
}

// What the ranks depend on beside the tile's scores, one number a row.
void Scanner::load_row_factors(const ElanusBlock& block, const uint32_t* ids, const uint8_t* const* rows,
                               size_t count) {
  const bool cosine = search_->metric == ELANUS_COSINE;
  const bool squares = (search_->type == ELANUS_INT8 && search_->metric == ELANUS_L2) ||
                       search_->metric == ELANUS_JACCARD || search_->metric == ELANUS_SUPERSTRUCTURE;
  if (!cosine && !squares) return;
  const size_t dim = search_->type == ELANUS_BINARY ? row_bytes_ : search_->dim;
  for (size_t i = 0; i < count; ++i) {
    if (squares)
      row_factors_[i] = square_norm_(rows[i], dim);
    else if (block.inverse_norms != nullptr)
      row_factors_[i] = static_cast<double>(block.inverse_norms[ids[i]]);
    else
      row_factors_[i] = static_cast<double>(static_cast<float>(inverse_length(square_norm_(rows[i], dim))));
  }
}

// Turns the tile's scores of one query into ranks, in place. NaN leaves a row out.
void Scanner::rank(uint32_t query, float* scores, size_t count) {
  const double norm = widen_ != nullptr ? 0 : query_norms_[query];
  const auto each = [&](auto rank_of) {
    for (size_t i = 0; i < count; ++i) scores[i] = rank_of(scores[i], row_factors_[i]);
  };
  const auto each_integer = [&](auto rank_of) {
    for (size_t i = 0; i < count; ++i) {
      int32_t score;
      std::memcpy(&score, &scores[i], sizeof score);
      scores[i] = rank_of(static_cast<double>(score), row_factors_[i]);
    }
  };
  switch (search_->metric) {
    case ELANUS_L2:
      if (search_->type == ELANUS_INT8)
        each_integer([norm](double dot, double square) { return static_cast<float>(norm + square - 2 * dot); });
      return;
    case ELANUS_IP:
      if (search_->type == ELANUS_INT8)
        each_integer([](double dot, double) { return static_cast<float>(-dot); });
      else
        each([](float dot, double) { return -dot; });
      return;
    case ELANUS_COSINE:
      if (search_->type == ELANUS_INT8)
        each_integer([=](double dot, double inverse) { return -clamp_cosine(static_cast<float>(dot * norm * inverse)); });
      else
        each([=](float dot, double inverse) { return -clamp_cosine(dot * static_cast<float>(inverse)); });
      return;
    case ELANUS_HAMMING:
      each_integer([](double differing, double) { return static_cast<float>(differing); });
      return;
    case ELANUS_JACCARD:
      each_integer([norm](double both, double square) {
        const double either = norm + square - both;
        return either == 0 ? 0.0f : static_cast<float>(1 - both / either);
      });
      return;
    case ELANUS_SUBSTRUCTURE:
      each_integer([norm](double both, double) { return both == norm ? 0.0f : kNan; });
      return;
    case ELANUS_SUPERSTRUCTURE:
      each_integer([](double both, double square) { return both == square ? 0.0f : kNan; });
      return;
    case ELANUS_BM25:
    case ELANUS_MHJACCARD:
      return;  // such rows are ranked where they are scored
  }
}

void Scanner::collect(uint32_t query, uint32_t block, const uint32_t* ids, const float* ranks, size_t count,
                      const HitOrder& order) {
  TopK& top = top_[query];
  for (size_t first = 0; first < count; first += kRowTile) {
    // Most tiles have nothing for the k best, which eight comparisons without a branch find out.
    const float threshold = top.threshold();
    unsigned candidates = 0;
    for (size_t i = first; i < first + kRowTile; ++i) candidates += ranks[i] <= threshold;
    if (candidates == 0) continue;
    const size_t end = std::min(first + kRowTile, count);
    for (size_t i = first; i < end; ++i) {
      if (ranks[i] <= top.threshold() && ranks[i] >= range_.lowest) top.offer({ranks[i], block, ids[i]}, order);
    }
  }
}

ElanusStatus Scanner::scan_sparse(const RowRun& run, const HitOrder& order) {
  const ElanusBlock& block = search_->blocks[run.block];
  const bool is_bm25 = search_->metric == ELANUS_BM25;
  for (uint32_t row = next_allowed(block.allowed, run.begin, run.end); row < run.end;
       row = next_allowed(block.allowed, row + 1, run.end)) {
    SparseVector vector;
    if (!sparse_vector_at(block.bytes, block.bytes_size, block.offsets, row, &vector)) return ELANUS_CORRUPT_INPUT;
    const float length = is_bm25 ? sparse_sum(vector) : 0;
    for (uint32_t q = 0; q < query_count_; ++q) {
      const SparseVector& query = sparse_queries_[q];
      const float rank = -(is_bm25 ? sparse_bm25(query, vector, length, bm25_) : sparse_dot(query, vector));
      if (rank <= top_[q].threshold() && rank >= range_.lowest) top_[q].offer({rank, run.block, row}, order);
    }
  }
  return ELANUS_OK;
}

}  // namespace elanus
