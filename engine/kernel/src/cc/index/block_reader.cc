#include "block_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__linux__) && __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#define ELANUS_HAS_RING 1
#endif

namespace elanus {
namespace {

bool read_whole(int fd, BlockReader::Request& request) {
  for (size_t done = 0; done < kBlockBytes;) {
    const ssize_t read = pread(fd, request.into + done, kBlockBytes - done, static_cast<off_t>(request.offset + done));
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return false;
    done += static_cast<size_t>(read);
  }
  return true;
}

// Threads that read while those who asked wait. They live as long as the process.
class ReadThreads {
 public:
  static ReadThreads& shared() {
    static ReadThreads* const threads = new ReadThreads();
    return *threads;
  }

  void read(int fd, BlockReader::Request* requests, size_t count) {
    Batch batch = {fd, requests, count, count};
    std::unique_lock lock(mutex_);
    for (size_t i = 0; i + 1 < count; ++i) waiting_.push_back(&batch);
    if (count > 1) work_.notify_all();
    // Who waits has time to read as well.
    while (take(batch, lock)) continue;
    batch.ended.wait(lock, [&] { return batch.unread == 0; });
    std::erase(waiting_, &batch);
  }

 private:
  static constexpr size_t kThreads = 8;

  struct Batch {
    int fd;
    BlockReader::Request* requests;
    size_t left;    // nobody has begun with the first so many
    size_t unread;  // of all
    std::condition_variable ended = {};
  };

  ReadThreads() {
    for (size_t i = 0; i < kThreads; ++i) {
      try {
        std::thread([this] { work(); }).detach();
      } catch (const std::system_error&) {
        // Fewer threads, or none but those who ask, do the same work.
        return;
      }
    }
  }

  // Reads one block of the batch. False when somebody reads or has read each of them.
  bool take(Batch& batch, std::unique_lock<std::mutex>& lock) {
    if (batch.left == 0) return false;
    BlockReader::Request& request = batch.requests[--batch.left];
    lock.unlock();
    const bool is_read = read_whole(batch.fd, request);
    lock.lock();
    request.is_read = is_read;
    if (--batch.unread == 0) batch.ended.notify_one();
    return true;
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [&] { return !waiting_.empty(); });
      Batch* const batch = waiting_.front();
      waiting_.pop_front();
      take(*batch, lock);
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Batch*> waiting_;  // once for each block that another may read
};

}  // namespace

std::unique_ptr<const BlockFile> BlockFile::open(int fd) {
#if defined(__linux__)
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int opened = ::open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
  if (opened < 0) opened = ::open(path, O_RDONLY | O_CLOEXEC);
#else
  int opened = dup(fd);
#endif
  if (opened < 0) return nullptr;
  return std::unique_ptr<const BlockFile>(new BlockFile(opened));
}

BlockFile::~BlockFile() { close(fd_); }

#if defined(ELANUS_HAS_RING)

// io_uring without a library: one submission and one wait for each batch.
class BlockReader::Ring {
 public:
  // nullptr where the system has none, or forbids it.
  static std::unique_ptr<Ring> open() {
    std::unique_ptr<Ring> ring(new Ring());
    if (!ring->set_up()) return nullptr;
    return ring;
  }

  ~Ring() {
    if (sqes_ != MAP_FAILED) munmap(sqes_, sqes_bytes_);
    if (completions_ != MAP_FAILED && completions_ != submissions_) munmap(completions_, completions_bytes_);
    if (submissions_ != MAP_FAILED) munmap(submissions_, submissions_bytes_);
    if (fd_ >= 0) close(fd_);
  }

  // False when the ring does not work; some may have been read nevertheless.
  bool read(int fd, Request* requests, size_t count) {
    const uint32_t tail = *submission_tail_;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t slot = (tail + static_cast<uint32_t>(i)) & submission_mask_;
      io_uring_sqe& entry = static_cast<io_uring_sqe*>(sqes_)[slot];
      std::memset(&entry, 0, sizeof entry);
      entry.opcode = IORING_OP_READ;
      entry.fd = fd;
      entry.addr = reinterpret_cast<uintptr_t>(requests[i].into);
      entry.len = kBlockBytes;
      entry.off = requests[i].offset;
      entry.user_data = i;
      submission_array_[slot] = slot;
    }
    std::atomic_ref(*submission_tail_).store(tail + static_cast<uint32_t>(count), std::memory_order_release);
    size_t submitted = 0;
    for (size_t ended = 0; ended < count;) {
      const auto left = static_cast<unsigned>(count - submitted);
      const long entered = syscall(SYS_io_uring_enter, fd_, left, static_cast<unsigned>(count - ended),
                                   IORING_ENTER_GETEVENTS, nullptr, 0);
      if (entered < 0 && errno != EINTR && errno != EAGAIN && errno != EBUSY) {
        // What was submitted writes into the buffers: nobody may go before it has ended.
        if (submitted == ended) return false;
        continue;
      }
      if (entered > 0) submitted += static_cast<size_t>(entered);
      ended += reap(requests);
    }
    return true;
  }

