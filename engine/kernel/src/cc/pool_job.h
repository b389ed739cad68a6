// Work that the threads of a pool share.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

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
  explicit Turn(const std::atomic<size_t>& active_jobs)
      : active_jobs_(active_jobs), ends_(std::chrono::steady_clock::now() + kLength) {}

  bool is_over() const {
    return active_jobs_.load(std::memory_order_relaxed) > 1 && std::chrono::steady_clock::now() >= ends_;
  }

 private:
  static constexpr std::chrono::milliseconds kLength{2};

  const std::atomic<size_t>& active_jobs_;
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
  // Ends the job soon. Idempotent.
  virtual void cancel() = 0;
};

}  // namespace elanus
