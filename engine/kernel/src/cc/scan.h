// Compares a group of queries with a run of rows of one block, on one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "elanus/kernel.h"
#include "min_hash.h"
#include "screen.h"
#include "simd/simd.h"
#include "sparse.h"
#include "top_k.h"

namespace elanus {

// Which ranks are kept. The bounds of a search, turned into floats that decide exactly as the doubles would.
struct RankRange {
  float lowest;
  float highest;
};
RankRange rank_range(const ElanusExactSearch& search);

inline bool largest_is_best(ElanusMetric metric) {
  return metric == ELANUS_IP || metric == ELANUS_COSINE || metric == ELANUS_BM25 || metric == ELANUS_MHJACCARD;
}

// Rows of `search.blocks[block]` from `begin` up to `end`.
struct RowRun {
  uint32_t block;
  uint32_t begin;
  uint32_t end;
};

// One thread's working memory, kept from search to search.
class Scanner {
 public:
  // Makes ready for queries `first_query .. first_query + query_count` of `search`, which must outlive the scans.
  // Queries may be lists of vectors. Hits are collected in `top(0 .. query_count)`, which the caller resets.
  ElanusStatus begin(const ElanusSimd& simd, const ElanusExactSearch& search, uint32_t first_query,
                     uint32_t query_count);
  TopK& top(uint32_t query) { return top_[query]; }

  // Offers the allowed rows of the run to all queries. Stops early, without a complete result, when `cancelled`
  // says so; it is asked at least once per kRowsBetweenChecks rows.
  template <class Cancelled>
  ElanusStatus scan(const RowRun& run, const HitOrder& order, const Cancelled& cancelled) {
    for (uint32_t at = run.begin; at < run.end && !cancelled(); at += kRowsBetweenChecks) {
      const uint32_t rest = run.end - at;
      const RowRun part = {run.block, at, at + (rest < kRowsBetweenChecks ? rest : kRowsBetweenChecks)};
      const ElanusStatus status = search_->type == ELANUS_SPARSE      ? scan_sparse(part, order)
                                  : search_->query_lists != nullptr ? scan_lists(part, order)
                                                                    : scan_dense(part, order);
      if (status != ELANUS_OK) return status;
    }
    return ELANUS_OK;
  }

 private:
  static constexpr uint32_t kRowsBetweenChecks = 4096;
  // Rows that are scored before their scores are looked at, at most.
  static constexpr size_t kPanelRows = 96;
  // With more queries, comparing with the rows themselves costs less than what the screen spares.
  static constexpr uint32_t kScreenedQueriesMax = 12;
  // From this many queries on, rows are copied to cache lines of their own (and widened) before they are compared.
  static constexpr uint32_t kPackedQueriesMin = 13;

  void prepare_float_query(const uint8_t* from, float* to);
  void prepare_queries(uint32_t first_query);
  ElanusStatus prepare_sparse_queries(uint32_t first_query);
  ElanusStatus scan_dense(const RowRun& run, const HitOrder& order);
  void scan_rows(const RowRun& run, const HitOrder& order);
  void scan_codes(const RowRun& run, const HitOrder& order);
  void scan_bits(const RowRun& run, const HitOrder& order);
  bool can_scan_floats(const ElanusBlock& block) const;
  void scan_floats(const RowRun& run, const HitOrder& order);
  void rank_run(const ElanusBlock& block, uint32_t first, uint32_t stretch, uint32_t count);
  template <class RowOf>
  void offer_best(uint32_t block, size_t count, const RowOf& row_of, const HitOrder& order);
  void scan_hashes(const RowRun& run, const HitOrder& order);
  void screen_panel(uint32_t block, size_t count, const HitOrder& order);
  void compare_survivors(uint32_t query, uint32_t block, const HitOrder& order);
  bool prepare_screen();
  ElanusStatus scan_sparse(const RowRun& run, const HitOrder& order);
  ElanusStatus scan_lists(const RowRun& run, const HitOrder& order);
  void find_best_ranks(const ElanusBlock& block, uint32_t first, uint32_t end);
  void offer_sums(const Hit& row, const HitOrder& order);
  void score_panel(uint32_t block, size_t count, const HitOrder& order);
  void rank_panel(const ElanusBlock& block, size_t count);
  bool is_packed() const { return query_count_ >= kPackedQueriesMin; }
  void score(ScoreTile score_tile, const uint8_t* const* rows, const uint8_t* const* soon, size_t row_count);
  void score_packed(size_t row_count);
  void drop_panel();
  void pack(const uint8_t* row, uint8_t* out);
  void load_row_factors(const ElanusBlock& block, const uint32_t* ids, const uint8_t* const* rows, size_t count);
  void rank(uint32_t query, float* scores, size_t count);
  void collect(uint32_t query, uint32_t block, const uint32_t* ids, const float* ranks, size_t count,
               const HitOrder& order);

  const ElanusSimd* simd_ = nullptr;
  const ElanusExactSearch* search_ = nullptr;
  RankRange range_{};
  uint32_t query_count_ = 0;  // of queries that are lists: their vectors
  size_t row_bytes_ = 0;
  size_t panel_rows_ = 0;
  ScoreTile score_in_place_ = nullptr;
  ScoreTile score_packed_ = nullptr;
  ScoreRun score_run_ = nullptr;  // of floats
  SquareNorm square_norm_ = nullptr;
  Widen widen_ = nullptr;  // null when vectors are compared as they are

  // Rows that a query's screen has let pass and that are still to be compared.
  struct Survivors {
    size_t count = 0;
    uint32_t ids[kRowTile];
  };

  std::vector<TopK> top_;
  Screen screen_;
  bool screen_is_tried_ = false;
  std::vector<Survivors> survivors_;
  AlignedVector<uint8_t> queries_;
  size_t query_stride_ = 0;
  std::vector<int32_t> query_sums_;
  std::vector<double> query_norms_;  // squared; of COSINE over int8: inverse lengths
  std::vector<SparseVector> sparse_queries_;
  Bm25 bm25_;
  MinHashes min_hashes_;
  // Queries that are lists: where each begins and the last ends, and the best rank of each of their vectors.
  const uint32_t* query_lists_ = nullptr;
  uint32_t list_count_ = 0;
  std::vector<float> best_ranks_;

  // Of the rows of the panel, and of the panel after it.
  uint32_t row_ids_[2 * kPanelRows];
  const uint8_t* row_pointers_[2 * kPanelRows];
  double row_factors_[kPanelRows];
  const CodeFactors* code_factors_[kPanelRows];
  uint32_t kept_[kPanelRows + kFoundSlack];
  AlignedVector<uint8_t> packed_rows_;
  AlignedVector<float> scores_;
};

}  // namespace elanus
