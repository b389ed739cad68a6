// The yardstick of searches that are bound by memory.
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "elanus/kernel.h"
#include "simd/simd.h"

namespace elanus {
namespace {

constexpr size_t kHugePage = size_t{1} << 21;

// Seconds of one pass in which each thread reads its share once.
double time_pass(ReadAll read_all, const uint8_t* bytes, size_t share, uint32_t threads) {
  std::atomic<uint64_t> sum = 0;
  const auto read_share = [&](uint32_t t) { sum ^= read_all(bytes + t * share, share); };
  std::vector<std::thread> others;
  const auto start = std::chrono::steady_clock::now();
  for (uint32_t t = 1; t < threads; ++t) others.emplace_back(read_share, t);
  read_share(0);
  for (std::thread& other : others) other.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace
}  // namespace elanus

extern "C" double elanus_measure_read_bandwidth(const ElanusSimd* simd, uint32_t threads, size_t bytes,
                                                uint32_t passes) {
  if (threads == 0) return 0;
  const size_t share = bytes / threads / elanus::kReadStep * elanus::kReadStep;
  const size_t size = share * threads;
  if (size == 0) return 0;
  try {
    const size_t allocated = (size + elanus::kHugePage - 1) / elanus::kHugePage * elanus::kHugePage;
    const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(elanus::kHugePage, allocated), std::free);
    if (memory == nullptr) return 0;
#if defined(__linux__)
    // The machine's best: without the cost of looking up small pages.
    madvise(memory.get(), allocated, MADV_HUGEPAGE);
#endif
    std::memset(memory.get(), 1, size);
    double fastest = 0;
    for (uint32_t pass = 0; pass < passes; ++pass) {
      const double seconds =
          elanus::time_pass(simd->read_all, static_cast<const uint8_t*>(memory.get()), share, threads);
      fastest = std::max(fastest, static_cast<double>(size) / seconds);
    }
    return fastest;
  } catch (...) {
    // No memory or no threads.
    return 0;
  }
}
