// Large arrays of plain values: on huge pages, so that a walk over them does not wait for page tables; or a view of
// memory that somebody else keeps.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <utility>

namespace elanus {

// Zeroed memory from a 4096-byte border on, readable kHugeSlack bytes past its end. Throws std::bad_alloc.
inline constexpr size_t kHugeSlack = 64;
void* huge_allocate(size_t bytes);
// The same memory, longer, perhaps elsewhere.
void* huge_grow(void* memory, size_t bytes, size_t bytes_wanted);
// Gives back what is behind the first `bytes_kept`, at least one.
void huge_shrink(void* memory, size_t bytes, size_t bytes_kept);
void huge_free(void* memory, size_t bytes);

template <class T>
class HugeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  HugeArray() = default;
  // REQUIRES: the memory outlives the array and its moves, until it grows.
  static HugeArray borrow(const T* data, size_t size) {
    HugeArray array;
    array.data_ = const_cast<T*>(data);
    array.size_ = size;
    return array;
  }
  HugeArray(HugeArray&& other) noexcept { swap(other); }
  HugeArray& operator=(HugeArray&& other) noexcept {
    HugeArray(std::move(other)).swap(*this);
    return *this;
  }
  ~HugeArray() {
    if (capacity_ > 0) huge_free(data_, capacity_ * sizeof(T));
  }

  // What is new is zero when the array has never been longer. A borrowed array becomes one of its own.
  void resize(size_t size) {
    if (size > capacity_) reserve(capacity_ == 0 ? size : std::max(size, capacity_ + capacity_ / 4));
    size_ = size;
  }
  void reserve(size_t capacity) {
    if (capacity <= capacity_) return;
    if (capacity_ > 0) {
      data_ = static_cast<T*>(huge_grow(data_, capacity_ * sizeof(T), capacity * sizeof(T)));
    } else {
      auto* const own = static_cast<T*>(huge_allocate(std::max(capacity, size_) * sizeof(T)));
      if (size_ > 0) std::memcpy(own, data_, size_ * sizeof(T));
      data_ = own;
    }
    capacity_ = capacity;
  }

  // Gives back the memory behind the last element. REQUIRES: there is one.
  void fit() {
    if (capacity_ <= size_) return;
    huge_shrink(data_, capacity_ * sizeof(T), size_ * sizeof(T));
    capacity_ = size_;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  void swap(HugeArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;  // 0: borrowed, or empty
};

}  // namespace elanus
