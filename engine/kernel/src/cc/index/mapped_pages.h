// What a build has in memory of vectors that lie in mapped files.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "elanus/index.h"

namespace elanus {

inline constexpr size_t kAllBytes = SIZE_MAX;

// Gives the pages of mapped blocks back as soon as so much of them may be in memory as is allowed; who reads there
// afterwards reads the file again. It counts what is read, rather than ask the system now and then, which comes too late
// when the machine is busy. Any number of threads read at a time; what they are about to read is in memory beside it.
class MappedPages {
 public:
  // nullptr where nothing is to be given back: no block is mapped, or all may stay.
  static std::unique_ptr<MappedPages> of(const ElanusRows* blocks, size_t count, size_t bytes_max);

  // Somebody is about to read `size` bytes, at least one, wherever they lie.
  void read(const uint8_t* bytes, size_t size) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(bytes);
    for (uintptr_t window = address / kWindowBytes; window <= (address + size - 1) / kWindowBytes; ++window) {
      std::atomic<uintptr_t>& seen = seen_[window % kSlots];
      if (seen.load(std::memory_order_relaxed) == window) continue;
      seen.store(window, std::memory_order_relaxed);
      if (windows_.fetch_add(1, std::memory_order_relaxed) + 1 == windows_max_) give_back();
    }
  }

 private:
  // The most that Linux lays in at once where it has a file in its cache: a huge page of it. Otherwise 64 KiB.
  static constexpr size_t kWindowBytes = size_t{2} << 20;
  // Two windows that share one count more often than they need to, never less.
  static constexpr size_t kSlots = 1024;
  struct Pages {
    uint8_t* begin;
    size_t size;
  };

  MappedPages(std::vector<Pages> blocks, size_t bytes_max);
  void give_back();

  const std::vector<Pages> blocks_;
  const size_t windows_max_;
  std::array<std::atomic<uintptr_t>, kSlots> seen_{};
  std::atomic<size_t> windows_ = 0;
};

}  // namespace elanus
