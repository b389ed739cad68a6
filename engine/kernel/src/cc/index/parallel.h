// Loops shared among threads that live as long as the loop.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace elanus {

// Calls `each(begin, end)` for runs of at most `step` that together make up [0, count), on the calling thread and up
// to `threads` - 1 more, which inherit its priority. The runs are the same whatever the number of threads; who does
// which is not. Leaves out what is left when `cancelled` is set, and rethrows the first exception.
template <class Each>
void parallel_for(uint32_t threads, size_t count, size_t step, const std::atomic<bool>* cancelled, const Each& each) {
  const size_t runs = (count + step - 1) / step;
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&]() noexcept {
    try {
      for (size_t run = next++; run < runs; run = next++) {
        if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return;
        each(run * step, std::min(count, (run + 1) * step));
      }
    } catch (...) {
      next.store(runs);
      const std::lock_guard lock(mutex);
      if (failure == nullptr) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  others.reserve(threads);
  try {
    for (size_t i = 1; i < std::min<size_t>(threads, runs); ++i) others.emplace_back(work);
  } catch (const std::system_error&) {
    // Fewer threads than asked for do the same work.
  }
  work();
  for (std::thread& other : others) other.join();
  if (failure != nullptr) std::rethrow_exception(failure);
}

inline bool is_set(const std::atomic<bool>* flag) {
  return flag != nullptr && flag->load(std::memory_order_relaxed);
}

}  // namespace elanus
