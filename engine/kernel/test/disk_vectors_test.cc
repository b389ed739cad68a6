// DISKANN with its links in memory: links in few bits, what walks and scans find, how little they read, and no harm from
// damage.
#include "../src/cc/index/disk_vectors.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "../src/cc/index/packed_links.h"
#include "../src/cc/index/search_scratch.h"
#include "index_cases.h"
#include "lying_file.h"
#include "temporary_directory.h"

using namespace elanus;

namespace {

constexpr float kInfinite = std::numeric_limits<float>::infinity();
// Enough for walks to pay: fewer rows are scanned.
constexpr uint32_t kManyRows = 16'000;

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

ElanusIndexSpec spec_of(uint32_t code_bytes, uint32_t cache_bytes) {
  ElanusIndexSpec spec{};
  spec.type = ELANUS_DISKANN;
  spec.m = 16;
  spec.ef_construction = 60;
  spec.code_bytes = code_bytes;
  spec.cache_bytes = cache_bytes;
  return spec;
}

ElanusIndex* reopened(const ElanusSimd* simd, ElanusIndex* built, const std::string& path) {
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  ElanusIndex* opened = nullptr;
  CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &opened) == ELANUS_OK);
  ElanusWork* const work = elanus_work_new();
  CHECK(elanus_index_verify(opened, work) == ELANUS_OK);
  elanus_work_free(work);
  return opened;
}

IndexKind kind_of(const std::string& path) {
  std::shared_ptr<const IndexFile> file;
  CHECK(!IndexFile::open(path, &file).failed());
  return file->head().kind;
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
    ElanusIndex* const built = build(simd, shape, spec_of(16, shape.dim + 60), bytes, kRows, 2);
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
    ElanusIndex* const built = build(simd, shape, spec_of(16, cache_bytes), bytes, kRows, 2);
    CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
    CHECK(kind_of(path) == (cache_bytes < 46 ? IndexKind::kDiskGraph : IndexKind::kDiskVectors));
    elanus_index_release(built);
  }
}

// Rows in `latent` directions of many dimensions, around some centres.
std::vector<float> in_few_directions(uint32_t count, uint32_t dim, uint32_t latent, uint32_t seed) {
  std::mt19937 shape(3), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> map(latent * dim), centres(40 * latent);
  for (float& value : map) value = normal(shape);
  for (float& value : centres) value = normal(shape);
  std::vector<float> vectors(size_t{count} * dim);
  for (uint32_t i = 0; i < count; ++i) {
    const float* const centre = &centres[random() % 40 * latent];
    for (uint32_t l = 0; l < latent; ++l) {
      const float value = centre[l] + 0.5f * normal(random);
      for (uint32_t d = 0; d < dim; ++d) vectors[i * dim + d] += value * map[l * dim + d];
    }
  }
  return vectors;
}

struct Walked {
  std::vector<std::vector<uint32_t>> rows;
  uint64_t blocks;
};

Walked walk_all(const VectorIndex& index, const std::vector<float>& queries, uint32_t ef, const AllowedRows& allowed) {
  SearchScratch scratch;
  Walked walked = {};
  for (size_t q = 0; q < queries.size() / index.dim(); ++q) {
    IndexSearch search{};
    search.query = reinterpret_cast<const uint8_t*>(queries.data() + q * index.dim());
    search.k = kK;
    search.ef = ef;
    search.refine_k = 1;
    search.allowed = allowed;
    search.range = {-kInfinite, kInfinite};
    walked.rows.emplace_back();
    for (const IndexHit& hit : index.search(search, scratch)) walked.rows.back().push_back(hit.row);
  }
  walked.blocks = disk_graph_reads(scratch).blocks;
  return walked;
}

