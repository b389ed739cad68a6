// Threads that share the work of all searches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "exact_search.h"

struct ElanusPool {
 public:
  explicit ElanusPool(uint32_t threads);
  ElanusPool(const ElanusPool&) = delete;
  ElanusPool& operator=(const ElanusPool&) = delete;

  ElanusStatus submit(std::shared_ptr<elanus::ExactSearchJob> job);

 private:
  // Jobs beyond these wait their turn, so that the memory for hits of unfinished jobs stays bounded.
  static constexpr size_t kActiveMax = 64;
  static constexpr size_t kWaitingMax = 1 << 16;

  void run();
  std::shared_ptr<elanus::ExactSearchJob> next_job();
  bool others_wait() const { return active_count_.load(std::memory_order_relaxed) > 1; }

  std::mutex mutex_;
  std::condition_variable work_;
  // A ring: whoever takes a job from the front puts it back at the end for others to join.
  std::deque<std::shared_ptr<elanus::ExactSearchJob>> active_;
  std::deque<std::shared_ptr<elanus::ExactSearchJob>> waiting_;
  std::atomic<size_t> active_count_ = 0;
};
