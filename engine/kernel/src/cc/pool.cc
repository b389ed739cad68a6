#include "pool.h"

#include <chrono>
#include <map>
#include <system_error>
#include <thread>

namespace elanus {
namespace {

// How long a thread stays with one job while others wait.
constexpr std::chrono::milliseconds kTurn{2};

}  // namespace
}  // namespace elanus

using elanus::ExactSearchJob;

ElanusPool::ElanusPool(uint32_t threads) {
  // The pool lives as long as the process, so its threads need no one to wait for them.
  for (uint32_t i = 0; i < threads; ++i) {
    try {
      std::thread([this] { run(); }).detach();
    } catch (const std::system_error&) {
      // Fewer threads than asked for do the same work.
      if (i == 0) throw;
      return;
    }
  }
}

ElanusStatus ElanusPool::submit(std::shared_ptr<ExactSearchJob> job) {
  const bool one_thread_suffices = job->slice_count() <= 1;
  {
    const std::lock_guard lock(mutex_);
    if (active_.size() < kActiveMax) {
      active_.push_back(std::move(job));
      active_count_.store(active_.size(), std::memory_order_relaxed);
    } else if (waiting_.size() < kWaitingMax) {
      waiting_.push_back(std::move(job));
    } else {
      return ELANUS_OVERLOADED;
    }
  }
  if (one_thread_suffices)
    work_.notify_one();
  else
    work_.notify_all();
  return ELANUS_OK;
}

std::shared_ptr<ExactSearchJob> ElanusPool::next_job() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return !active_.empty(); });
  std::shared_ptr<ExactSearchJob> job = std::move(active_.front());
  active_.pop_front();
  if (job->slice_count() > 1 && !job->is_exhausted()) {
    active_.push_back(job);
  } else if (!waiting_.empty()) {
    active_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  active_count_.store(active_.size(), std::memory_order_relaxed);
  return job;
}

void ElanusPool::run() {
  elanus::Scanner scanner;
  for (;;) {
    const std::shared_ptr<ExactSearchJob> job = next_job();
    const auto turn_ends = std::chrono::steady_clock::now() + elanus::kTurn;
    job->work(scanner, [&] { return others_wait() && std::chrono::steady_clock::now() >= turn_ends; });
  }
}

extern "C" ElanusPool* elanus_pool_get(uint32_t threads) {
  static std::mutex mutex;
  // Never destroyed: threads may still use a pool while the process ends.
  static auto* const pools = new std::map<uint32_t, ElanusPool*>();
  const std::lock_guard lock(mutex);
  try {
    ElanusPool*& pool = (*pools)[threads];
    if (pool == nullptr) pool = new ElanusPool(threads);
    return pool;
  } catch (...) {
    return nullptr;
  }
}

struct ElanusJob {
  std::shared_ptr<ExactSearchJob> job;
};

extern "C" ElanusStatus elanus_exact_search_start(ElanusPool* pool, const ElanusSimd* simd,
                                                  const ElanusExactSearch* search, ElanusHits hits, ElanusDone done,
                                                  void* context, ElanusJob** job) {
  const ElanusStatus valid = elanus::validate(*search);
  if (valid != ELANUS_OK) return valid;
  try {
    auto shared = std::make_shared<ExactSearchJob>(*simd, *search, hits, done, context);
    auto handle = std::make_unique<ElanusJob>(ElanusJob{shared});
    const ElanusStatus submitted = pool->submit(std::move(shared));
    if (submitted == ELANUS_OK) *job = handle.release();
    return submitted;
  } catch (...) {
    // Only the allocator throws.
    return ELANUS_OUT_OF_MEMORY;
  }
}

extern "C" void elanus_job_cancel(ElanusJob* job) { job->job->cancel(); }

extern "C" void elanus_job_release(ElanusJob* job) { delete job; }
