// DISKANN: blocks of a file, read in two ways; nodes in them; what walks and scans find; and no harm from damage.
#include "../src/cc/index/disk_graph.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "../src/cc/index/block_reader.h"
#include "../src/cc/index/disk_nodes.h"
#include "../src/cc/index/hot_units.h"
#include "disk_cases.h"

using namespace elanus;

namespace {

void reads_blocks_in_both_ways() {
  TemporaryDirectory directory;
  const std::string path = directory.file("blocks");
  constexpr size_t kBlocks = 100;
  std::vector<uint8_t> bytes(kBlocks * kBlockBytes);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i / kBlockBytes * 7 + i % 251);
  write_file(path, bytes);
  const int fd = ::open(path.c_str(), O_RDONLY);
  const std::unique_ptr<const BlockFile> file = BlockFile::open(fd);
  close(fd);
  CHECK(file != nullptr);
  const auto read_some = [&](BlockReader& reader, uint32_t seed) {
    std::mt19937 random(seed);
    const std::unique_ptr<uint8_t, void (*)(void*)> memory(
        static_cast<uint8_t*>(std::aligned_alloc(kBlockBytes, BlockReader::kAtOnceMax * kBlockBytes)), std::free);
    for (uint32_t round = 0; round < 50; ++round) {
      BlockReader::Request requests[BlockReader::kAtOnceMax];
      const size_t count = random() % (BlockReader::kAtOnceMax + 1);
      for (size_t i = 0; i < count; ++i)
        requests[i] = {random() % (kBlocks + 1) * kBlockBytes, memory.get() + i * kBlockBytes};
      reader.read(*file, requests, count);
      for (size_t i = 0; i < count; ++i) {
        // There is none behind the last.
        CHECK(requests[i].is_read == (requests[i].offset < bytes.size()));
        if (requests[i].is_read)
          CHECK(std::equal(requests[i].into, requests[i].into + kBlockBytes, bytes.begin() + requests[i].offset));
      }
    }
  };
  BlockReader reader;
  read_some(reader, 1);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      BlockReader other;
      if (i % 3 != 0) other.drop_ring();
      read_some(other, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void puts_neighbours_together() {
  Graph graph;
  graph.rows = 40;
  graph.degree = 4;
  graph.links.resize(160);
  // Four rings of ten.
  for (uint32_t row = 0; row < 40; ++row) {
    uint32_t* const links = graph.links.data() + 4 * row;
    links[0] = row / 10 * 10 + (row + 1) % 10;
    links[1] = row / 10 * 10 + (row + 9) % 10;
    links[2] = links[3] = kNoRow;
  }
  for (const uint32_t per_unit : {1u, 5u, 7u, 100u}) {
    std::vector<uint32_t> places = place_together(graph, per_unit);
    if (per_unit == 5) {
      for (uint32_t row = 0; row < 40; ++row) {
        const auto neighbours = {row / 10 * 10 + (row + 1) % 10, row / 10 * 10 + (row + 9) % 10};
        CHECK(std::any_of(neighbours.begin(), neighbours.end(),
                          [&](uint32_t other) { return places[other] / 5 == places[row] / 5; }));
      }
    }
    std::sort(places.begin(), places.end());
    for (uint32_t i = 0; i < 40; ++i) CHECK(places[i] == i);
  }
}

void puts_what_walks_come_by_first() {
  std::mt19937 random(5);
  for (const uint32_t rows : {1u, 4u, 5u, 23u, 500u}) {
    for (const uint32_t per_unit : {1u, 5u, 7u}) {
      std::vector<uint32_t> before(rows);
      for (uint32_t i = 0; i < rows; ++i) before[i] = i;
      std::shuffle(before.begin(), before.end(), random);
      std::vector<uint32_t> visits((rows + per_unit - 1) / per_unit);
      for (uint32_t& count : visits) count = random() % 4;
      std::vector<uint32_t> places = before;
      put_hot_units_first(visits, per_unit, &places);
      std::vector<uint32_t> visits_of(visits.size());
      for (uint32_t row = 0; row < rows; ++row) {
        CHECK(places[row] % per_unit == before[row] % per_unit);
        visits_of[places[row] / per_unit] = visits[before[row] / per_unit];
      }
      const uint32_t full = rows / per_unit;
      CHECK(std::is_sorted(visits_of.begin(), visits_of.begin() + full, std::greater<>()));
      if (full < visits.size()) CHECK(visits_of[full] == visits[full]);
      std::sort(places.begin(), places.end());
      for (uint32_t i = 0; i < rows; ++i) CHECK(places[i] == i);
    }
  }
}

void finds_what_is_near() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shapes[] = {{ELANUS_FLOAT32, ELANUS_L2, 32},      {ELANUS_FLOAT32, ELANUS_COSINE, 37},
                          {ELANUS_FLOAT16, ELANUS_IP, 24},      {ELANUS_BFLOAT16, ELANUS_L2, 16},
                          {ELANUS_FLOAT32, ELANUS_L2, 2000}};
  for (const Shape& shape : shapes) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    ElanusIndex* const built = build(simd, shape, disk_spec(16, 0), bytes, kRows, 2);
    ElanusIndex* const opened = reopened(simd, built, directory.file("index"));
    CHECK(elanus_index_info(opened).layout == ELANUS_LAYOUT_DISK);
    CHECK(elanus_index_info(opened).memory_bytes < elanus_index_info(built).memory_bytes);
    for (ElanusIndex* const index : {built, opened}) {
      ElanusIndexSearch search = search_of(queries);
      set_no_bounds(shape.metric, &search);
      const double all = recall(simd, shape, bytes, search, run(index, search));
      CHECK(all >= 0.95);
      for (const uint32_t period : {2u, 10u, 100u}) {
        std::vector<uint8_t> allowed((kRows + 7) / 8);
        for (uint32_t row = 0; row < kRows; row += period) allowed[row / 8] |= static_cast<uint8_t>(1u << row % 8);
        search.allowed = allowed.data();
        search.allowed_size = allowed.size();
        const double some = recall(simd, shape, bytes, search, run(index, search));
        CHECK(some >= 0.95);
      }
    }
    // A file of a file is the same.
    ElanusIndex* const again = reopened(simd, opened, directory.file("copy"));
    ElanusIndexSearch search = search_of(queries);
    set_no_bounds(shape.metric, &search);
    CHECK(run(again, search) == run(opened, search));
    elanus_index_release(again);
    elanus_index_release(opened);
    elanus_index_release(built);
  }
}

