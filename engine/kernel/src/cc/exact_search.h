// A search as threads share it: slices of rows x groups of queries, claimed one after the other.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "elanus/kernel.h"
#include "scan.h"
#include "top_k.h"

namespace elanus {

// Whether the search is consistent with itself and every array as large as it must be.
ElanusStatus validate(const ElanusExactSearch& search);

class ExactSearchJob {
 public:
  // REQUIRES: validate(search) == ELANUS_OK. Copies the list of blocks; borrows all the rest until done.
  ExactSearchJob(const ElanusSimd& simd, const ElanusExactSearch& search, ElanusHits hits, ElanusDone done,
                 void* context);
  ExactSearchJob(const ExactSearchJob&) = delete;
  ExactSearchJob& operator=(const ExactSearchJob&) = delete;

  // Works on the job until nothing is left to claim or `must_yield` says so after a slice. Whoever completes the
  // job, or is the last to leave a failed one, calls `done`. Never throws.
  template <class MustYield>
  void work(Scanner& scanner, const MustYield& must_yield) noexcept;

  // Whether no further thread need come: every slice is claimed, or the job has failed.
  bool is_exhausted() const { return has_failed() || next_.load(std::memory_order_relaxed) >= slice_count(); }
  void cancel() { fail(ELANUS_CANCELLED); }
  size_t slice_count() const { return slices_.size() * groups_.size(); }
  // Whether one thread is done with all of it in a few milliseconds.
  bool is_short() const { return bytes_compared_ <= kShortBytes; }

 private:
  // Queries that are compared together, and what has been found for them.
  struct Group {
    uint32_t first_query = 0;
    uint32_t query_count = 0;
    size_t slices_done = 0;
    std::vector<TopK> top;
  };

  // At 10 GB/s.
  static constexpr size_t kShortBytes = size_t{48} << 20;

  void cut_into_groups();
  void make_groups_of_lists();
  void cut_into_slices();
  ElanusStatus open(Scanner& scanner, Group& group);
  void close(Scanner& scanner, Group& group, size_t slices_done);
  void write(Group& group);
  void fail(ElanusStatus status);
  bool has_failed() const { return status_.load(std::memory_order_relaxed) != ELANUS_OK; }
  bool enter();
  void leave();
  template <class MustYield>
  void claim_slices(Scanner& scanner, const MustYield& must_yield);

  const ElanusSimd& simd_;
  ElanusExactSearch search_;
  std::vector<ElanusBlock> blocks_;
  HitOrder order_;
  ElanusHits hits_;
  ElanusDone done_;
  void* context_;

  std::vector<Group> groups_;
  std::vector<RowRun> slices_;
  size_t bytes_compared_ = 0;
  // Group-major number of the next slice to claim.
  std::atomic<size_t> next_ = 0;
  std::atomic<int> status_ = ELANUS_OK;

  std::mutex mutex_;  // guards the groups' tops and the members below
  size_t groups_done_ = 0;
  size_t workers_ = 0;
  bool finished_ = false;
};

template <class MustYield>
void ExactSearchJob::work(Scanner& scanner, const MustYield& must_yield) noexcept {
  if (!enter()) return;
  try {
    claim_slices(scanner, must_yield);
  } catch (...) {
    // Only the allocator throws.
    fail(ELANUS_OUT_OF_MEMORY);
  }
  leave();
}

template <class MustYield>
void ExactSearchJob::claim_slices(Scanner& scanner, const MustYield& must_yield) {
  Group* group = nullptr;
  size_t slices_done = 0;
  const auto cancelled = [this] { return has_failed(); };
  while (!has_failed()) {
    const size_t claimed = next_.fetch_add(1, std::memory_order_relaxed);
    if (claimed >= slice_count()) break;
    Group* const claimed_group = &groups_[claimed / slices_.size()];
    if (claimed_group != group) {
      if (group != nullptr) close(scanner, *group, slices_done);
      group = claimed_group;
      slices_done = 0;
      const ElanusStatus status = open(scanner, *group);
      if (status != ELANUS_OK) return fail(status);
    }
    const ElanusStatus status = scanner.scan(slices_[claimed % slices_.size()], order_, cancelled);
    if (status != ELANUS_OK) return fail(status);
    ++slices_done;
    if (must_yield()) break;
  }
  if (group != nullptr && !has_failed()) close(scanner, *group, slices_done);
}

}  // namespace elanus
