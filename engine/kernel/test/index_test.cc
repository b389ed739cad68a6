// Exercises the C interface of indexes without Node, for the sanitizers: every kind, type and metric, several threads,
// filters, additions under searches, cancelled work, files.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../src/cc/index/narrow.h"
#include "check.h"
#include "elanus/index.h"
#include "temporary_directory.h"

namespace {

constexpr uint32_t kRows = 1500;
constexpr uint32_t kQueries = 12;
constexpr uint32_t kK = 10;

struct Shape {
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim;
};

// In memory of its exact size, so that the address sanitizer sees each byte beyond.
std::vector<uint8_t> clustered(const Shape& shape, uint32_t count, uint32_t seed) {
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

ElanusIndexSearch search_of(const std::vector<uint8_t>& queries) {
  ElanusIndexSearch search{};
  search.queries = queries.data();
  search.queries_size = queries.size();
  search.query_count = kQueries;
  search.k = kK;
  search.ef = 100;
  search.refine_k = 4;
  return search;
}

void set_no_bounds(ElanusMetric metric, ElanusIndexSearch* search) {
  search->outer = metric == ELANUS_L2 ? INFINITY : -INFINITY;
  search->inner = -search->outer;
}

ElanusIndex* build(const ElanusSimd* simd, const Shape& shape, const ElanusIndexSpec& spec,
                   const std::vector<uint8_t>& bytes, uint32_t rows, uint32_t threads) {
  const size_t half = rows / 2 * (bytes.size() / kRows);
  const ElanusRows blocks[] = {{bytes.data(), half, rows / 2},
                               {bytes.data() + half, bytes.size() - half, rows - rows / 2}};
  const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, spec, blocks, 2, threads, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_OK);
  CHECK(elanus_work_done(work) > 0);
  elanus_work_free(work);
  CHECK(elanus_index_info(index).rows == rows);
  return index;
}

Hits run(ElanusIndex* index, const ElanusIndexSearch& search) {
  Hits hits;
  CHECK(elanus_index_search_run(index, &search, hits.view()) == ELANUS_OK);
  return hits;
}

// The exact search's rows, as sets by query, and how many of them are found.
double recall(const ElanusSimd* simd, const Shape& shape, const std::vector<uint8_t>& bytes,
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

ElanusIndexSpec hnsw(ElanusIndexLayout layout) {
  return {ELANUS_HNSW, layout, 16, 60, ELANUS_CODE_NONE, 0, 0, 0, ELANUS_CODE_NONE};
}

void check_shape(const ElanusSimd* simd, const Shape& shape, const ElanusIndexSpec& spec) {
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  ElanusIndex* const index = build(simd, shape, spec, bytes, kRows, 2);
  CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.9);
  std::mt19937 random(3);
  for (const uint32_t share : {2u, 10u, 200u}) {
    std::vector<uint8_t> allowed((kRows + 7) / 8);
    for (uint32_t i = 0; i < kRows / share; ++i) {
      const uint32_t row = random() % kRows;
      allowed[row / 8] |= static_cast<uint8_t>(1u << row % 8);
    }
    search.allowed = allowed.data();
    search.allowed_size = allowed.size();
    CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.9);
  }
  elanus_index_release(index);
}

class Waiter {
 public:
  static void done(void* context, ElanusStatus status) {
    auto* const self = static_cast<Waiter*>(context);
    const std::lock_guard lock(self->mutex_);
    self->status_ = status;
    self->is_done_ = true;
    self->changed_.notify_one();
  }
  ElanusStatus wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_done_; });
    return status_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  ElanusStatus status_ = ELANUS_OK;
  bool is_done_ = false;
};