// Searches of several threads, with units in memory or without.
void keeps_what_most_searches_read() {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  uint64_t read_without = 0;
  for (const uint32_t cache_bytes : {0u, 20u, 40u}) {
    ElanusIndex* const built = build(&simd, shape, disk_spec(16, cache_bytes), bytes, kRows, 2);
    const std::string path = directory.file("index");
    ElanusIndex* const opened = reopened(&simd, built, path);
    ElanusIndexSearch search = search_of(queries);
    search.ef = 20;
    set_no_bounds(shape.metric, &search);
    const Hits cold = run(opened, search);
    CHECK(recall(&simd, shape, bytes, search, cold) >= 0.9);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) threads.emplace_back([&] { CHECK(run(opened, search) == cold); });
    for (std::thread& thread : threads) thread.join();

    const std::unique_ptr<VectorIndex> index = open_disk(simd, path);
    SearchScratch scratch;
    const auto run_all = [&] {
      const DiskGraphReads before = disk_graph_reads(scratch);
      for (uint32_t q = 0; q < kQueries; ++q)
        index->search(disk_search(reinterpret_cast<const float*>(queries.data()) + q * 32, 20, AllowedRows()), scratch);
      const DiskGraphReads after = disk_graph_reads(scratch);
      return DiskGraphReads{after.blocks - before.blocks, after.waves - before.waves, after.kept_units - before.kept_units};
    };
    run_all();
    const DiskGraphReads warm = run_all();
    if (cache_bytes == 0) read_without = warm.blocks;
    CHECK((warm.kept_units > 0) == (cache_bytes > 0));
    CHECK(cache_bytes == 0 || warm.blocks < read_without);
    CHECK(index->memory_bytes() <= kRows * (16 + 4 + size_t{cache_bytes}) + 100'000);
    elanus_index_release(opened);
    elanus_index_release(built);
  }
}

// Links would not fit beside codes of so many directions. Scans are dear enough for some searches to walk first.
void finds_what_is_far() {
  const DiskVectors vectors = in_few_directions(kManyRows, 88, 88, 0, 1);
  const DiskVectors queries = in_few_directions(4, 88, 88, 0, 2);
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE})
    finds_the_nearest_of_what_is_far(vectors, queries, metric, disk_spec(44, 0), IndexKind::kDiskGraph);
}

void keeps_to_a_range() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndex* const built = build(simd, shape, disk_spec(16, 0), bytes, kRows, 1);
  ElanusIndex* const opened = reopened(simd, built, directory.file("index"));
  ElanusIndexSearch search = search_of(queries);
  search.ef = 200;
  search.outer = 14;
  search.inner = 10;
  const Hits hits = run(opened, search);
  CHECK(recall(simd, shape, bytes, search, hits) >= 0.9);
  for (uint32_t q = 0; q < kQueries; ++q) {
    for (uint32_t i = 0; i < hits.counts[q]; ++i)
      CHECK(hits.scores[q * kK + i] >= 10 && hits.scores[q * kK + i] < 14);
  }
  elanus_index_release(opened);
  elanus_index_release(built);
}

void survives_damage_and_few_rows() {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 20};
  const std::vector<uint8_t> all = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  const std::string path = directory.file("index");
  for (const uint32_t rows : {0u, 1u, 7u}) {
    ElanusIndex* const built = build(&simd, shape, disk_spec(8, 0), all, rows, 1);
    ElanusIndex* const opened = reopened(&simd, built, path);
    ElanusIndexSearch search = search_of(queries);
    set_no_bounds(shape.metric, &search);
    CHECK(run(opened, search).counts[0] == rows);
    elanus_index_release(opened);
    elanus_index_release(built);
  }
  ElanusIndex* const built = build(&simd, shape, disk_spec(8, 30), all, kRows, 1);
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  survives_damage(path, reinterpret_cast<const float*>(queries.data()), shape.dim);
}

}  // namespace

int main() {
  reads_blocks_in_both_ways();
  puts_neighbours_together();
  puts_what_walks_come_by_first();
  finds_what_is_near();
  keeps_what_most_searches_read();
  finds_what_is_far();
  keeps_to_a_range();
  survives_damage_and_few_rows();
  std::printf("disk_graph_test: ok\n");
}
