// DISKANN with its links in memory: links in few bits, what walks and scans find, how little they read, and no harm from
// damage.
#include "../src/cc/index/disk_vectors.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "../src/cc/index/packed_links.h"
#include "disk_cases.h"

using namespace elanus;

namespace {

std::vector<std::vector<uint32_t>> unpacked(const PackedLinks& links, uint32_t rows) {
  std::vector<std::vector<uint32_t>> lists(rows);
  for (uint32_t row = 0; row < rows; ++row) links.for_each(row, [&](uint32_t link) { lists[row].push_back(link); });
  return lists;
}

void packs_links_and_mistrusts_them() {
  TemporaryDirectory directory;
  const std::string path = directory.file("links");
  std::mt19937 random(9);
  for (const uint32_t rows : {1u, 2u, 3u, 4u, 255u, 256u, 5000u, 70'000u}) {
    for (const uint32_t degree : {1u, 7u, 16u, 33u}) {
      Graph graph;
      graph.rows = rows;
      graph.degree = degree;
      graph.links.resize(size_t{rows} * degree);
      std::vector<std::vector<uint32_t>> expected(rows);
      for (uint32_t row = 0; row < rows; ++row) {
        expected[row].resize(random() % (degree + 1));
        for (uint32_t& link : expected[row]) link = random() % rows;
        std::fill_n(graph.links.data() + size_t{row} * degree, degree, kNoRow);
        std::copy(expected[row].begin(), expected[row].end(), graph.links.data() + size_t{row} * degree);
      }
      IndexFileWriter writer(path);
      writer.begin("links");
      PackedLinks::write(graph, writer);
      CHECK(!writer.finish({IndexKind::kDiskVectors, {}}).failed());
      std::vector<uint8_t> bytes = sections_of(path)[0].second;
      CHECK(bytes.size() == rows * PackedLinks::node_bytes(rows, degree));
      bytes.resize(bytes.size() + 8);
      const PackedLinks packed(bytes.data(), rows, degree);
      CHECK(packed.are_sound(nullptr));
      CHECK(unpacked(packed, rows) == expected);
      // Whatever stands there, no link leads beyond the rows.
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      for (const std::vector<uint32_t>& list : unpacked(packed, rows)) {
        CHECK(list.size() <= degree);
        for (const uint32_t link : list) CHECK(link < rows);
      }
      if (rows == 5000) CHECK(!packed.are_sound(nullptr));
    }
  }
}

void finds_what_is_near_in_few_rows() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shapes[] = {{ELANUS_FLOAT32, ELANUS_L2, 32},      {ELANUS_FLOAT32, ELANUS_COSINE, 37},
                          {ELANUS_FLOAT16, ELANUS_IP, 24},      {ELANUS_BFLOAT16, ELANUS_L2, 16},
                          {ELANUS_FLOAT32, ELANUS_L2, 2000}};
  for (const Shape& shape : shapes) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    ElanusIndex* const built = build(simd, shape, disk_spec(16, shape.dim + 60), bytes, kRows, 2);
    const std::string path = directory.file("index");
    ElanusIndex* const opened = reopened(simd, built, path);
    CHECK(kind_of(path) == IndexKind::kDiskVectors);
    CHECK(elanus_index_info(opened).layout == ELANUS_LAYOUT_DISK);
    CHECK(elanus_index_info(opened).memory_bytes <= kRows * (16 + shape.dim + 60 + 4));
    for (ElanusIndex* const index : {built, opened}) {
      ElanusIndexSearch search = search_of(queries);
      set_no_bounds(shape.metric, &search);
      CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.99);
      for (const uint32_t period : {2u, 10u, 100u}) {
        std::vector<uint8_t> allowed((kRows + 7) / 8);
        for (uint32_t row = 0; row < kRows; row += period) allowed[row / 8] |= static_cast<uint8_t>(1u << row % 8);
        search.allowed = allowed.data();
        search.allowed_size = allowed.size();
        CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.99);
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

// Where there is no room for links they stay on the disk, and so they do where codes of all dimensions would take too much.
void keeps_links_on_disk_without_room() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::string path = directory.file("index");
  // 16 links of 11 bits are 22 bytes, a code with its factors 40.
  for (const uint32_t cache_bytes : {0u, 45u, 46u, 1000u}) {
    ElanusIndex* const built = build(simd, shape, disk_spec(16, cache_bytes), bytes, kRows, 2);
    CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
    CHECK(kind_of(path) == (cache_bytes < 46 ? IndexKind::kDiskGraph : IndexKind::kDiskVectors));
    elanus_index_release(built);
  }
}

// Codes of 72 dimensions would not fit, those of the few directions that there are do.
void walks_in_memory_and_reads_what_it_has_found() {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const DiskVectors vectors = in_few_directions(kManyRows, 72, 12, 0, 1);
  const DiskVectors queries = in_few_directions(20, 72, 12, 0, 2);
  ElanusIndex* const built = build_disk(simd, vectors, ELANUS_L2, disk_spec(36, 28));
  const std::string path = directory.file("index");
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  CHECK(kind_of(path) == IndexKind::kDiskVectors);
  const std::unique_ptr<VectorIndex> index = open_disk(simd, path);
  CHECK(index->memory_bytes() <= kManyRows * size_t{36 + 28 + 4});
  const auto recall_of = [&](const Found& found, const AllowedRows& allowed) {
    double shares = 0;
    for (uint32_t q = 0; q < queries.count(); ++q)
      shares += share_found(ordered_rows(vectors, queries.at(q), ELANUS_L2), allowed, found.rows[q]);
    return shares / queries.count();
  };

  std::vector<uint8_t> odd(kManyRows / 8, 0xaa);
  for (const AllowedRows& allowed : {AllowedRows(), AllowedRows(simd, odd.data(), kManyRows)}) {
    const Found once = find_all(*index, queries, 10, allowed);
    CHECK(recall_of(once, allowed) >= 0.9);
    // No more than a block for each row that is ranked.
    CHECK(once.blocks <= 10 * once.rows.size());
    CHECK(recall_of(find_all(*index, queries, 40, allowed), allowed) >= 0.98);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 3; ++i)
      threads.emplace_back([&] { CHECK(find_all(*index, queries, 10, allowed).rows == once.rows); });
    for (std::thread& thread : threads) thread.join();
  }
}

