// DISKANN from C++: recall, queries a second and reads a query, with the memory that builds and searches take.
//
//   disk_bench make <folder> <rows>            vectors, queries and what they should find
//   disk_bench build <folder> <kept>           the index file; beside a code of 64 bytes searches may keep so many of a row
//   disk_bench search <folder>                 from the file, in a process that has never seen a vector
//   disk_bench disk <folder>                   how many blocks a second the disk gives at random
//
// `npm run bench:kernel -- --only disk` compiles and runs it, beside diskannpy.
//
// Vectors: float32, around 1,000 centres in 24 latent dimensions, as the generated sets of bench/kernel.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "../src/cc/index/block_reader.h"
#include "../src/cc/index/disk_graph.h"
#include "../src/cc/index/disk_vectors.h"
#include "../src/cc/index/search_scratch.h"
#include "elanus/index.h"

namespace {

constexpr uint32_t kDim = 128;
constexpr uint32_t kLatent = 24;
constexpr uint32_t kCentres = 1000;
constexpr uint32_t kQueries = 1000;
constexpr uint32_t kK = 10;
constexpr uint32_t kCodeBytes = 64;

std::vector<float> around_centres(uint32_t count, uint32_t seed) {
  std::mt19937 shape(1), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(kCentres * kLatent), map(kLatent * kDim);
  for (float& value : centres) value = normal(shape);
  for (float& value : map) value = normal(shape) / std::sqrt(static_cast<float>(kLatent));
  std::vector<float> vectors(size_t{count} * kDim);
  for (uint32_t i = 0; i < count; ++i) {
    const float* const centre = &centres[random() % kCentres * size_t{kLatent}];
    float* const to = &vectors[i * size_t{kDim}];
    for (uint32_t l = 0; l < kLatent; ++l) {
      const float latent = centre[l] + 0.5f * normal(random);
      for (uint32_t d = 0; d < kDim; ++d) to[d] += latent * map[l * kDim + d];
    }
    for (uint32_t d = 0; d < kDim; ++d) to[d] += 0.05f * normal(random);
  }
  return vectors;
}

template <class T>
void write(const std::string& path, const std::vector<T>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

template <class T>
std::vector<T> read(const std::string& path, size_t count) {
  std::vector<T> values(count);
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
  return values;
}

void require(ElanusStatus status, const char* what) {
  if (status == ELANUS_OK) return;
  std::fprintf(stderr, "%s: status %d\n", what, status);
  std::exit(1);
}

// Of this process, in bytes: RssAnon, RssFile, VmRSS or the most there ever was, VmHWM.
size_t status_bytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    size_t kilobytes = 0;
    if (word == name + ":" && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

// A file of floats, mapped.
class MappedVectors {
 public:
  explicit MappedVectors(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY);
    size_ = fd < 0 ? 0 : static_cast<size_t>(lseek(fd, 0, SEEK_END));
    bytes_ = mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes_ == MAP_FAILED) std::exit((std::perror(path.c_str()), 1));
    close(fd);
  }
  ~MappedVectors() { munmap(bytes_, size_); }

  ElanusRows rows() const {
    return {static_cast<const uint8_t*>(bytes_), size_, static_cast<uint32_t>(size_ / (kDim * sizeof(float))), 1};
  }

 private:
  void* bytes_;
  size_t size_;
};

double processor_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::vector<uint32_t> nearest(const ElanusSimd* simd, const std::vector<float>& vectors, uint32_t rows,
                              const std::vector<float>& queries) {
  std::vector<int64_t> keys(rows);
  for (uint32_t i = 0; i < rows; ++i) keys[i] = i;
  ElanusBlock block{};
  block.bytes = reinterpret_cast<const uint8_t*>(vectors.data());
  block.bytes_size = vectors.size() * sizeof(float);
  block.rows = rows;
  block.keys.int64_values = keys.data();
  ElanusExactSearch search{};
  search.type = ELANUS_FLOAT32;
  search.metric = ELANUS_L2;
  search.dim = kDim;
  search.queries = reinterpret_cast<const uint8_t*>(queries.data());
  search.queries_size = queries.size() * sizeof(float);
  search.query_count = kQueries;
  search.k = kK;
  search.outer = INFINITY;
  search.inner = -INFINITY;
  search.blocks = &block;
  search.block_count = 1;
  std::vector<uint32_t> counts(kQueries), blocks(kQueries * kK), found(kQueries * kK);
  std::vector<float> scores(kQueries * kK);
  require(elanus_exact_search_run(simd, &search, {counts.data(), blocks.data(), found.data(), scores.data()}), "scan");
  return found;
}

void make(const std::string& folder, uint32_t rows) {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const std::vector<float> vectors = around_centres(rows, 2);
  const std::vector<float> queries = around_centres(kQueries, 3);
  write(folder + "/vectors", vectors);
  write(folder + "/queries", queries);
  write(folder + "/nearest", nearest(simd, vectors, rows, queries));
}

void build(const std::string& folder, uint32_t cache_bytes) {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const MappedVectors vectors(folder + "/vectors");
  const ElanusRows block = vectors.rows();
  ElanusIndexBuild build{};
  build.type = ELANUS_FLOAT32;
  build.metric = ELANUS_L2;
  build.dim = kDim;
  build.spec.type = ELANUS_DISKANN;
  build.spec.m = 24;
  build.spec.ef_construction = 100;
  build.spec.code_bytes = kCodeBytes;
  build.spec.cache_bytes = cache_bytes;
  build.blocks = &block;
  build.block_count = 1;
  build.threads = 1;
  build.seed = 1;
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  const double before = processor_seconds();
  require(elanus_index_build(simd, &build, work, &index), "build");
  require(elanus_index_save(index, (folder + "/index").c_str(), 0), "save");
  const auto most = static_cast<double>(status_bytes("VmHWM"));
  std::printf("%u x %u: built and written in %.1f s of processor time; at most %.1f MB of memory, own and mapped: "
              "%.0f %% of the vectors\n",
              block.rows, kDim, processor_seconds() - before, most / 1e6, 100 * most / static_cast<double>(block.bytes_size));
  elanus_index_release(index);
  elanus_work_free(work);
}

// What searches of one list are about.
struct Asked {
  std::vector<float> queries;
  std::vector<uint32_t> nearest;
};

void measure(const elanus::VectorIndex& index, const Asked& asked, uint32_t list, elanus::SearchScratch& scratch) {
  size_t found = 0;
  const elanus::DiskGraphReads before = elanus::disk_graph_reads(scratch);
  const double processor_before = processor_seconds();
  const auto begin = std::chrono::steady_clock::now();
  for (uint32_t q = 0; q < kQueries; ++q) {
    elanus::IndexSearch search{};
    search.query = reinterpret_cast<const uint8_t*>(&asked.queries[q * size_t{kDim}]);
    search.k = kK;
    search.ef = list;
    search.refine_k = 1;
    search.range = {-INFINITY, INFINITY};
    const std::set<uint32_t> right(&asked.nearest[q * kK], &asked.nearest[q * kK] + kK);
    for (const elanus::IndexHit& hit : index.search(search, scratch)) found += right.count(hit.row);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const elanus::DiskGraphReads after = elanus::disk_graph_reads(scratch);
  std::printf("%8u %8.4f %10.0f %12.0f %8.1f %8.1f %8.1f\n", list, static_cast<double>(found) / (kQueries * kK),
              kQueries / seconds, kQueries / (processor_seconds() - processor_before),
              static_cast<double>(after.blocks - before.blocks) / kQueries,
              static_cast<double>(after.waves - before.waves) / kQueries,
              static_cast<double>(after.kept_units - before.kept_units) / kQueries);
}

elanus::FileFault open_any(const ElanusSimd& simd, std::shared_ptr<const elanus::IndexFile> file,
                           std::unique_ptr<elanus::VectorIndex>* index) {
  if (file->head().kind == elanus::IndexKind::kDiskGraph) return elanus::open_disk_graph(simd, std::move(file), index);
  return elanus::open_disk_vectors(simd, std::move(file), index);
}

void search(const std::string& folder) {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Asked asked = {read<float>(folder + "/queries", size_t{kQueries} * kDim),
                       read<uint32_t>(folder + "/nearest", size_t{kQueries} * kK)};
  const size_t anonymous = status_bytes("RssAnon");
  const size_t mapped = status_bytes("RssFile");
  std::shared_ptr<const elanus::IndexFile> file;
  std::unique_ptr<elanus::VectorIndex> index;
  require(elanus::IndexFile::open(folder + "/index", &file).status, "open");
  require(open_any(*simd, file, &index).status, "open");
  elanus::SearchScratch scratch;
  std::printf("%8s %8s %10s %12s %8s %8s %8s\n", "list", "recall", "queries/s", "of processor", "reads", "waves", "saved");
  // The first goes through all that are kept.
  for (const uint32_t list : {150u, 10u, 12u, 16u, 24u, 32u, 48u, 64u, 100u, 150u}) measure(*index, asked, list, scratch);
  const auto own = static_cast<double>(status_bytes("RssAnon") - anonymous);
  const auto files = static_cast<double>(status_bytes("RssFile") - mapped);
  const double vectors = static_cast<double>(index->rows()) * kDim * sizeof(float);
  std::printf("memory of searches: %.1f MB own, %.1f MB mapped: %.1f %% of the vectors'\n", own / 1e6, files / 1e6,
              100 * (own + files) / vectors);
}

// Blocks of the index file, anywhere in it.
void disk(const std::string& folder) {
  const int fd = open((folder + "/index").c_str(), O_RDONLY);
  const auto blocks = static_cast<uint64_t>(lseek(fd, 0, SEEK_END)) / elanus::kBlockBytes;
  const std::unique_ptr<const elanus::BlockFile> file = elanus::BlockFile::open(fd);
  elanus::BlockReader reader;
  std::mt19937_64 random(1);
  const std::unique_ptr<uint8_t, void (*)(void*)> memory(
      static_cast<uint8_t*>(std::aligned_alloc(elanus::kBlockBytes, elanus::BlockReader::kAtOnceMax * elanus::kBlockBytes)),
      std::free);
  for (const size_t at_once : {size_t{1}, size_t{4}, size_t{8}, elanus::BlockReader::kAtOnceMax}) {
    const auto begin = std::chrono::steady_clock::now();
    const double processor_before = processor_seconds();
    uint64_t count = 0;
    double seconds = 0;
    for (; seconds < 2; seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()) {
      elanus::BlockReader::Request requests[elanus::BlockReader::kAtOnceMax];
      for (size_t i = 0; i < at_once; ++i)
        requests[i] = {random() % blocks * elanus::kBlockBytes, memory.get() + i * elanus::kBlockBytes};
      reader.read(*file, requests, at_once);
      count += at_once;
    }
    std::printf("%2zu reads at once: %.0f blocks/s, %.0f of processor time\n", at_once, static_cast<double>(count) / seconds,
                static_cast<double>(count) / (processor_seconds() - processor_before));
  }
  close(fd);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 2 ? arguments[1] : "";
  if (mode == "make" && count == 4)
    make(arguments[2], static_cast<uint32_t>(std::atoi(arguments[3])));
  else if (mode == "build" && count == 4)
    build(arguments[2], static_cast<uint32_t>(std::atoi(arguments[3])));
  else if (mode == "search")
    search(arguments[2]);
  else if (mode == "disk")
    disk(arguments[2]);
  else
    return std::fprintf(stderr, "disk_bench make <folder> <rows> | build <folder> <kept> | search <folder> | disk <folder>\n"), 1;
}