 private:
  Ring() = default;

  bool set_up() {
    io_uring_params params;
    std::memset(&params, 0, sizeof params);
    fd_ = static_cast<int>(syscall(SYS_io_uring_setup, kAtOnceMax, &params));
    if (fd_ < 0) return false;
    submissions_bytes_ = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
    completions_bytes_ = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    const bool is_single = (params.features & IORING_FEAT_SINGLE_MMAP) != 0;
    if (is_single) submissions_bytes_ = completions_bytes_ = std::max(submissions_bytes_, completions_bytes_);
    submissions_ = map(submissions_bytes_, IORING_OFF_SQ_RING);
    if (submissions_ == MAP_FAILED) return false;
    completions_ = is_single ? submissions_ : map(completions_bytes_, IORING_OFF_CQ_RING);
    sqes_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
    sqes_ = map(sqes_bytes_, IORING_OFF_SQES);
    if (completions_ == MAP_FAILED || sqes_ == MAP_FAILED) return false;
    auto* const submissions = static_cast<uint8_t*>(submissions_);
    auto* const completions = static_cast<uint8_t*>(completions_);
    submission_tail_ = reinterpret_cast<uint32_t*>(submissions + params.sq_off.tail);
    submission_mask_ = *reinterpret_cast<uint32_t*>(submissions + params.sq_off.ring_mask);
    submission_array_ = reinterpret_cast<uint32_t*>(submissions + params.sq_off.array);
    completion_head_ = reinterpret_cast<uint32_t*>(completions + params.cq_off.head);
    completion_tail_ = reinterpret_cast<uint32_t*>(completions + params.cq_off.tail);
    completion_mask_ = *reinterpret_cast<uint32_t*>(completions + params.cq_off.ring_mask);
    completed_ = reinterpret_cast<io_uring_cqe*>(completions + params.cq_off.cqes);
    return true;
  }

  void* map(size_t bytes, uint64_t offset) const {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, static_cast<off_t>(offset));
  }

  // How many have ended.
  size_t reap(Request* requests) {
    uint32_t head = *completion_head_;
    const uint32_t tail = std::atomic_ref(*completion_tail_).load(std::memory_order_acquire);
    const size_t count = tail - head;
    for (; head != tail; ++head) {
      const io_uring_cqe& entry = completed_[head & completion_mask_];
      requests[entry.user_data].is_read = entry.res == static_cast<int32_t>(kBlockBytes);
    }
    std::atomic_ref(*completion_head_).store(head, std::memory_order_release);
    return count;
  }

  int fd_ = -1;
  void* submissions_ = MAP_FAILED;
  void* completions_ = MAP_FAILED;
  void* sqes_ = MAP_FAILED;
  size_t submissions_bytes_ = 0;
  size_t completions_bytes_ = 0;
  size_t sqes_bytes_ = 0;
  uint32_t* submission_tail_ = nullptr;
  uint32_t submission_mask_ = 0;
  uint32_t* submission_array_ = nullptr;
  uint32_t* completion_head_ = nullptr;
  uint32_t* completion_tail_ = nullptr;
  uint32_t completion_mask_ = 0;
  io_uring_cqe* completed_ = nullptr;
};

#else

class BlockReader::Ring {
 public:
  static std::unique_ptr<Ring> open() { return nullptr; }
  bool read(int, Request*, size_t) { return false; }
};

#endif

BlockReader::BlockReader() : ring_(Ring::open()) {}
BlockReader::~BlockReader() = default;

void BlockReader::drop_ring() { ring_.reset(); }

void BlockReader::read(const BlockFile& file, Request* requests, size_t count) {
  for (size_t i = 0; i < count; ++i) requests[i].is_read = false;
  if (ring_ != nullptr && !ring_->read(file.fd(), requests, count)) ring_.reset();
  if (ring_ == nullptr) return ReadThreads::shared().read(file.fd(), requests, count);
  // A read may be cut short, and some file systems read nothing past the cache.
  for (size_t i = 0; i < count; ++i) {
    if (!requests[i].is_read) requests[i].is_read = read_whole(file.fd(), requests[i]);
  }
}

}  // namespace elanus
