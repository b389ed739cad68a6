// Builds of DISKANN over mapped files: how much of them is in memory, and that nothing else comes of it.
#include "../src/cc/index/mapped_pages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <thread>

#include "../src/cc/index/disk_graph.h"
#include "index_cases.h"
#include "temporary_directory.h"

using namespace elanus;

namespace {

// By one thread: a row that may lie on the border of two huge pages.
constexpr size_t kAboutToBeRead = size_t{4} << 20;

// Read-only, as whoever lends mapped vectors has them.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY);
    const off_t end = ::lseek(fd, 0, SEEK_END);
    CHECK(end > 0);
    size_ = static_cast<size_t>(end);
    void* const memory = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    CHECK(memory != MAP_FAILED);
    bytes_ = static_cast<const uint8_t*>(memory);
  }
  ~MappedFile() { ::munmap(const_cast<uint8_t*>(bytes_), size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* bytes() const { return bytes_; }
  size_t size() const { return size_; }

  // Of its bytes, those that this process has in memory.
  size_t present_bytes() const {
    constexpr uint64_t kPresent = uint64_t{1} << 63;
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<uint64_t> entries((size_ + page - 1) / page);
    const int fd = ::open("/proc/self/pagemap", O_RDONLY);
    const auto first = static_cast<off_t>(reinterpret_cast<uintptr_t>(bytes_) / page * sizeof(entries[0]));
    const auto wanted = static_cast<ssize_t>(entries.size() * sizeof(entries[0]));
    CHECK(fd >= 0 && ::pread(fd, entries.data(), static_cast<size_t>(wanted), first) == wanted);
    ::close(fd);
    size_t present = 0;
    for (const uint64_t entry : entries) present += (entry & kPresent) == 0 ? 0 : page;
    return present;
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
};

void keeps_no_more_than_it_may() {
  constexpr size_t kBytes = size_t{32} << 20;
  constexpr size_t kMax = size_t{4} << 20;
  constexpr size_t kRow = 1000;
  constexpr uint32_t kThreads = 2;
  TemporaryDirectory directory;
  std::vector<uint8_t> bytes(kBytes);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 % 251);
  write_file(directory.file("rows"), bytes);
  const MappedFile file(directory.file("rows"));
  // Two blocks, neither at the border of a page, and one that is not mapped.
  const ElanusRows blocks[] = {{file.bytes() + 10, kBytes / 2, kBytes / 2 / kRow, 1},
                               {bytes.data(), kBytes, kBytes / kRow, 0},
                               {file.bytes() + kBytes / 2 + 10, kBytes / 2 - 10, (kBytes / 2 - 10) / kRow, 1}};
  const std::unique_ptr<MappedPages> pages = MappedPages::of(blocks, 3, kMax);
  CHECK(pages != nullptr);
  CHECK(MappedPages::of(blocks, 3, kAllBytes) == nullptr && MappedPages::of(blocks + 1, 1, kMax) == nullptr);
  const auto read_some = [&](uint32_t seed, uint32_t count, const auto& each) {
    std::mt19937 random(seed);
    for (uint32_t i = 0; i < count; ++i) {
      const ElanusRows& block = blocks[random() % 3];
      const size_t at = random() % block.rows * kRow;
      pages->read(block.bytes + at, kRow);
      const size_t origin = block.is_mapped != 0 ? static_cast<size_t>(block.bytes - file.bytes()) : 0;
      CHECK(std::equal(block.bytes + at, block.bytes + at + kRow, bytes.begin() + static_cast<ptrdiff_t>(origin + at)));
      each(i);
    }
  };
  size_t most = 0;
  read_some(1, 500, [&](uint32_t) { most = std::max(most, file.present_bytes()); });
  CHECK(most > 0 && most <= kMax + kAboutToBeRead);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) threads.emplace_back([&, t] { read_some(t, 5'000, [](uint32_t) {}); });
  for (std::thread& thread : threads) thread.join();
  CHECK(file.present_bytes() <= kMax + kThreads * kAboutToBeRead);
}

// Of vectors that are three times as much as it may have in memory.
void builds_the_same_index_in_less_memory() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const std::string path = directory.file("vectors");
  const std::string built = directory.file("index");
  constexpr uint32_t kThreads = 2;
  constexpr uint32_t kMany = 2 * kRows;
  const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 2000};
  write_file(path, clustered(shape, kMany, 1));
  std::vector<uint8_t> written[2];
  for (const uint32_t is_mapped : {0u, 1u}) {
    const MappedFile file(path);
    const ElanusRows block = {file.bytes(), file.size(), kMany, is_mapped};
    ElanusIndexSpec spec{};
    spec.type = ELANUS_DISKANN;
    spec.m = 8;
    spec.ef_construction = 20;
    spec.code_bytes = 16;
    const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, spec, &block, 1, kThreads, 5};
    ElanusWork* const work = elanus_work_new();
    ElanusIndex* index = nullptr;
    CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_OK);
    CHECK(elanus_index_save(index, built.c_str(), 0) == ELANUS_OK);
    elanus_index_release(index);
    elanus_work_free(work);
    CHECK(is_mapped == 0 || file.present_bytes() <= kDiskBuildMappedMax + kThreads * kAboutToBeRead);
    written[is_mapped] = read_file(built);
  }
  CHECK(written[0] == written[1]);
}

}  // namespace

int main() {
  keeps_no_more_than_it_may();
  builds_the_same_index_in_less_memory();
  std::printf("mapped_pages_test: ok\n");
}
