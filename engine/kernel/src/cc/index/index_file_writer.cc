#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "crc32.h"
#include "index_file.h"
#include "index_file_format.h"

namespace elanus {

using namespace index_file_format;

namespace {

// A huge page. What is written at once, from such a border to the next, the file system keeps on one where it can, and a walk
// through the map of the file waits less for page tables: a search of 200,000 rows of 128 dimensions takes a tenth less time.
constexpr size_t kPieceBytes = size_t{2} << 20;

uint64_t round_up(uint64_t value, uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Writes all of it, at the file's position or at `offset`; false with errno.
bool write_all(int fd, const uint8_t* bytes, size_t size, const off_t* offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t written = offset == nullptr ? ::write(fd, bytes + done, size - done)
                                              : ::pwrite(fd, bytes + done, size - done, *offset + static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    done += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

IndexFileWriter::IndexFileWriter(std::string path) : path_(std::move(path)), temporary_(path_ + ".new") {
  buffer_.reserve(kPieceBytes);
  // What a crash left under this name is of no use.
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd_ < 0) {
    fail("create");
    return;
  }
  const uint8_t nothing[kFirstPageBytes] = {};
  write(nothing, sizeof nothing);
}

IndexFileWriter::~IndexFileWriter() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void IndexFileWriter::fail(const char* action) {
  if (fault_.failed()) return;
  fault_ = {ELANUS_IO_FAILED, std::string("cannot ") + action + " " + temporary_ + ": " + std::strerror(errno)};
}

void IndexFileWriter::write(const uint8_t* bytes, size_t size) {
  while (size > 0 && !fault_.failed()) {
    const size_t piece = std::min(size, kPieceBytes - static_cast<size_t>(written_ % kPieceBytes));
    if (piece == kPieceBytes) {
      write_through(bytes, piece);
    } else {
      buffer_.insert(buffer_.end(), bytes, bytes + piece);
    }
    written_ += piece;
    if (written_ % kPieceBytes == 0) flush();
    bytes += piece;
    size -= piece;
  }
}

void IndexFileWriter::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void IndexFileWriter::write_through(const uint8_t* bytes, size_t size) {
  if (!fault_.failed() && !write_all(fd_, bytes, size, nullptr)) fail("write");
}

void IndexFileWriter::begin(std::string_view name) {
  assert(!name.empty() && name.size() <= kSectionNameMax && sections_.size() < kSectionsMax);
  const uint64_t slack = sections_.empty() ? 0 : kSectionSlack;
  const uint64_t offset = round_up(written_ + slack, kSectionAlignment);
  const std::vector<uint8_t> padding(offset - written_);
  write(padding.data(), padding.size());
  sections_.push_back({std::string(name), offset});
}

void IndexFileWriter::append(const void* bytes, size_t size) {
  assert(!sections_.empty());
  if (size == 0 || fault_.failed()) return;
  Section& section = sections_.back();
  section.checksum = crc32(section.checksum, bytes, size);
  section.size += size;
  write(static_cast<const uint8_t*>(bytes), size);
}

void IndexFileWriter::write_first_page(const IndexFileHead& head) {
  uint8_t page[kFirstPageBytes] = {};
  std::memcpy(page, kMagic, sizeof kMagic);
  put<uint32_t>(page + kVersionAt, kVersion);
  put<uint32_t>(page + kKindAt, static_cast<uint32_t>(head.kind));
  put<uint32_t>(page + kSectionCountAt, static_cast<uint32_t>(sections_.size()));
  put<uint64_t>(page + kFileBytesAt, written_);
  std::memcpy(page + kDigestAt, head.digest.data(), head.digest.size());
  uint8_t* entry = page + kEntriesAt;
  for (const Section& section : sections_) {
    std::memcpy(entry, section.name.data(), section.name.size());
    put<uint64_t>(entry + kEntryOffsetAt, section.offset);
    put<uint64_t>(entry + kEntrySizeAt, section.size);
    put<uint32_t>(entry + kEntryChecksumAt, section.checksum);
    entry += kEntryBytes;
  }
  put<uint32_t>(page + kChecksumAt, crc32(0, page, sizeof page));
  const off_t start = 0;
  if (!write_all(fd_, page, sizeof page, &start)) fail("write");
}

// The name comes last, after the bytes behind it, and is made durable itself.
void IndexFileWriter::make_durable() {
  if (::fsync(fd_) != 0) return fail("sync");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return fail("rename");
  ::close(fd_);
  fd_ = -1;
  const int directory = ::open(directory_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return fail("open the directory of");
  if (::fsync(directory) != 0) fail("sync the directory of");
  ::close(directory);
}

FileFault IndexFileWriter::finish(const IndexFileHead& head) {
  const uint64_t end = round_up(written_ + kSectionSlack, kSectionAlignment);
  const std::vector<uint8_t> padding(end - written_);
  write(padding.data(), padding.size());
  flush();
  if (!fault_.failed()) write_first_page(head);
  if (!fault_.failed()) make_durable();
  return fault_;
}

}  // namespace elanus
