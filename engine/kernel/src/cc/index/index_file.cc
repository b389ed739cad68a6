#include "index_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "crc32.h"
#include "index_file_format.h"

namespace elanus {

using namespace index_file_format;

namespace {

// As much as is read before a look at `cancelled`.
constexpr size_t kVerifyBytes = size_t{1} << 20;

FileFault io_failed(const char* action, const std::string& path) {
  return {ELANUS_IO_FAILED, std::string("cannot ") + action + " " + path + ": " + std::strerror(errno)};
}

// Reads all of it, or fails; false with errno. What is beyond the end of the file is missing, not zero.
bool read_all(int fd, uint8_t* bytes, size_t size, uint64_t offset) {
  for (size_t done = 0; done < size;) {
    const ssize_t got = ::pread(fd, bytes + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = ENODATA;
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

// The checksum of the first page, in which its own place counts as zero.
uint32_t first_page_checksum(const uint8_t* page) {
  constexpr uint8_t zero[4] = {};
  uint32_t sum = crc32(0, page, kChecksumAt);
  sum = crc32(sum, zero, sizeof zero);
  return crc32(sum, page + kKindAt, kFirstPageBytes - kKindAt);
}

}  // namespace

FileFault IndexFile::damaged(std::string_view what) const {
  return {ELANUS_FILE_DAMAGED, "the index file " + path_ + " is damaged: " + std::string(what)};
}

FileFault IndexFile::open(const std::string& path, std::shared_ptr<const IndexFile>* file) {
  std::shared_ptr<IndexFile> opened(new IndexFile());
  opened->path_ = path;
  opened->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (opened->fd_ < 0) return io_failed("open", path);
  FileFault fault = opened->map();
  if (!fault.failed()) fault = opened->read_first_page();
  if (!fault.failed()) *file = std::move(opened);
  return fault;
}

IndexFile::~IndexFile() {
  if (bytes_ != nullptr) ::munmap(const_cast<uint8_t*>(bytes_), size_);
  if (fd_ >= 0) ::close(fd_);
}

FileFault IndexFile::map() {
  struct stat about;
  if (::fstat(fd_, &about) != 0) return io_failed("read", path_);
  if (!S_ISREG(about.st_mode)) return damaged("it is no file");
  if (static_cast<uint64_t>(about.st_size) < kFirstPageBytes) return damaged("it is too short");
  const size_t size = static_cast<size_t>(about.st_size);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd_, 0);
  if (mapped == MAP_FAILED) return io_failed("map", path_);
  bytes_ = static_cast<const uint8_t*>(mapped);
  size_ = size;
  return {};
}

FileFault IndexFile::read_first_page() {
  uint8_t page[kFirstPageBytes];
  if (!read_all(fd_, page, sizeof page, 0)) return io_failed("read", path_);
  if (std::memcmp(page, kMagic, sizeof kMagic) != 0) return damaged("it does not begin as one");
  const bool adds_up = get<uint32_t>(page + kChecksumAt) == first_page_checksum(page);
  const uint32_t version = get<uint32_t>(page + kVersionAt);
  if (version != kVersion && adds_up)
    return {ELANUS_FILE_TOO_NEW, "the index file " + path_ + " has version " + std::to_string(version) +
                                     ", this build knows version " + std::to_string(kVersion)};
  if (!adds_up) return damaged("its first page does not match its checksum");
  // From here on only a mistake or ill will can be met, not chance.
  if (get<uint64_t>(page + kFileBytesAt) != size_) return damaged("it has another length than it had");
  const uint32_t count = get<uint32_t>(page + kSectionCountAt);
  if (count > kSectionsMax) return damaged("it names too many sections");
  head_.kind = static_cast<IndexKind>(get<uint32_t>(page + kKindAt));
  std::memcpy(head_.digest.data(), page + kDigestAt, head_.digest.size());
  uint64_t begin = kFirstPageBytes;
  for (uint32_t i = 0; i < count; ++i) {
    FileFault fault = read_section(page + kEntriesAt + i * kEntryBytes, begin);
    if (fault.failed()) return fault;
    begin = static_cast<uint64_t>(sections_.back().bytes - bytes_) + sections_.back().size;
  }
  return {};
}

// Sections stand in the order of the table; `begin` is where the one before has ended.
FileFault IndexFile::read_section(const uint8_t* entry, uint64_t begin) {
  const auto* const name = reinterpret_cast<const char*>(entry);
  Section section;
  section.name.assign(name, ::strnlen(name, kSectionNameMax));
  const uint64_t offset = get<uint64_t>(entry + kEntryOffsetAt);
  const uint64_t size = get<uint64_t>(entry + kEntrySizeAt);
  const uint64_t end = size_ - kSectionSlack;
  if (offset % kSectionAlignment != 0 || offset < begin || offset > end || size > end - offset)
    return damaged("a section lies where none can be");
  if (section.name.empty() || this->section(section.name) != nullptr) return damaged("a section has no name of its own");
  section.offset = offset;
  section.bytes = bytes_ + offset;
  section.size = static_cast<size_t>(size);
  section.checksum = get<uint32_t>(entry + kEntryChecksumAt);
  sections_.push_back(std::move(section));
  return {};
}

const IndexFile::Section* IndexFile::section(std::string_view name) const {
  const auto found = std::find_if(sections_.begin(), sections_.end(),
                                  [&](const Section& section) { return section.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

void IndexFile::expect_walks() const {
#if defined(MADV_HUGEPAGE)
  // A wish: where it is not granted, all works the same, only slower.
  madvise(const_cast<uint8_t*>(bytes_), size_, MADV_HUGEPAGE);
#endif
}

FileFault IndexFile::verify(const std::atomic<bool>* cancelled, std::atomic<float>* done) const {
  std::vector<uint8_t> buffer(kVerifyBytes);
  for (const Section& section : sections_) {
    FileFault fault = verify_section(section, buffer.data(), cancelled, done);
    if (fault.failed()) return fault;
  }
  if (done != nullptr) done->store(1, std::memory_order_relaxed);
  return {};
}

FileFault IndexFile::verify_section(const Section& section, uint8_t* buffer,
                                    const std::atomic<bool>* cancelled, std::atomic<float>* done) const {
  const auto offset = static_cast<uint64_t>(section.bytes - bytes_);
  uint32_t sum = 0;
  for (size_t at = 0; at < section.size; at += kVerifyBytes) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed))
      return {ELANUS_CANCELLED, "reading " + path_ + " was cancelled"};
    const size_t size = std::min(kVerifyBytes, section.size - at);
    if (!read_all(fd_, buffer, size, offset + at)) return io_failed("read", path_);
    sum = crc32(sum, buffer, size);
    // Sections stand in the order of the file.
    const auto end = static_cast<float>(offset + at + size);
    if (done != nullptr) done->store(end / static_cast<float>(size_), std::memory_order_relaxed);
  }
  if (sum != section.checksum) return damaged("section \"" + section.name + "\" does not match its checksum");
  return {};
}

}  // namespace elanus
