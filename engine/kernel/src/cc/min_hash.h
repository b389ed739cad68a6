// Comparison of vectors that are rows of hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "elanus/kernel.h"

namespace elanus {

inline constexpr uint32_t kHashBytesMax = 32;

// Whether vectors of `dim` bits can be read so.
inline bool is_valid_min_hash(const ElanusMinHash& options, uint32_t dim) {
  if (options.hash_bytes == 0 || options.hash_bytes > kHashBytesMax) return false;
  return dim / 8 % options.hash_bytes == 0 && options.bands <= dim / 8 / options.hash_bytes;
}

// What ElanusMinHash says, for vectors of one length.
class MinHashes {
 public:
  MinHashes() = default;
  // REQUIRES: is_valid_min_hash(options, dim).
  MinHashes(const ElanusMinHash& options, uint32_t dim)
      : hash_bytes_(options.hash_bytes),
        count_(dim / 8 / options.hash_bytes),
        bands_(options.bands),
        band_bytes_(options.bands == 0 ? 0 : count_ / options.bands * options.hash_bytes) {}

  uint32_t bands() const { return bands_; }
  size_t band_bytes() const { return band_bytes_; }

  // The negative score of the pair, 0 where it has none.
  float rank(const uint8_t* query, const uint8_t* row) const {
    return bands_ == 0 ? -share(query, row) : collide(query, row) ? -1.0f : 0.0f;
  }

  // How many of the hashes are equal, of all of them.
  float share(const uint8_t* one, const uint8_t* other) const {
    return static_cast<float>(static_cast<double>(equal(one, other)) / static_cast<double>(count_));
  }

  // Whether all hashes of some band are equal.
  bool collide(const uint8_t* one, const uint8_t* other) const {
    for (uint32_t band = 0; band < bands_; ++band) {
      if (std::memcmp(one + band * band_bytes_, other + band * band_bytes_, band_bytes_) == 0) return true;
    }
    return false;
  }

 private:
  size_t equal(const uint8_t* one, const uint8_t* other) const {
    if (hash_bytes_ == sizeof(uint32_t)) return equal_numbers<uint32_t>(one, other);
    if (hash_bytes_ == sizeof(uint64_t)) return equal_numbers<uint64_t>(one, other);
    if (hash_bytes_ == sizeof(uint16_t)) return equal_numbers<uint16_t>(one, other);
    size_t equal = 0;
    for (size_t i = 0; i < count_; ++i)
      equal += std::memcmp(one + i * hash_bytes_, other + i * hash_bytes_, hash_bytes_) == 0;
    return equal;
  }

  // Without a branch, so that the compiler compares many at once.
  template <class T>
  size_t equal_numbers(const uint8_t* one, const uint8_t* other) const {
    T equal = 0;
    size_t sum = 0;
    constexpr size_t kAtOnce = 256;
    for (size_t begin = 0; begin < count_; begin += kAtOnce) {
      const size_t end = begin + kAtOnce < count_ ? begin + kAtOnce : count_;
      equal = 0;
      for (size_t i = begin; i < end; ++i) {
        T a, b;
        std::memcpy(&a, one + i * sizeof(T), sizeof(T));
        std::memcpy(&b, other + i * sizeof(T), sizeof(T));
        equal = static_cast<T>(equal + (a == b));
      }
      sum += equal;
    }
    return sum;
  }

  size_t hash_bytes_ = 1;
  size_t count_ = 0;
  uint32_t bands_ = 0;
  size_t band_bytes_ = 0;
};

}  // namespace elanus