void finds_what_is_far() {
  const DiskVectors vectors = in_few_directions(kManyRows, 72, 12, 0.15f, 1);
  const DiskVectors queries = in_few_directions(4, 72, 12, 0.15f, 2);
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE})
    finds_the_nearest_of_what_is_far(vectors, queries, metric, disk_spec(36, 28), IndexKind::kDiskVectors);
}

void keeps_to_a_range() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndex* const built = build(simd, shape, disk_spec(16, 60), bytes, kRows, 1);
  ElanusIndex* const opened = reopened(simd, built, directory.file("index"));
  ElanusIndexSearch search = search_of(queries);
  search.ef = 20;
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
  const std::string path = directory.file("index");
  {
    const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 20};
    const std::vector<uint8_t> all = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    for (const uint32_t rows : {0u, 1u, 7u}) {
      ElanusIndex* const built = build(&simd, shape, disk_spec(8, 60), all, rows, 1);
      ElanusIndex* const opened = reopened(&simd, built, path);
      CHECK(kind_of(path) == IndexKind::kDiskVectors);
      ElanusIndexSearch search = search_of(queries);
      set_no_bounds(shape.metric, &search);
      CHECK(run(opened, search).counts[0] == rows);
      elanus_index_release(opened);
      elanus_index_release(built);
    }
  }
  // Walked, not scanned.
  const DiskVectors vectors = in_few_directions(6000, 24, 8, 0, 1);
  ElanusIndex* const built = build_disk(simd, vectors, ELANUS_COSINE, disk_spec(16, 60));
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  survives_damage(path, vectors.at(0), vectors.dim);
}

}  // namespace

int main() {
  packs_links_and_mistrusts_them();
  finds_what_is_near_in_few_rows();
  keeps_links_on_disk_without_room();
  walks_in_memory_and_reads_what_it_has_found();
  finds_what_is_far();
  keeps_to_a_range();
  survives_damage_and_few_rows();
  std::printf("disk_vectors_test: ok\n");
}