double share_found(const std::vector<float>& vectors, const std::vector<float>& queries, uint32_t dim, const AllowedRows& allowed,
                   const Walked& walked) {
  size_t found = 0;
  for (size_t q = 0; q < walked.rows.size(); ++q) {
    std::vector<std::pair<double, uint32_t>> all;
    for (uint32_t row = 0; row < vectors.size() / dim; ++row) {
      if (!allowed.has(row)) continue;
      double square = 0;
      for (uint32_t d = 0; d < dim; ++d) {
        const double rest = static_cast<double>(vectors[size_t{row} * dim + d]) - static_cast<double>(queries[q * dim + d]);
        square += rest * rest;
      }
      all.push_back({square, row});
    }
    std::partial_sort(all.begin(), all.begin() + kK, all.end());
    for (uint32_t i = 0; i < kK; ++i)
      found += static_cast<size_t>(std::count(walked.rows[q].begin(), walked.rows[q].end(), all[i].second));
  }
  return static_cast<double>(found) / static_cast<double>(kK * walked.rows.size());
}

// Codes of 72 dimensions would not fit, those of the few directions that there are do.
void walks_in_memory_and_reads_what_it_has_found() {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  constexpr uint32_t kDim = 72;
  const std::vector<float> vectors = in_few_directions(kManyRows, kDim, 12, 1);
  const std::vector<float> queries = in_few_directions(20, kDim, 12, 2);
  const ElanusRows block = {reinterpret_cast<const uint8_t*>(vectors.data()), vectors.size() * sizeof(float), kManyRows, 0};
  const ElanusIndexBuild build = {ELANUS_FLOAT32, ELANUS_L2, kDim, spec_of(36, 28), &block, 1, 2, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* built = nullptr;
  CHECK(elanus_index_build(&simd, &build, work, &built) == ELANUS_OK);
  elanus_work_free(work);
  const std::string path = directory.file("index");
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  CHECK(kind_of(path) == IndexKind::kDiskVectors);
  std::shared_ptr<const IndexFile> file;
  std::unique_ptr<VectorIndex> index;
  CHECK(!IndexFile::open(path, &file).failed() && !open_disk_vectors(simd, file, &index).failed());
  CHECK(index->memory_bytes() <= kManyRows * size_t{36 + 28 + 4});

  std::vector<uint8_t> odd(kManyRows / 8, 0xaa);
  for (const AllowedRows& allowed : {AllowedRows(), AllowedRows(simd, odd.data(), kManyRows)}) {
    const Walked once = walk_all(*index, queries, 10, allowed);
    CHECK(share_found(vectors, queries, kDim, allowed, once) >= 0.9);
    // No more than a block for each row that is ranked.
    CHECK(once.blocks <= 10 * once.rows.size());
    CHECK(share_found(vectors, queries, kDim, allowed, walk_all(*index, queries, 40, allowed)) >= 0.98);
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 3; ++i)
      threads.emplace_back([&] { CHECK(walk_all(*index, queries, 10, allowed).rows == once.rows); });
    for (std::thread& thread : threads) thread.join();
  }
}

