// Work that the threads of a pool share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "index/search_scratch.h"
#include "scan.h"

namespace elanus {

// One thread's working memory, kept from job to job.
struct ThreadMemory {
  Scanner scanner;
  SearchScratch scratch;
};

// How long a thread stays with one job while others wait.
class Turn {
 public:
  // `own`: how many of the active jobs are the thread's own. `threads`: how many the pool has.
  Turn(const std::atomic<size_t>& active_jobs, size_t own, uint32_t threads)
      : threads(threads),
        active_jobs_(active_jobs),
        own_(own),
        ends_(std::chrono::steady_clock::now() + kLength) {}

  const uint32_t threads;

  bool is_over() const {
    return active_jobs_.load(std::memory_order_relaxed) > own_ && std::chrono::steady_clock::now() >= ends_;
  }

 private:
  static constexpr std::chrono::milliseconds kLength{2};

  const std::atomic<size_t>& active_jobs_;
  size_t own_;
  std::chrono::steady_clock::time_point ends_;
};

class PoolJob {
 public:
  virtual ~PoolJob() = default;

  // Works until nothing is left to claim, or the turn is over after some claim.
  virtual void work(ThreadMemory& memory, const Turn& turn) noexcept = 0;
  // Whether no further thread need come.
  virtual bool is_exhausted() const = 0;
  // Parts that threads can work on at the same time.
  virtual size_t slice_count() const = 0;
  // Whether one thread is done with all of it in a few milliseconds.
  virtual bool is_short() const = 0;
  // Ends the job soon. Idempotent.
  virtual void cancel() = 0;
};

}  // namespace elanus