// Several searches at once, some cancelled, and the index released before they end.
void check_pool(const ElanusSimd* simd) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 32};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  ElanusIndex* const index = build(simd, shape, hnsw(ELANUS_LAYOUT_COMPACT), bytes, kRows, 2);
  const Hits expected = run(index, search);
  ElanusPool* const pool = elanus_pool_get(3);
  constexpr size_t kCount = 12;
  std::vector<Hits> hits(kCount);
  Waiter waiters[kCount];
  ElanusJob* jobs[kCount];
  for (size_t i = 0; i < kCount; ++i) {
    CHECK(elanus_index_search_start(pool, index, &search, hits[i].view(), Waiter::done, &waiters[i], &jobs[i]) ==
          ELANUS_OK);
  }
  elanus_index_release(index);
  for (size_t i = 1; i < kCount; i += 2) elanus_job_cancel(jobs[i]);
  for (size_t i = 0; i < kCount; ++i) {
    const ElanusStatus status = waiters[i].wait();
    elanus_job_release(jobs[i]);
    CHECK(status == ELANUS_OK || (i % 2 == 1 && status == ELANUS_CANCELLED));
    if (status == ELANUS_OK) CHECK(hits[i] == expected);
  }
}

void check_addition(const ElanusSimd* simd, const std::string& path) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 24};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  const size_t stride = bytes.size() / kRows;
  constexpr uint32_t kFirst = 700;
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  ElanusIndex* const built = build(simd, shape, hnsw(ELANUS_LAYOUT_COMPACT), bytes, kFirst, 1);
  CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
  elanus_index_release(built);
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &index) == ELANUS_OK);
  std::atomic<bool> added = false;
  std::thread searcher([&] {
    do {
      const Hits hits = run(index, search);
      for (const uint32_t count : hits.counts) CHECK(count == kK);
      CHECK(elanus_index_info(index).memory_bytes > 0);
    } while (!added);
  });
  // The first addition moves everything out of the file.
  for (uint32_t from = kFirst; from < kRows; from += 200) {
    const ElanusRows rows = {bytes.data() + from * stride, 200 * stride, 200};
    CHECK(elanus_index_add(index, &rows, 1, 2) == ELANUS_OK);
  }
  added = true;
  searcher.join();
  CHECK(elanus_index_info(index).rows == kRows);
  CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.95);
  elanus_index_release(index);
}

ElanusIndex* open(const ElanusSimd* simd, const std::string& path, const ElanusRows* vectors, ElanusStatus expected) {
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_open(simd, path.c_str(), vectors, vectors == nullptr ? 0 : 1, &index) == expected);
  CHECK((index != nullptr) == (expected == ELANUS_OK));
  return index;
}

ElanusStatus verify(ElanusIndex* index) {
  ElanusWork* const work = elanus_work_new();
  const ElanusStatus status = elanus_index_verify(index, work);
  CHECK(status != ELANUS_OK || elanus_work_done(work) == 1);
  elanus_work_free(work);
  return status;
}

// Files without vectors, which whoever opens them lends: as odd as can be, and of their exact size.
void check_vectors_outside(const ElanusSimd* simd, const std::string& path) {
  for (const Shape& shape : {Shape{ELANUS_FLOAT32, ELANUS_COSINE, 24}, Shape{ELANUS_FLOAT16, ELANUS_L2, 33},
                             Shape{ELANUS_INT8, ELANUS_COSINE, 20}}) {
    for (const ElanusIndexLayout layout : {ELANUS_LAYOUT_COMPACT, ELANUS_LAYOUT_FAST}) {
      const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
      const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
      ElanusIndexSearch search = search_of(queries);
      set_no_bounds(shape.metric, &search);
      ElanusIndex* const built = build(simd, shape, hnsw(layout), bytes, kRows, 1);
      CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
      std::vector<uint8_t> lent(1 + bytes.size());
      std::copy(bytes.begin(), bytes.end(), lent.begin() + 1);
      const ElanusRows vectors = {lent.data() + 1, bytes.size(), kRows};
      ElanusIndex* const index = open(simd, path, &vectors, ELANUS_OK);
      CHECK(run(index, search) == run(built, search));
      CHECK(elanus_index_info(index).memory_bytes + bytes.size() == elanus_index_info(built).memory_bytes);
      CHECK(verify(index) == ELANUS_OK);
      const ElanusRows fewer = {lent.data() + 1, bytes.size(), kRows - 1};
      const ElanusRows shorter = {lent.data() + 1, bytes.size() - 1, kRows};
      for (const ElanusRows* wrong : {&fewer, &shorter, static_cast<const ElanusRows*>(nullptr)})
        open(simd, path, wrong, ELANUS_INVALID_ARGUMENT);
      if (layout == ELANUS_LAYOUT_COMPACT) {
        const ElanusRows more = {bytes.data(), 100 * (bytes.size() / kRows), 100};
        CHECK(elanus_index_add(index, &more, 1, 1) == ELANUS_OK);
        CHECK(elanus_index_info(index).memory_bytes > elanus_index_info(built).memory_bytes);
      }
      elanus_index_release(index);
      elanus_index_release(built);
    }
  }
}

