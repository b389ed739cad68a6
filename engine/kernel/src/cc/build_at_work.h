// Index builds that run in this process: searches that can do with one thread leave the others to them.
#pragma once

#include <atomic>
#include <cstdint>

namespace elanus {

// Counts as a build for as long as it lives.
class BuildAtWork {
 public:
  BuildAtWork() { count_.fetch_add(1, std::memory_order_relaxed); }
  ~BuildAtWork() { count_.fetch_sub(1, std::memory_order_relaxed); }
  BuildAtWork(const BuildAtWork&) = delete;
  BuildAtWork& operator=(const BuildAtWork&) = delete;

  static bool any() { return count_.load(std::memory_order_relaxed) > 0; }

 private:
  static inline std::atomic<uint32_t> count_ = 0;
};

}  // namespace elanus
