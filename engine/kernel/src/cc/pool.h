// Threads that share the work of all searches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "elanus/kernel.h"
#include "pool_job.h"

struct ElanusPool {
 public:
  explicit ElanusPool(uint32_t threads);
  ElanusPool(const ElanusPool&) = delete;
  ElanusPool& operator=(const ElanusPool&) = delete;

  ElanusStatus submit(std::shared_ptr<elanus::PoolJob> job);

 private:
  // Jobs beyond these wait their turn, so that the memory for hits of unfinished jobs stays bounded.
  static constexpr size_t kActiveMax = 64;
  static constexpr size_t kWaitingMax = 1 << 16;

  struct Taken {
    std::shared_ptr<elanus::PoolJob> job;
    bool is_alone;  // nobody can join
  };

  void run();
  Taken next_job();
  void give_back(std::shared_ptr<elanus::PoolJob> job, bool is_exhausted);
  void admit_waiting();

  const uint32_t threads_;
  std::mutex mutex_;
  std::condition_variable work_;
  // A ring: whoever takes a job from the front puts it back at the end for others to join.
  std::deque<std::shared_ptr<elanus::PoolJob>> active_;
  std::deque<std::shared_ptr<elanus::PoolJob>> waiting_;
  std::atomic<size_t> active_count_ = 0;
};

// A caller's hold on a job that was submitted.
struct ElanusJob {
  std::shared_ptr<elanus::PoolJob> job;
};

namespace elanus {

// Submits a job and gives the caller a hold on it.
inline ElanusStatus submit(ElanusPool* pool, std::shared_ptr<PoolJob> work, ElanusJob** job) {
  auto handle = std::make_unique<ElanusJob>(ElanusJob{work});
  const ElanusStatus submitted = pool->submit(std::move(work));
  if (submitted == ELANUS_OK) *job = handle.release();
  return submitted;
}

}  // namespace elanus