// Whatever happens to the sections of a file, it is refused, or searched, verified and added to without harm; and
// either it is told that it is damaged, or it finds what it found.
void check_damage(const ElanusSimd* simd, const std::string& path, const std::string& copy, uint32_t rounds) {
  std::mt19937 random(11);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 24};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  std::vector<uint8_t> half((kRows + 7) / 8, 0x55);
  std::vector<uint8_t> few((kRows + 7) / 8);
  for (uint32_t row = 0; row < kRows; row += 9) few[row / 8] |= static_cast<uint8_t>(1u << row % 8);
  ElanusIndexSearch searches[5];
  for (ElanusIndexSearch& search : searches) {
    search = search_of(queries);
    set_no_bounds(shape.metric, &search);
  }
  searches[1].ef = kRows;
  searches[2].allowed = half.data();
  searches[2].allowed_size = half.size();
  searches[3].allowed = few.data();
  searches[3].allowed_size = few.size();
  searches[4].inner = 0.8;
  const ElanusIndexSpec coded = {ELANUS_HNSW_SQ, ELANUS_LAYOUT_AUTO, 16, 60, ELANUS_CODE_SQ8, 0, 0, 0, ELANUS_CODE_FP16};
  for (const ElanusIndexSpec& spec : {hnsw(ELANUS_LAYOUT_COMPACT), hnsw(ELANUS_LAYOUT_FAST), coded}) {
    ElanusIndex* const built = build(simd, shape, spec, bytes, kRows, 1);
    CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
    std::vector<Hits> expected;
    for (const ElanusIndexSearch& search : searches) expected.push_back(run(built, search));
    elanus_index_release(built);
    const std::vector<uint8_t> sound = read_file(path);
    uint32_t opened = 0, found_damaged = 0;
    for (uint32_t round = 0; round < rounds; ++round) {
      std::vector<uint8_t> damaged = sound;
      // One bit, or as much as a bad sector; behind the first page, which tells of every change itself.
      const size_t at = 4096 + random() % (sound.size() - 4096);
      const size_t end = std::min<size_t>(sound.size(), at + (round % 3 == 0 ? 4096 : 1));
      for (size_t i = at; i < end; ++i)
        damaged[i] = round % 3 == 1 ? static_cast<uint8_t>(damaged[i] ^ 1u << random() % 8) : static_cast<uint8_t>(random());
      write_file(copy, damaged);
      ElanusIndex* index = nullptr;
      const ElanusStatus status = elanus_index_open(simd, copy.c_str(), nullptr, 0, &index);
      CHECK(status == ELANUS_OK || status == ELANUS_FILE_DAMAGED);
      if (status != ELANUS_OK) continue;
      ++opened;
      bool is_same = true;
      for (size_t i = 0; i < std::size(searches); ++i) is_same &= run(index, searches[i]) == expected[i];
      const bool is_found = verify(index) == ELANUS_FILE_DAMAGED;
      CHECK(is_same || is_found);
      found_damaged += is_found;
      if (spec.type == ELANUS_HNSW && spec.layout == ELANUS_LAYOUT_COMPACT && round % 8 == 0) {
        const ElanusRows more = {bytes.data(), 50 * (bytes.size() / kRows), 50};
        CHECK(elanus_index_add(index, &more, 1, 2) == ELANUS_OK);
        run(index, searches[0]);
      }
      elanus_index_release(index);
    }
    CHECK(opened > rounds / 2 && found_damaged > rounds / 2);
  }
}

