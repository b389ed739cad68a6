#include "pool.h"

#include <map>
#include <system_error>
#include <thread>

#include "build_at_work.h"
#include "exact_search.h"

using elanus::PoolJob;

ElanusPool::ElanusPool(uint32_t threads) : threads_(threads) {
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

namespace {

// Two threads for it would be sooner done, and take the last processor from a build, for as long as searches come.
bool is_for_one_thread(const PoolJob& job) {
  return job.slice_count() <= 1 || (elanus::BuildAtWork::any() && job.is_short());
}

}  // namespace

ElanusStatus ElanusPool::submit(std::shared_ptr<PoolJob> job) {
  const bool one_thread_suffices = is_for_one_thread(*job);
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

ElanusPool::Taken ElanusPool::next_job() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return !active_.empty(); });
  std::shared_ptr<PoolJob> job = std::move(active_.front());
  active_.pop_front();
  const bool is_shared = job->slice_count() > 1 && !job->is_exhausted();
  const bool is_alone = is_shared && is_for_one_thread(*job);
  if (is_shared && !is_alone) active_.push_back(job);
  if (!is_shared) admit_waiting();
  active_count_.store(active_.size(), std::memory_order_relaxed);
  return {std::move(job), is_alone};
}

// What one thread had to itself, and was exhausted or not when it left.
void ElanusPool::give_back(std::shared_ptr<PoolJob> job, bool is_exhausted) {
  {
    const std::lock_guard lock(mutex_);
    if (is_exhausted)
      admit_waiting();
    else
      active_.push_back(std::move(job));
    active_count_.store(active_.size(), std::memory_order_relaxed);
  }
  work_.notify_one();
}

// REQUIRES: a job has left, and mutex_ is held.
void ElanusPool::admit_waiting() {
  if (waiting_.empty()) return;
  active_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
}

void ElanusPool::run() {
  elanus::ThreadMemory memory;
  for (;;) {
    Taken taken = next_job();
    const elanus::Turn turn(active_count_, taken.is_alone ? 0 : 1, threads_);
    taken.job->work(memory, turn);
    if (!taken.is_alone) continue;
    const bool is_exhausted = taken.job->is_exhausted();
    // If it was cancelled between the two lines above, it has not ended: the last to leave it ends it, and nobody else
    // will come. To a job that has ended one can come in vain.
    if (is_exhausted) taken.job->work(memory, turn);
    give_back(std::move(taken.job), is_exhausted);
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

namespace elanus {
namespace {

class PooledExactSearch : public PoolJob {
 public:
  PooledExactSearch(const ElanusSimd& simd, const ElanusExactSearch& search, ElanusHits hits, ElanusDone done,
                    void* context)
      : job_(simd, search, hits, done, context) {}

  void work(ThreadMemory& memory, const Turn& turn) noexcept override {
    job_.work(memory.scanner, [&turn] { return turn.is_over(); });
  }
  bool is_exhausted() const override { return job_.is_exhausted(); }
  size_t slice_count() const override { return job_.slice_count(); }
  bool is_short() const override { return job_.is_short(); }
  void cancel() override { job_.cancel(); }

 private:
  ExactSearchJob job_;
};

}  // namespace
}  // namespace elanus

extern "C" ElanusStatus elanus_exact_search_start(ElanusPool* pool, const ElanusSimd* simd,
                                                  const ElanusExactSearch* search, ElanusHits hits, ElanusDone done,
                                                  void* context, ElanusJob** job) {
  const ElanusStatus valid = elanus::validate(*search);
  if (valid != ELANUS_OK) return valid;
  try {
    return elanus::submit(pool, std::make_shared<elanus::PooledExactSearch>(*simd, *search, hits, done, context), job);
  } catch (...) {
    // Only the allocator throws.
    return ELANUS_OUT_OF_MEMORY;
  }
}

extern "C" void elanus_job_cancel(ElanusJob* job) { job->job->cancel(); }

extern "C" void elanus_job_release(ElanusJob* job) { delete job; }
