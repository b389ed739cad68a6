// Where the numbers of an index file stand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace elanus::index_file_format {

inline constexpr char kMagic[8] = {'E', 'L', 'A', 'N', 'U', 'S', 'V', 'I'};
inline constexpr uint32_t kVersion = 3;

inline constexpr size_t kFirstPageBytes = 4096;
inline constexpr size_t kVersionAt = 8;
inline constexpr size_t kChecksumAt = 12;
inline constexpr size_t kKindAt = 16;
inline constexpr size_t kSectionCountAt = 20;
inline constexpr size_t kFileBytesAt = 24;
inline constexpr size_t kDigestAt = 32;
inline constexpr size_t kEntriesAt = 64;

inline constexpr size_t kEntryBytes = 64;
inline constexpr size_t kEntryOffsetAt = 32;
inline constexpr size_t kEntrySizeAt = 40;
inline constexpr size_t kEntryChecksumAt = 48;

template <class T>
T get(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void put(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace elanus::index_file_format