double mean_recall(const ElanusSimd* simd, const Shape& shape, const std::vector<uint8_t>& bytes, ElanusIndex* index,
                   ElanusIndexSearch search, uint32_t ef) {
  search.ef = ef;
  return recall(simd, shape, bytes, search, run(index, search));
}

// Few rows stand near each other and far from all others; queries come from elsewhere.
std::vector<uint8_t> small_crowds(uint32_t count, uint32_t dim, uint32_t crowds, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(size_t{crowds} * dim);
  for (float& value : centres) value = normal(random);
  std::vector<uint8_t> bytes;
  for (uint32_t i = 0; i < count; ++i) {
    const float* const centre = &centres[random() % crowds * size_t{dim}];
    for (uint32_t d = 0; d < dim; ++d) {
      const float value = centre[d] + 0.1f * normal(random);
      const auto* const from = reinterpret_cast<const uint8_t*>(&value);
      bytes.insert(bytes.end(), from, from + sizeof value);
    }
  }
  return bytes;
}

// Queries as far from all rows as rows of other crowds are, under filters too.
void check_far_queries(const ElanusSimd* simd) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 64};
  const std::vector<uint8_t> bytes = small_crowds(kRows, shape.dim, 60, 1);
  const std::vector<uint8_t> queries = small_crowds(kQueries, shape.dim, kQueries, 2);
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  for (const ElanusIndexLayout layout : {ELANUS_LAYOUT_COMPACT, ELANUS_LAYOUT_FAST}) {
    ElanusIndex* const index = build(simd, shape, hnsw(layout), bytes, kRows, 2);
    search.allowed = nullptr;
    CHECK(mean_recall(simd, shape, bytes, index, search, 32) >= 0.5);
    CHECK(mean_recall(simd, shape, bytes, index, search, 256) >= 0.97);
    for (const uint32_t one_of : {2u, 3u}) {
      std::vector<uint8_t> allowed((kRows + 7) / 8);
      for (uint32_t row = 0; row < kRows; row += one_of) allowed[row / 8] |= static_cast<uint8_t>(1u << row % 8);
      search.allowed = allowed.data();
      search.allowed_size = allowed.size();
      CHECK(mean_recall(simd, shape, bytes, index, search, 32) >= 0.9);
    }
    elanus_index_release(index);
  }
}

// In a batch, where two queries are searched with at once, each finds what it finds alone: by walks and by scans.
void check_batch(ElanusIndex* index, ElanusIndexSearch search) {
  std::vector<uint8_t> half((kRows + 7) / 8, 0x55);
  const size_t query_bytes = search.queries_size / kQueries;
  for (const uint32_t ef : {10u, 60u, 200u}) {
    for (const bool filters : {false, true}) {
      search.ef = ef;
      search.allowed = filters ? half.data() : nullptr;
      search.allowed_size = filters ? half.size() : 0;
      const Hits together = run(index, search);
      for (uint32_t q = 0; q < kQueries; ++q) {
        ElanusIndexSearch single = search;
        single.queries += q * query_bytes;
        single.queries_size = query_bytes;
        single.query_count = 1;
        Hits alone;
        CHECK(elanus_index_search_run(index, &single, alone.view()) == ELANUS_OK);
        CHECK(alone.counts[0] == together.counts[q]);
        for (uint32_t i = 0; i < alone.counts[0]; ++i) {
          CHECK(alone.rows[i] == together.rows[q * kK + i] && alone.scores[i] == together.scores[q * kK + i]);
        }
      }
    }
  }
}

