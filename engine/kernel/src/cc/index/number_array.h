// Numbers that are an index' own, or lie in its file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace elanus {

class NumberArray {
 public:
  NumberArray() = default;
  static NumberArray own(std::vector<uint32_t> numbers) {
    NumberArray array;
    array.size_ = numbers.size();
    array.own_ = std::move(numbers);
    return array;
  }
  // REQUIRES: the numbers outlive the array.
  static NumberArray borrow(const uint32_t* numbers, size_t size) {
    NumberArray array;
    array.borrowed_ = numbers;
    array.size_ = size;
    return array;
  }

  const uint32_t* data() const { return borrowed_ == nullptr ? own_.data() : borrowed_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(uint32_t); }
  uint32_t operator[](size_t i) const { return data()[i]; }

  // REQUIRES: the array is not borrowed.
  void append(const uint32_t* numbers, size_t count) {
    own_.insert(own_.end(), numbers, numbers + count);
    size_ += count;
  }

 private:
  std::vector<uint32_t> own_;
  const uint32_t* borrowed_ = nullptr;
  size_t size_ = 0;
};

}  // namespace elanus
