// The first units of a file of nodes, kept in memory from the first time that they are read.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>

#include "huge_array.h"

namespace elanus {

// Any thread may ask and keep.
class KeptUnits {
 public:
  KeptUnits(uint32_t count, size_t unit_bytes)
      : count_(count), unit_bytes_(unit_bytes), states_(new std::atomic<uint8_t>[count]()) {
    bytes_.resize(count * unit_bytes);
  }

  // With those that are not there yet.
  size_t memory_bytes() const { return count_ * (unit_bytes_ + 1); }

  // Whether it is one of the first ones.
  bool may_have(uint64_t unit) const { return unit < count_; }
  bool has(uint64_t unit) const {
    return may_have(unit) && states_[unit].load(std::memory_order_acquire) == kThere;
  }
  // REQUIRES: has(unit).
  const uint8_t* bytes_of(uint64_t unit) const { return bytes_.data() + unit * unit_bytes_; }

  // Copies a unit that was read, unless it is none of the first ones, or another thread is at it.
  void keep(uint64_t unit, const uint8_t* bytes) {
    uint8_t state = kAbsent;
    if (!may_have(unit) || !states_[unit].compare_exchange_strong(state, kComing, std::memory_order_relaxed)) return;
    std::memcpy(bytes_.data() + unit * unit_bytes_, bytes, unit_bytes_);
    states_[unit].store(kThere, std::memory_order_release);
  }

 private:
  enum State : uint8_t { kAbsent, kComing, kThere };

  const uint64_t count_;
  const size_t unit_bytes_;
  const std::unique_ptr<std::atomic<uint8_t>[]> states_;
  HugeArray<uint8_t> bytes_;
};

}  // namespace elanus