void check_threads_make_no_difference(const ElanusSimd* simd) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_IP, 100};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  search.ef = 10;
  for (const ElanusIndexLayout layout : {ELANUS_LAYOUT_COMPACT, ELANUS_LAYOUT_FAST}) {
    ElanusIndex* const alone = build(simd, shape, hnsw(layout), bytes, kRows, 1);
    ElanusIndex* const together = build(simd, shape, hnsw(layout), bytes, kRows, 3);
    CHECK(run(alone, search) == run(together, search));
    check_batch(alone, search);
    elanus_index_release(alone);
    elanus_index_release(together);
  }
}

void check_cancelled_build(const ElanusSimd* simd) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 64};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const ElanusRows rows = {bytes.data(), bytes.size(), kRows};
  ElanusIndexSpec spec = hnsw(ELANUS_LAYOUT_COMPACT);
  spec.ef_construction = 4000;
  const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, spec, &rows, 1, 2, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  std::thread canceller([work] {
    while (elanus_work_done(work) == 0) std::this_thread::yield();
    elanus_work_cancel(work);
  });
  const ElanusStatus status = elanus_index_build(simd, &build, work, &index);
  canceller.join();
  CHECK(status == ELANUS_CANCELLED && index == nullptr);
  elanus_work_free(work);
}

void check_refusals(const ElanusSimd* simd) {
  const Shape shape = {ELANUS_FLOAT32, ELANUS_L2, 8};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const ElanusRows rows = {bytes.data(), bytes.size() - 1, kRows};
  const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, hnsw(ELANUS_LAYOUT_AUTO), &rows, 1, 1, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_INVALID_ARGUMENT);
  CHECK(elanus_index_open(simd, "/nowhere/index", nullptr, 0, &index) == ELANUS_IO_FAILED);
  elanus_work_free(work);
}

}  // namespace

int main() {
  TemporaryDirectory directory;
  size_t cases = 0;
  for (const char* name : {"portable", "avx2", "avx512", "neon"}) {
    const ElanusSimd* const simd = elanus_simd_find(name);
    if (simd == nullptr) continue;
    for (const Shape& shape : {Shape{ELANUS_FLOAT32, ELANUS_L2, 33}, Shape{ELANUS_FLOAT32, ELANUS_IP, 128},
                               Shape{ELANUS_FLOAT16, ELANUS_COSINE, 90}, Shape{ELANUS_BFLOAT16, ELANUS_L2, 16},
                               Shape{ELANUS_INT8, ELANUS_IP, 64}, Shape{ELANUS_INT8, ELANUS_COSINE, 20}}) {
      check_shape(simd, shape, hnsw(ELANUS_LAYOUT_COMPACT));
      ++cases;
    }
  }
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  check_shape(simd, {ELANUS_FLOAT32, ELANUS_L2, 48}, hnsw(ELANUS_LAYOUT_FAST));
  check_shape(simd, {ELANUS_FLOAT32, ELANUS_L2, 48},
              {ELANUS_HNSW_SQ, ELANUS_LAYOUT_AUTO, 16, 60, ELANUS_CODE_SQ8, 0, 0, 0, ELANUS_CODE_FP32});
  check_far_queries(simd);
  check_pool(simd);
  check_addition(simd, directory.file("index"));
  check_vectors_outside(simd, directory.file("outside"));
  check_damage(simd, directory.file("sound"), directory.file("damaged"), 300);
  check_threads_make_no_difference(simd);
  check_cancelled_build(simd);
  check_refusals(simd);
  std::printf("ok: indexes, %zu shapes of the compact layout\n", cases);
}
