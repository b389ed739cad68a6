// One file per index: a first page that says what is in it, then sections of bytes. Drawn in
// docs/formats/vector-index.md.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "elanus/kernel.h"

namespace elanus {

// What reads the sections. Numbers at rest: never to be used for another kind.
enum class IndexKind : uint32_t {
  kCompactGraph = 1,
  kFastGraph = 2,
  kCodedGraph = 3,
  kPlacedGraph = 4,
  kSparse = 16,
  kLists = 32,
  kBinaryLists = 40,
  kHashBands = 48,
  kDiskGraph = 64,
  kDiskVectors = 65,
};

struct IndexFileHead {
  IndexKind kind{};
  // Of the parameters that the index was built with; the caller says how it is made.
  std::array<uint8_t, 32> digest{};
};

// What went wrong with a file, in words that name it; nothing when `status` is ELANUS_OK.
struct FileFault {
  ElanusStatus status = ELANUS_OK;
  std::string text;

  bool failed() const { return status != ELANUS_OK; }
};

inline constexpr size_t kSectionAlignment = 4096;
// So many bytes behind the end of a section belong to the file as well, for loads that reach beyond.
inline constexpr size_t kSectionSlack = 64;
inline constexpr size_t kSectionNameMax = 32;
inline constexpr size_t kSectionsMax = 63;

// Writes an index beside `path` and puts it there when it is whole and durable. An error sticks: what is written
// after it goes nowhere, and `finish` tells. A file that was not finished is removed.
class IndexFileWriter {
 public:
  explicit IndexFileWriter(std::string path);
  ~IndexFileWriter();
  IndexFileWriter(const IndexFileWriter&) = delete;
  IndexFileWriter& operator=(const IndexFileWriter&) = delete;

  // Ends the section before it.
  // REQUIRES: `name` is new, not empty and no longer than kSectionNameMax; at most kSectionsMax sections.
  void begin(std::string_view name);
  // Adds to the section that was begun last.
  void append(const void* bytes, size_t size);
  // A section of its own for each array.
  template <class T>
  void add(std::string_view name, const T* values, size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    begin(name);
    append(values, count * sizeof(T));
  }

  // After this only the destructor may be called. The file that stood at `path` before is replaced at one moment.
  FileFault finish(const IndexFileHead& head);

 private:
  struct Section {
    std::string name;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t checksum = 0;
  };

  void fail(const char* action);
  void write(const uint8_t* bytes, size_t size);
  void flush();
  void write_through(const uint8_t* bytes, size_t size);
  void write_first_page(const IndexFileHead& head);
  void make_durable();

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
  FileFault fault_;
  std::vector<Section> sections_;
  std::vector<uint8_t> buffer_;  // what is not written through yet
  uint64_t written_ = 0;
};

// A finished file, mapped for reading until the last owner lets go of it. Another may be put in its place meanwhile,
// but nobody may change or shorten it. The bytes that it holds were sound when they were written; whether they still
// are, `verify` finds out, and what they mean the reader of the kind checks.
class IndexFile {
 public:
  struct Section {
    std::string name;
    uint64_t offset = 0;  // in the file
    const uint8_t* bytes = nullptr;
    size_t size = 0;
    uint32_t checksum = 0;
  };

  // Reads the first page only: as fast for a large file as for a small one.
  static FileFault open(const std::string& path, std::shared_ptr<const IndexFile>* file);
  ~IndexFile();
  IndexFile(const IndexFile&) = delete;
  IndexFile& operator=(const IndexFile&) = delete;

  const IndexFileHead& head() const { return head_; }
  const std::string& path() const { return path_; }
  size_t size() const { return size_; }
  // For reads that do not go through the mapping. Lives as long as the file.
  int fd() const { return fd_; }
  const std::vector<Section>& sections() const { return sections_; }

  // nullptr when there is none of this name. Lives as long as the file. Begins on a 4096-byte border and is
  // readable kSectionSlack bytes past its end.
  const Section* section(std::string_view name) const;

  // The section as an array of exactly so many; nullptr when it is missing or of another size.
  template <class T>
  const T* array(std::string_view name, size_t count) const {
    static_assert(std::is_trivially_copyable_v<T>);
    const Section* const found = section(name);
    if (found == nullptr || found->size % sizeof(T) != 0 || found->size / sizeof(T) != count) return nullptr;
    return reinterpret_cast<const T*>(found->bytes);
  }

  // Walks will go to and fro through all of it: what of the map is not in memory is to be read by huge pages.
  void expect_walks() const;

  // Compares every section with its checksum. Reads the whole file, some GB a second from memory, and by calls that
  // return, other than loads from mapped memory, when the disk cannot read. `done` rises from 0 to 1; may be nullptr.
  FileFault verify(const std::atomic<bool>* cancelled, std::atomic<float>* done = nullptr) const;

  // How readers of a kind refuse what is in the sections.
  FileFault damaged(std::string_view what) const;

 private:
  IndexFile() = default;
  FileFault map();
  FileFault read_first_page();
  FileFault read_section(const uint8_t* entry, uint64_t begin);
  FileFault verify_section(const Section& section, uint8_t* buffer, const std::atomic<bool>* cancelled,
                           std::atomic<float>* done) const;

  std::string path_;
  int fd_ = -1;
  const uint8_t* bytes_ = nullptr;
  size_t size_ = 0;
  IndexFileHead head_;
  std::vector<Section> sections_;
};

}  // namespace elanus
