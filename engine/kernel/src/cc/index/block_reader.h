// Blocks of a file, read past the page cache, several at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "../aligned.h"

namespace elanus {

inline constexpr size_t kBlockBytes = 4096;

// A file opened once more, for reads that leave no copy in the page cache where the file system can do that.
class BlockFile {
 public:
  // Of the same file as `fd`, which may be closed afterwards. nullptr when it cannot be opened.
  static std::unique_ptr<const BlockFile> open(int fd);
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  int fd() const { return fd_; }

 private:
  explicit BlockFile(int fd) : fd_(fd) {}

  const int fd_;
};

// One thread's way to read: io_uring, else threads that many readers share.
class BlockReader {
 public:
  // Blocks of one read.
  static constexpr size_t kAtOnceMax = 32;

  struct Request {
    uint64_t offset = 0;        // in the file, a multiple of kBlockBytes
    uint8_t* into = nullptr;    // kBlockBytes, from a border of kBlockBytes on
    bool is_read = false;       // the outcome
  };

  BlockReader();
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // Returns when all are read or have failed. REQUIRES: count <= kAtOnceMax.
  void read(const BlockFile& file, Request* requests, size_t count);

  // For tests.
  bool has_ring() const { return ring_ != nullptr; }
  void drop_ring();

 private:
  class Ring;

  std::unique_ptr<Ring> ring_;
};

}  // namespace elanus
