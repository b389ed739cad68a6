// The queries of one search of an index, as threads share them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "../pool_job.h"
#include "search_effort.h"
#include "vector_index.h"

namespace elanus {

// Whether the search is consistent with itself and fits the index. Sparse queries are looked at when it is their turn.
ElanusStatus validate(const VectorIndex& index, const ElanusIndexSearch& search);

class IndexSearchJob : public PoolJob {
 public:
  // REQUIRES: validate(*index, search) == ELANUS_OK. Borrows what the search points to until done.
  IndexSearchJob(const ElanusSimd& simd, std::shared_ptr<const VectorIndex> index, const ElanusIndexSearch& search,
                 ElanusIndexHits hits, ElanusDone done, void* context);

  void work(ThreadMemory& memory, const Turn& turn) noexcept override;
  bool is_exhausted() const override;
  size_t slice_count() const override { return search_.query_count; }
  // A walk takes about a tenth of a millisecond.
  bool is_short() const override { return search_.query_count <= 32; }
  void cancel() override { fail(ELANUS_CANCELLED); }

  // All of it, on this thread.
  void run(SearchScratch& scratch) noexcept;

 private:
  size_t search_next(SearchScratch& scratch, uint32_t threads);
  bool read_query(uint32_t query, IndexSearch* search) const;
  void note(const SearchEffort& effort);
  void keep(uint32_t query, const std::vector<IndexHit>& hits);
  bool enter();
  void leave(size_t queries_done);
  void fail(ElanusStatus status);
  bool has_failed() const { return status_.load(std::memory_order_relaxed) != ELANUS_OK; }

  std::shared_ptr<const VectorIndex> index_;
  ElanusIndexSearch search_;
  IndexSearch each_{};
  size_t query_bytes_;
  ElanusIndexHits hits_;
  ElanusDone done_;
  void* context_;

  // Cache lines of their own for what all threads write at each query, for what they look at while they search, and for what
  // is left: none of them waits for another's.
  alignas(64) std::atomic<uint32_t> next_ = 0;
  alignas(64) std::atomic<int> status_ = ELANUS_OK;
  std::atomic<bool> stop_ = false;  // what searches under way look at

  alignas(64) std::mutex mutex_;  // guards what follows
  size_t queries_done_ = 0;
  size_t workers_ = 0;
  bool finished_ = false;
};

}  // namespace elanus
