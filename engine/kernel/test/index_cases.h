// What the tests of the C interface of indexes share: vectors, indexes of them, and how good what they find is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "../src/cc/index/narrow.h"
#include "check.h"
#include "elanus/index.h"

inline constexpr uint32_t kRows = 1500;
inline constexpr uint32_t kQueries = 12;
inline constexpr uint32_t kK = 10;

struct Shape {
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim;
};

// In memory of its exact size, so that the address sanitizer sees each byte beyond.
inline std::vector<uint8_t> clustered(const Shape& shape, uint32_t count, uint32_t seed) {
  std::mt19937 centre_random(7);
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(20 * size_t{shape.dim});
  for (float& value : centres) value = normal(centre_random);
  std::vector<uint8_t> bytes;
  const auto append = [&bytes](auto number) {
    const auto* const from = reinterpret_cast<const uint8_t*>(&number);
    bytes.insert(bytes.end(), from, from + sizeof number);
  };
  for (uint32_t i = 0; i < count; ++i) {
    const float* const centre = &centres[random() % 20 * size_t{shape.dim}];
    for (uint32_t d = 0; d < shape.dim; ++d) {
      const float value = centre[d] + 0.5f * normal(random);
      if (shape.type == ELANUS_FLOAT32) append(value);
      if (shape.type == ELANUS_FLOAT16) append(elanus::float16_from_float(value));
      if (shape.type == ELANUS_BFLOAT16) append(elanus::bfloat16_from_float(value));
      if (shape.type == ELANUS_INT8) append(static_cast<int8_t>(std::clamp(20 * value, -127.0f, 127.0f)));
    }
  }
  bytes.shrink_to_fit();
  return bytes;
}

struct Hits {
  std::vector<uint32_t> counts = std::vector<uint32_t>(kQueries);
  std::vector<uint32_t> rows = std::vector<uint32_t>(kQueries * kK);
  std::vector<float> scores = std::vector<float>(kQueries * kK);

  ElanusIndexHits view() { return {counts.data(), rows.data(), scores.data()}; }
  bool operator==(const Hits& other) const {
    return counts == other.counts && rows == other.rows && scores == other.scores;
  }
};

inline ElanusIndexSearch search_of(const std::vector<uint8_t>& queries) {
  ElanusIndexSearch search{};
  search.queries = queries.data();
  search.queries_size = queries.size();
  search.query_count = kQueries;
  search.k = kK;
  search.ef = 100;
  search.refine_k = 4;
  return search;
}

inline void set_no_bounds(ElanusMetric metric, ElanusIndexSearch* search) {
  search->outer = metric == ELANUS_L2 ? INFINITY : -INFINITY;
  search->inner = -search->outer;
}

inline ElanusIndex* build(const ElanusSimd* simd, const Shape& shape, const ElanusIndexSpec& spec,
                   const std::vector<uint8_t>& bytes, uint32_t rows, uint32_t threads) {
  const size_t half = rows / 2 * (bytes.size() / kRows);
  const ElanusRows blocks[] = {{bytes.data(), half, rows / 2, 0},
                               {bytes.data() + half, bytes.size() - half, rows - rows / 2, 0}};
  const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, spec, blocks, 2, threads, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_OK);
  CHECK(elanus_work_done(work) > 0);
  elanus_work_free(work);
  CHECK(elanus_index_info(index).rows == rows);
  return index;
}

inline Hits run(ElanusIndex* index, const ElanusIndexSearch& search) {
  Hits hits;
  CHECK(elanus_index_search_run(index, &search, hits.view()) == ELANUS_OK);
  return hits;
}

// The exact search's rows, as sets by query, and how many of them are found.
inline double recall(const ElanusSimd* simd, const Shape& shape, const std::vector<uint8_t>& bytes,
              const ElanusIndexSearch& search, const Hits& hits) {
  std::vector<int64_t> keys(kRows);
  for (uint32_t i = 0; i < kRows; ++i) keys[i] = i;
  ElanusBlock block{};
  block.bytes = bytes.data();
  block.bytes_size = bytes.size();
  block.rows = kRows;
  block.allowed = search.allowed;
  block.keys.int64_values = keys.data();
  ElanusExactSearch exact{};
  exact.type = shape.type;
  exact.metric = shape.metric;
  exact.dim = shape.dim;
  exact.queries = search.queries;
  exact.queries_size = search.queries_size;
  exact.query_count = kQueries;
  exact.k = kK;
  exact.outer = search.outer;
  exact.inner = search.inner;
  exact.blocks = &block;
  exact.block_count = 1;
  std::vector<uint32_t> blocks(kQueries * kK);
  Hits best;
  CHECK(elanus_exact_search_run(simd, &exact,
                                {best.counts.data(), blocks.data(), best.rows.data(), best.scores.data()}) ==
        ELANUS_OK);
  uint32_t wanted = 0, found = 0;
  for (uint32_t q = 0; q < kQueries; ++q) {
    const auto at = best.rows.begin() + q * kK;
    wanted += best.counts[q];
    for (uint32_t i = 0; i < hits.counts[q]; ++i) {
      const uint32_t row = hits.rows[q * kK + i];
      CHECK(search.allowed == nullptr || (search.allowed[row / 8] >> row % 8 & 1) != 0);
      found += std::find(at, at + best.counts[q], row) != at + best.counts[q];
    }
  }
  return wanted == 0 ? 1 : static_cast<double>(found) / wanted;
}

inline ElanusIndexSpec hnsw(ElanusIndexLayout layout) {
  ElanusIndexSpec spec{};
  spec.type = ELANUS_HNSW;
  spec.layout = layout;
  spec.m = 16;
  spec.ef_construction = 60;
  return spec;
}

// Lists with the vectors beside their codes, or with codes of 8 bits for IVF_SQ.
inline ElanusIndexSpec inverted(ElanusIndexType type) {
  ElanusIndexSpec spec{};
  spec.type = type;
  spec.lists = 20;
  spec.code = ELANUS_CODE_SQ8;
  spec.subquantizers = 4;
  spec.refine = type == ELANUS_SCANN ? ELANUS_CODE_FP32 : ELANUS_CODE_NONE;
  return spec;
}
