// Exercises the C interface of indexes without Node, for the sanitizers: every kind, type and metric, several threads,
// filters, cancelled work.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "index_cases.h"

namespace {

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
  const ElanusRows rows = {bytes.data(), bytes.size(), kRows, 0};
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
  const ElanusRows rows = {bytes.data(), bytes.size() - 1, kRows, 0};
  const ElanusIndexBuild build = {shape.type, shape.metric, shape.dim, hnsw(ELANUS_LAYOUT_AUTO), &rows, 1, 1, 5};
  ElanusWork* const work = elanus_work_new();
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_INVALID_ARGUMENT);
  CHECK(elanus_index_open(simd, "/nowhere/index", nullptr, 0, &index) == ELANUS_IO_FAILED);
  elanus_work_free(work);
}

}  // namespace

int main() {
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
              {ELANUS_HNSW_SQ, ELANUS_LAYOUT_AUTO, 16, 60, ELANUS_CODE_SQ8, 0, 0, 0, ELANUS_CODE_FP32, 0, 0, 0, 0, 0});
  check_far_queries(simd);
  check_pool(simd);
  check_threads_make_no_difference(simd);
  check_cancelled_build(simd);
  check_refusals(simd);
  std::printf("ok: indexes, %zu shapes of the compact layout\n", cases);
}
