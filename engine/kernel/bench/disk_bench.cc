// DISKANN from C++: recall, queries a second and reads a query, with the memory that searches take.
//
//   disk_bench build <folder> <rows>    makes vectors, the index file, queries and what they should find
//   disk_bench search <folder>          searches from the file, in a process that has never seen a vector
//
// Compiled, in engine/kernel, with the objects that `npm run build` has left there, without those of the binding:
//   g++ -std=c++20 -O2 -Iinclude -pthread bench/disk_bench.cc $(ls build/Release/*.o | grep -v 'binding\|module\|environment') -o disk_bench
//
// Vectors: 128 float32, around 1,000 centres in 24 latent dimensions, as the generated sets of bench/kernel.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../src/cc/index/disk_graph.h"
#include "../src/cc/index/search_scratch.h"
#include "elanus/index.h"

namespace {

constexpr uint32_t kDim = 128;
constexpr uint32_t kLatent = 24;
constexpr uint32_t kCentres = 1000;
constexpr uint32_t kQueries = 1000;
constexpr uint32_t kK = 10;
constexpr uint32_t kCodeBytes = 64;
constexpr uint32_t kThreads = 2;

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

// Resident bytes, mapped files among them.
size_t resident_bytes() {
  size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

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

void build(const std::string& folder, uint32_t rows) {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const std::vector<float> vectors = around_centres(rows, 2);
  const std::vector<float> queries = around_centres(kQueries, 3);
  write(folder + "/queries", queries);
  write(folder + "/nearest", nearest(simd, vectors, rows, queries));
  const ElanusRows block = {reinterpret_cast<const uint8_t*>(vectors.data()), vectors.size() * sizeof(float), rows};
  ElanusIndexBuild build{};
  build.type = ELANUS_FLOAT32;
  build.metric = ELANUS_L2;
  build.dim = kDim;
  build.spec.type = ELANUS_DISKANN;
  build.spec.m = 24;
  build.spec.ef_construction = 100;
  build.spec.code_bytes = kCodeBytes;
  build.blocks = &block;
  build.block_count = 1;
  build.threads = kThreads;
  build.seed = 1;
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  const double before = processor_seconds();
  require(elanus_index_build(simd, &build, work, &index), "build");
  std::printf("built %u x %u: %.1f s of processor time\n", rows, kDim, processor_seconds() - before);
  require(elanus_index_save(index, (folder + "/index").c_str(), 0), "save");
  elanus_index_release(index);
  elanus_work_free(work);
}

void search(const std::string& folder) {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const std::vector<float> queries = read<float>(folder + "/queries", size_t{kQueries} * kDim);
  const std::vector<uint32_t> wanted = read<uint32_t>(folder + "/nearest", size_t{kQueries} * kK);
  const size_t before = resident_bytes();
  std::shared_ptr<const elanus::IndexFile> file;
  std::unique_ptr<elanus::VectorIndex> index;
  require(elanus::IndexFile::open(folder + "/index", &file).status, "open");
  require(elanus::open_disk_graph(*simd, file, &index).status, "open");
  elanus::SearchScratch scratch;
  const double vectors_bytes = static_cast<double>(index->rows()) * kDim * sizeof(float);
  std::printf("%8s %8s %10s %12s %8s\n", "list", "recall", "queries/s", "of processor", "reads");
  for (const uint32_t list : {10u, 16u, 24u, 32u, 48u, 64u, 100u, 150u}) {
    size_t found = 0;
    const uint64_t read_before = elanus::disk_graph_blocks_read(scratch);
    const double processor_before = processor_seconds();
    const auto begin = std::chrono::steady_clock::now();
    for (uint32_t q = 0; q < kQueries; ++q) {
      elanus::IndexSearch search{};
      search.query = reinterpret_cast<const uint8_t*>(&queries[q * size_t{kDim}]);
      search.k = kK;
      search.ef = list;
      search.refine_k = 1;
      search.range = {-INFINITY, INFINITY};
      const std::set<uint32_t> right(&wanted[q * kK], &wanted[q * kK] + kK);
      for (const elanus::IndexHit& hit : index->search(search, scratch)) found += right.count(hit.row);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("%8u %8.4f %10.0f %12.0f %8.1f\n", list, static_cast<double>(found) / (kQueries * kK),
                kQueries / seconds, kQueries / (processor_seconds() - processor_before),
                static_cast<double>(elanus::disk_graph_blocks_read(scratch) - read_before) / kQueries);
  }
  const auto used = static_cast<double>(resident_bytes() - before);
  std::printf("memory of searches: %.1f MB, %.1f %% of the vectors'\n", used / 1e6, 100 * used / vectors_bytes);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string mode = count > 2 ? arguments[1] : "";
  if (mode == "build" && count == 4)
    build(arguments[2], static_cast<uint32_t>(std::atoi(arguments[3])));
  else if (mode == "search")
    search(arguments[2]);
  else
    return std::fprintf(stderr, "disk_bench build <folder> <rows> | disk_bench search <folder>\n"), 1;
}
