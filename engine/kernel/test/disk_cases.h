// What the tests of both layouts of DISKANN share: their files, what searches find and read, and damage.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../src/cc/index/disk_graph.h"
#include "../src/cc/index/disk_vectors.h"
#include "../src/cc/index/search_scratch.h"
#include "index_cases.h"
#include "lying_file.h"
#include "temporary_directory.h"

inline constexpr float kInfinite = std::numeric_limits<float>::infinity();
// Enough for walks to pay: fewer rows are scanned.
inline constexpr uint32_t kManyRows = 16'000;

inline ElanusIndexSpec disk_spec(uint32_t code_bytes, uint32_t cache_bytes) {
  ElanusIndexSpec spec{};
  spec.type = ELANUS_DISKANN;
  spec.m = 16;
  spec.ef_construction = 60;
  spec.code_bytes = code_bytes;
  spec.cache_bytes = cache_bytes;
  return spec;
}

inline ElanusIndex* reopened(const ElanusSimd* simd, ElanusIndex* built, const std::string& path) {
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  ElanusIndex* opened = nullptr;
  CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &opened) == ELANUS_OK);
  ElanusWork* const work = elanus_work_new();
  CHECK(elanus_index_verify(opened, work) == ELANUS_OK);
  elanus_work_free(work);
  return opened;
}

inline elanus::IndexKind kind_of(const std::string& path) {
  std::shared_ptr<const elanus::IndexFile> file;
  CHECK(!elanus::IndexFile::open(path, &file).failed());
  return file->head().kind;
}

// nullptr when the file is damaged.
inline std::unique_ptr<elanus::VectorIndex> open_disk(const ElanusSimd& simd, const std::string& path) {
  std::shared_ptr<const elanus::IndexFile> file;
  if (elanus::IndexFile::open(path, &file).failed()) return nullptr;
  std::unique_ptr<elanus::VectorIndex> index;
  const bool is_graph = file->head().kind == elanus::IndexKind::kDiskGraph;
  const elanus::FileFault fault =
      is_graph ? elanus::open_disk_graph(simd, file, &index) : elanus::open_disk_vectors(simd, file, &index);
  return fault.failed() ? nullptr : std::move(index);
}

// float32, one vector behind the other.
struct DiskVectors {
  uint32_t dim;
  std::vector<float> values;

  uint32_t count() const { return static_cast<uint32_t>(values.size() / dim); }
  const float* at(size_t row) const { return values.data() + row * dim; }
};

// Around some centres in `latent` directions of many dimensions, and off them by a noise.
inline DiskVectors in_few_directions(uint32_t count, uint32_t dim, uint32_t latent, float noise, uint32_t seed) {
  std::mt19937 shape(3), random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> map(latent * dim), centres(40 * latent);
  for (float& value : map) value = normal(shape);
  for (float& value : centres) value = normal(shape);
  DiskVectors vectors = {dim, std::vector<float>(size_t{count} * dim)};
  for (uint32_t i = 0; i < count; ++i) {
    float* const vector = vectors.values.data() + size_t{i} * dim;
    const float* const centre = &centres[random() % 40 * latent];
    for (uint32_t l = 0; l < latent; ++l) {
      const float value = centre[l] + 0.5f * normal(random);
      for (uint32_t d = 0; d < dim; ++d) vector[d] += value * map[l * dim + d];
    }
    for (uint32_t d = 0; d < dim; ++d) vector[d] += noise * normal(random);
  }
  return vectors;
}