// What is left far from a query is a crowd: many rows about as far away, and codes do not tell them apart.
void finds_the_nearest_of_what_is_far() {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  constexpr uint32_t kDim = 72;
  constexpr uint32_t kAsked = 10;
  std::vector<float> vectors = in_few_directions(kManyRows, kDim, 12, 1);
  std::vector<float> queries = in_few_directions(kAsked, kDim, 12, 2);
  std::mt19937 random(4);
  std::normal_distribution<float> noise(0, 0.15f);
  for (float& value : vectors) value += noise(random);
  for (float& value : queries) value += noise(random);
  const ElanusRows block = {reinterpret_cast<const uint8_t*>(vectors.data()), vectors.size() * sizeof(float), kManyRows, 0};
  const ElanusIndexBuild build = {ELANUS_FLOAT32, ELANUS_L2, kDim, spec_of(36, 28), &block, 1, 2, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* built = nullptr;
  CHECK(elanus_index_build(&simd, &build, work, &built) == ELANUS_OK);
  elanus_work_free(work);
  const std::string path = directory.file("index");
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  CHECK(kind_of(path) == IndexKind::kDiskVectors);
  std::shared_ptr<const IndexFile> file;
  std::unique_ptr<VectorIndex> index;
  CHECK(!IndexFile::open(path, &file).failed() && !open_disk_vectors(simd, file, &index).failed());
  for (const uint32_t share : {2u, 10u, 100u}) {
    double found = 0;
    for (uint32_t q = 0; q < kAsked; ++q) {
      const std::vector<float> query(queries.begin() + q * kDim, queries.begin() + (q + 1) * kDim);
      std::vector<std::pair<float, uint32_t>> far;
      for (uint32_t row = 0; row < kManyRows; ++row) {
        float square = 0;
        for (uint32_t d = 0; d < kDim; ++d) {
          const float rest = vectors[size_t{row} * kDim + d] - query[d];
          square += rest * rest;
        }
        far.push_back({-square, row});
      }
      std::sort(far.begin(), far.end());
      std::vector<uint8_t> bits((kManyRows + 7) / 8);
      for (uint32_t i = 0; i < kManyRows / share; ++i) bits[far[i].second / 8] |= static_cast<uint8_t>(1u << far[i].second % 8);
      const AllowedRows allowed(simd, bits.data(), kManyRows);
      found += share_found(vectors, query, kDim, allowed, walk_all(*index, query, 16, allowed));
    }
    CHECK(found / kAsked >= 0.98);
  }
}

void keeps_to_a_range() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndex* const built = build(simd, shape, spec_of(16, 60), bytes, kRows, 1);
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
  std::mt19937 random(3);
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const std::string path = directory.file("index");
  {
    const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 20};
    const std::vector<uint8_t> all = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    for (const uint32_t rows : {0u, 1u, 7u}) {
      ElanusIndex* const built = build(&simd, shape, spec_of(8, 60), all, rows, 1);
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
  constexpr uint32_t kWalkedRows = 6000;
  constexpr uint32_t kDim = 24;
  const std::vector<float> vectors = in_few_directions(kWalkedRows, kDim, 8, 1);
  const ElanusRows block = {reinterpret_cast<const uint8_t*>(vectors.data()), vectors.size() * sizeof(float), kWalkedRows, 0};
  const ElanusIndexBuild build = {ELANUS_FLOAT32, ELANUS_COSINE, kDim, spec_of(16, 60), &block, 1, 1, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* built = nullptr;
  CHECK(elanus_index_build(&simd, &build, work, &built) == ELANUS_OK);
  elanus_work_free(work);
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  elanus_index_release(built);
  const std::vector<uint8_t> sound = read_file(path);
  SearchScratch scratch;
  const Sections sections = sections_of(path);
  for (uint32_t round = 0; round < 500; ++round) {
    if (round % 2 == 0) {
      std::vector<uint8_t> bytes = sound;
      for (uint32_t i = 0; i < 1 + random() % 2000; ++i)
        bytes[4096 + random() % (bytes.size() - 4096)] = static_cast<uint8_t>(random());
      write_file(path, bytes);
    } else {
      Sections lying = sections;
      tell_lies(random, kWalkedRows, &lying);
      write_sections(path, IndexKind::kDiskVectors, lying);
    }
    std::shared_ptr<const IndexFile> file;
    std::unique_ptr<VectorIndex> index;
    if (IndexFile::open(path, &file).failed() || open_disk_vectors(simd, std::move(file), &index).failed()) continue;
    index->links_are_sound(nullptr);
    // As long as a damaged file may say that vectors are.
    std::vector<uint8_t> query(ELANUS_INT8_DIM_MAX * sizeof(float));
    std::copy_n(block.bytes, kDim * sizeof(float), query.begin());
    IndexSearch search{};
    search.query = query.data();
    search.k = 20;
    search.ef = 20 + random() % 30;
    search.refine_k = 1;
    search.range = {-kInfinite, kInfinite};
    std::vector<bool> seen(index->rows());
    for (const IndexHit& hit : index->search(search, scratch)) {
      CHECK(hit.row < index->rows() && !seen[hit.row]);
      seen[hit.row] = true;
    }
  }
}

}  // namespace

int main() {
  packs_links_and_mistrusts_them();
  finds_what_is_near_in_few_rows();
  keeps_links_on_disk_without_room();
  walks_in_memory_and_reads_what_it_has_found();
  finds_the_nearest_of_what_is_far();
  keeps_to_a_range();
  survives_damage_and_few_rows();
  std::printf("disk_vectors_test: ok\n");
}