inline ElanusIndex* build_disk(const ElanusSimd& simd, const DiskVectors& vectors, ElanusMetric metric,
                               const ElanusIndexSpec& spec) {
  const ElanusRows block = {reinterpret_cast<const uint8_t*>(vectors.values.data()), vectors.values.size() * sizeof(float),
                            vectors.count(), 0};
  const ElanusIndexBuild build = {ELANUS_FLOAT32, metric, vectors.dim, spec, &block, 1, 2, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* built = nullptr;
  CHECK(elanus_index_build(&simd, &build, work, &built) == ELANUS_OK);
  elanus_work_free(work);
  return built;
}

// All rows from the nearest to the farthest.
inline std::vector<uint32_t> ordered_rows(const DiskVectors& vectors, const float* query, ElanusMetric metric) {
  std::vector<std::pair<double, uint32_t>> ranks;
  for (uint32_t row = 0; row < vectors.count(); ++row) {
    double dot = 0, square = 0, distance = 0;
    for (uint32_t d = 0; d < vectors.dim; ++d) {
      const double a = vectors.at(row)[d], b = query[d];
      dot += a * b;
      square += a * a;
      distance += (a - b) * (a - b);
    }
    ranks.push_back({metric == ELANUS_L2 ? distance : metric == ELANUS_IP ? -dot : -dot / std::sqrt(square), row});
  }
  std::sort(ranks.begin(), ranks.end());
  std::vector<uint32_t> rows;
  for (const auto& [rank, row] : ranks) rows.push_back(row);
  return rows;
}

inline elanus::IndexSearch disk_search(const float* query, uint32_t ef, const elanus::AllowedRows& allowed) {
  elanus::IndexSearch search{};
  search.query = reinterpret_cast<const uint8_t*>(query);
  search.k = kK;
  search.ef = ef;
  search.refine_k = 1;
  search.allowed = allowed;
  search.range = {-kInfinite, kInfinite};
  return search;
}

inline std::vector<uint32_t> rows_of(const std::vector<elanus::IndexHit>& hits) {
  std::vector<uint32_t> rows;
  for (const elanus::IndexHit& hit : hits) rows.push_back(hit.row);
  return rows;
}

struct Found {
  std::vector<std::vector<uint32_t>> rows;  // by query
  uint64_t blocks = 0;                      // that were read
};

inline Found find_all(const elanus::VectorIndex& index, const DiskVectors& queries, uint32_t ef,
                      const elanus::AllowedRows& allowed) {
  elanus::SearchScratch scratch;
  Found found;
  for (uint32_t q = 0; q < queries.count(); ++q)
    found.rows.push_back(rows_of(index.search(disk_search(queries.at(q), ef, allowed), scratch)));
  found.blocks = elanus::disk_graph_reads(scratch).blocks;
  return found;
}

// Of the first `kK` allowed rows of an order, how many were found.
inline double share_found(const std::vector<uint32_t>& order, const elanus::AllowedRows& allowed,
                          const std::vector<uint32_t>& found) {
  size_t wanted = 0, right = 0;
  for (size_t i = 0; i < order.size() && wanted < kK; ++i) {
    if (!allowed.has(order[i])) continue;
    ++wanted;
    right += static_cast<size_t>(std::count(found.begin(), found.end(), order[i]));
  }
  return static_cast<double>(right) / static_cast<double>(wanted);
}

// How many are found of the kK allowed rows that come behind those, by the rank of the last one.
inline double share_found_behind(const elanus::VectorIndex& index, elanus::IndexSearch search,
                                 const std::vector<uint32_t>& order, const elanus::IndexHit& last) {
  elanus::SearchScratch scratch;
  search.range.lowest = std::nextafter(last.rank, kInfinite);
  const std::vector<elanus::IndexHit>& hits = index.search(search, scratch);
  for (const elanus::IndexHit& hit : hits) CHECK(hit.rank > last.rank);
  return share_found({std::find(order.begin(), order.end(), last.row) + 1, order.end()}, search.allowed, rows_of(hits));
}

// What a filter leaves far from a query is a crowd: many rows about as far away, and codes do not tell them apart. They are
// found in the file and before there is one.
inline void finds_the_nearest_of_what_is_far(const DiskVectors& vectors, const DiskVectors& queries, ElanusMetric metric,
                                             const ElanusIndexSpec& spec, elanus::IndexKind kind) {
  TemporaryDirectory directory;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  ElanusIndex* const built = build_disk(simd, vectors, metric, spec);
  const std::string path = directory.file("index");
  CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
  CHECK(kind_of(path) == kind);
  const std::unique_ptr<elanus::VectorIndex> index = open_disk(simd, path);
  const uint32_t rows = vectors.count();
  std::vector<std::vector<uint32_t>> orders;
  for (uint32_t q = 0; q < queries.count(); ++q) orders.push_back(ordered_rows(vectors, queries.at(q), metric));
  for (const uint32_t ef : {16u, 100u}) {
    for (const uint32_t period : {2u, 10u, 100u, rows / (kK - 2)}) {
      checked_case = "metric " + std::to_string(metric) + ", search_list " + std::to_string(ef) + ", the farthest of every " +
                     std::to_string(period);
      double in_file = 0, behind = 0, in_memory = 0;
      for (uint32_t q = 0; q < queries.count(); ++q) {
        const DiskVectors query = {vectors.dim, {queries.at(q), queries.at(q + 1)}};
        std::vector<uint8_t> bits((rows + 7) / 8);
        for (uint32_t i = rows - rows / period; i < rows; ++i)
          bits[orders[q][i] / 8] |= static_cast<uint8_t>(1u << orders[q][i] % 8);
        const elanus::AllowedRows allowed(simd, bits.data(), rows);
        elanus::SearchScratch scratch;
        const elanus::IndexSearch first = disk_search(queries.at(q), ef, allowed);
        const std::vector<elanus::IndexHit>& found = index->search(first, scratch);
        CHECK(found.size() == std::min(kK, rows / period));
        // A walk that gives up, then a scan that reads the best rows by their codes, some from all over, and those in doubt.
        CHECK(elanus::disk_graph_reads(scratch).blocks <= 2 * period * ef + ef + 32 + 1024 + 16 * ef);
        in_file += share_found(orders[q], allowed, rows_of(found));
        if (rows / period >= 2 * kK) behind += share_found_behind(*index, first, orders[q], found.back());

        std::vector<uint32_t> hits(kK);
        std::vector<float> scores(kK);
        uint32_t count = 0;
        ElanusIndexSearch search{};
        search.queries = reinterpret_cast<const uint8_t*>(query.values.data());
        search.queries_size = query.values.size() * sizeof(float);
        search.query_count = 1;
        search.k = kK;
        search.ef = ef;
        search.refine_k = 1;
        search.allowed = bits.data();
        search.allowed_size = bits.size();
        set_no_bounds(metric, &search);
        CHECK(elanus_index_search_run(built, &search, {&count, hits.data(), scores.data()}) == ELANUS_OK);
        CHECK(count == std::min(kK, rows / period));
        in_memory += share_found(orders[q], allowed, hits);
      }
      CHECK(in_file >= 0.97 * queries.count());
      CHECK(behind >= 0.9 * queries.count() || rows / period < 2 * kK);
      CHECK(in_memory >= 0.97 * queries.count());
    }
  }
  checked_case.clear();
  elanus_index_release(built);
}

// Whatever stands in the sound file of `path` instead, a search ends, and returns rows that there are, each once.
inline void survives_damage(const std::string& path, const float* query, uint32_t dim) {
  std::mt19937 random(3);
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const elanus::IndexKind kind = kind_of(path);
  const uint32_t rows = open_disk(simd, path)->rows();
  const std::vector<uint8_t> sound = read_file(path);
  const Sections sections = sections_of(path);
  const std::vector<uint8_t> odd((rows + 7) / 8, 0xaa);
  // As long as a damaged file may say that vectors are.
  std::vector<float> long_query(ELANUS_INT8_DIM_MAX);
  std::copy_n(query, dim, long_query.begin());
  elanus::SearchScratch scratch;
  for (uint32_t round = 0; round < 500; ++round) {
    if (round % 2 == 0) {
      std::vector<uint8_t> bytes = sound;
      for (uint32_t i = 0; i < 1 + random() % 1000; ++i)
        bytes[4096 + random() % (bytes.size() - 4096)] = static_cast<uint8_t>(random());
      write_file(path, bytes);
    } else {
      Sections lying = sections;
      tell_lies(random, rows, &lying);
      write_sections(path, kind, lying);
    }
    const std::unique_ptr<elanus::VectorIndex> index = open_disk(simd, path);
    if (index == nullptr) continue;
    index->links_are_sound(nullptr);
    const elanus::AllowedRows some(simd, odd.data(), std::min(rows, index->rows()));
    const elanus::AllowedRows allowed = random() % 2 == 0 ? some : elanus::AllowedRows();
    elanus::IndexSearch search = disk_search(long_query.data(), 1 + random() % 60, allowed);
    search.k = std::min(search.ef, 20u);
    std::vector<bool> seen(index->rows());
    for (const elanus::IndexHit& hit : index->search(search, scratch)) {
      CHECK(hit.row < index->rows() && !seen[hit.row] && search.allowed.has(hit.row));
      seen[hit.row] = true;
    }
  }
}
