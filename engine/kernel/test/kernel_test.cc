// Exercises the C interface without Node, for the sanitizers and for machines that only an emulator has: every type
// and metric on every instruction set, alone and on a pool, filtered, cancelled, damaged.
#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "../src/cc/build_at_work.h"
#include "elanus/kernel.h"

namespace {

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                 \
    }                                                                               \
  } while (false)

constexpr uint32_t kQueries = 7;
constexpr uint32_t kBlocks = 3;
constexpr uint32_t kRows = 531;
constexpr uint32_t kK = 20;

struct Case {
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim;
};

// Vectors and keys in allocations of their exact size, so that the address sanitizer sees each byte beyond.
class Fixture {
 public:
  explicit Fixture(const Case& c) : random_(c.dim) {
    for (uint32_t b = 0; b < kBlocks; ++b) add_block(c);
    query_bytes_ = vectors(c, kQueries, &query_offsets_);
    search_.type = c.type;
    search_.metric = c.metric;
    search_.dim = c.dim;
    search_.queries = query_bytes_.data();
    search_.queries_size = query_bytes_.size();
    search_.query_offsets = query_offsets_.data();
    search_.query_count = kQueries;
    search_.k = kK;
    search_.min_hash = {1, 0};
    const bool largest = c.metric == ELANUS_IP || c.metric == ELANUS_COSINE || c.metric == ELANUS_MHJACCARD;
    search_.outer = largest ? -INFINITY : INFINITY;
    search_.inner = -search_.outer;
    search_.key_type = ELANUS_KEY_VARCHAR;
    search_.blocks = blocks_.data();
    search_.block_count = blocks_.size();
  }

  ElanusExactSearch& search() { return search_; }

 private:
  struct Storage {
    std::vector<uint8_t> bytes;
    std::vector<uint32_t> offsets;
    std::vector<uint8_t> allowed;
    std::vector<uint32_t> key_offsets;
    std::vector<uint8_t> key_bytes;
  };

  static size_t vector_bytes(const Case& c) {
    switch (c.type) {
      case ELANUS_BINARY:
        return c.dim / 8;
      case ELANUS_FLOAT32:
        return c.dim * 4;
      case ELANUS_INT8:
        return c.dim;
      default:
        return c.dim * 2;
    }
  }

  std::vector<uint8_t> vectors(const Case& c, uint32_t count, std::vector<uint32_t>* offsets) {
    std::vector<uint8_t> bytes;
    if (c.type == ELANUS_SPARSE) {
      offsets->push_back(0);
      for (uint32_t i = 0; i < count; ++i) {
        for (uint32_t index = random_() % 5; index < c.dim; index += 1 + random_() % 5) {
          const float value = static_cast<float>(random_() % 9) - 4;
          append(&bytes, &index, sizeof index);
          append(&bytes, &value, sizeof value);
        }
        offsets->push_back(static_cast<uint32_t>(bytes.size()));
      }
      return std::vector<uint8_t>(bytes);
    }
    bytes.resize(count * vector_bytes(c));
    if (c.type != ELANUS_FLOAT32) {
      // Any bits at all: among the halves are NaN and infinity.
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
      return bytes;
    }
    for (size_t i = 0; i < bytes.size() / 4; ++i) {
      const float value = static_cast<float>(random_() % 9) - 4;
      std::memcpy(bytes.data() + 4 * i, &value, sizeof value);
    }
    return bytes;
  }

  static void append(std::vector<uint8_t>* to, const void* from, size_t size) {
    const auto* const bytes = static_cast<const uint8_t*>(from);
    to->insert(to->end(), bytes, bytes + size);
  }

  void add_block(const Case& c) {
    auto storage = std::make_unique<Storage>();
    storage->bytes = vectors(c, kRows, &storage->offsets);
    for (uint32_t i = 0; i < (kRows + 7) / 8; ++i) storage->allowed.push_back(static_cast<uint8_t>(random_() | random_()));
    storage->key_offsets.push_back(0);
    for (uint32_t i = 0; i < kRows; ++i) {
      for (uint32_t j = random_() % 4; j > 0; --j) storage->key_bytes.push_back(static_cast<uint8_t>('a' + random_() % 3));
      storage->key_offsets.push_back(static_cast<uint32_t>(storage->key_bytes.size()));
    }
    ElanusBlock block{};
    block.bytes = storage->bytes.data();
    block.bytes_size = storage->bytes.size();
    block.offsets = c.type == ELANUS_SPARSE ? storage->offsets.data() : nullptr;
    block.rows = kRows;
    block.allowed = storage->allowed.data();
    block.keys.varchar_offsets = storage->key_offsets.data();
    block.keys.varchar_bytes = storage->key_bytes.data();
    block.keys.varchar_bytes_size = storage->key_bytes.size();
    blocks_.push_back(block);
    storage_.push_back(std::move(storage));
  }

  std::minstd_rand random_;
  std::vector<std::unique_ptr<Storage>> storage_;
  std::vector<ElanusBlock> blocks_;
  std::vector<uint8_t> query_bytes_;
  std::vector<uint32_t> query_offsets_;
  ElanusExactSearch search_{};
};

struct Results {
  std::vector<uint32_t> counts, blocks, rows;
  std::vector<float> scores;

  explicit Results(const ElanusExactSearch& search)
      : counts(search.query_count),
        blocks(search.query_count * search.k),
        rows(search.query_count * search.k),
        scores(search.query_count * search.k) {}

  ElanusHits hits() { return {counts.data(), blocks.data(), rows.data(), scores.data()}; }

  bool operator==(const Results& other) const {
    return counts == other.counts && blocks == other.blocks && rows == other.rows && scores == other.scores;
  }

  // Scores of float loops differ in their last bits from one instruction set to the next.
  bool is_close_to(const Results& other) const {
    if (counts != other.counts) return false;
    for (size_t i = 0; i < scores.size(); ++i) {
      if (scores[i] == other.scores[i]) continue;
      if (!(std::abs(scores[i] - other.scores[i]) <= 1e-3f * std::abs(other.scores[i]) + 1e-3f)) return false;
    }
    return true;
  }
};

Results run(const ElanusSimd* simd, const ElanusExactSearch& search) {
  Results results(search);
  CHECK(elanus_exact_search_run(simd, &search, results.hits()) == ELANUS_OK);
  return results;
}

class Waiter {
 public:
  static void done(void* context, ElanusStatus status) {
    auto* const self = static_cast<Waiter*>(context);
    const std::lock_guard lock(self->mutex_);
    self->statuses_.push_back(status);
    self->changed_.notify_one();
  }
  std::vector<ElanusStatus> wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return statuses_.size() == count; });
    return statuses_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ElanusStatus> statuses_;
};

// Several searches at once, some of them cancelled: each ends exactly once, and those that end well are right.
void check_pool(const ElanusSimd* simd, const ElanusExactSearch& search, const Results& expected) {
  ElanusPool* const pool = elanus_pool_get(3);
  CHECK(pool != nullptr && pool == elanus_pool_get(3));
  constexpr size_t kCount = 12;
  std::vector<Results> results(kCount, Results(search));
  Waiter waiters[kCount];
  ElanusJob* jobs[kCount];
  for (size_t i = 0; i < kCount; ++i)
    CHECK(elanus_exact_search_start(pool, simd, &search, results[i].hits(), Waiter::done, &waiters[i], &jobs[i]) ==
          ELANUS_OK);
  for (size_t i = 1; i < kCount; i += 2) elanus_job_cancel(jobs[i]);
  for (size_t i = 0; i < kCount; ++i) {
    const ElanusStatus status = waiters[i].wait(1)[0];
    elanus_job_release(jobs[i]);
    CHECK(status == ELANUS_OK || (i % 2 == 1 && status == ELANUS_CANCELLED));
    if (status == ELANUS_OK) CHECK(results[i] == expected);
  }
}

// All rows, with what COSINE needs to know of them at hand.
class Unfiltered {
 public:
  Unfiltered(const ElanusSimd* simd, const ElanusExactSearch& search)
      : search_(search), blocks_(search.blocks, search.blocks + search.block_count), norms_(search.block_count) {
    for (size_t b = 0; b < blocks_.size(); ++b) {
      ElanusBlock& block = blocks_[b];
      block.allowed = nullptr;
      if (search.metric != ELANUS_COSINE) continue;
      norms_[b].resize(block.rows);
      CHECK(elanus_inverse_norms(simd, search.type, search.dim, block.bytes, block.bytes_size, block.rows,
                                 norms_[b].data()) == ELANUS_OK);
      block.inverse_norms = norms_[b].data();
    }
    search_.blocks = blocks_.data();
  }
  Unfiltered(const Unfiltered&) = delete;

  const ElanusExactSearch& search() const { return search_; }

 private:
  ElanusExactSearch search_;
  std::vector<ElanusBlock> blocks_;
  std::vector<std::vector<float>> norms_;
};

// One query is compared with rows in the order of memory, several by tiles: the scores are the same bits.
void check_alone(const ElanusSimd* simd, const ElanusExactSearch& search) {
  const Results together = run(simd, search);
  ElanusExactSearch alone = search;
  alone.query_count = 1;
  const Results first = run(simd, alone);
  CHECK(first.counts[0] == together.counts[0]);
  CHECK(std::equal(first.blocks.begin(), first.blocks.end(), together.blocks.begin()));
  CHECK(std::equal(first.rows.begin(), first.rows.end(), together.rows.begin()));
  CHECK(std::equal(first.scores.begin(), first.scores.end(), together.scores.begin()));
}

void check_case(const Case& c) {
  Fixture fixture(c);
  ElanusExactSearch& search = fixture.search();
  const ElanusSimd* const portable = elanus_simd_find("portable");
  const Results expected = run(portable, search);
  for (const char* name : {"portable", "avx2", "avx512", "neon"}) {
    const ElanusSimd* const simd = elanus_simd_find(name);
    if (simd == nullptr) continue;
    const Results results = run(simd, search);
    const bool exact = c.type == ELANUS_BINARY || c.type == ELANUS_INT8 || c.type == ELANUS_SPARSE ||
                       (c.type == ELANUS_FLOAT32 && c.metric != ELANUS_COSINE);
    if (exact) CHECK(results == expected);
    // Bits at random make halves of all sizes, whose sums are as large as their rounding errors.
    if (c.type == ELANUS_FLOAT32) CHECK(results.is_close_to(expected));
    for (const float score : results.scores) CHECK(!std::isnan(score));
    check_pool(simd, search, results);
    {
      const elanus::BuildAtWork at_work;
      check_pool(simd, search, results);
    }
    check_alone(simd, search);
    check_alone(simd, Unfiltered(simd, search).search());
  }
}

void check_refusals() {
  Fixture fixture({ELANUS_SPARSE, ELANUS_IP, 60});
  ElanusExactSearch search = fixture.search();
  Results results(search);
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  std::vector<uint32_t> offsets(kRows + 1, ~0u);
  ElanusBlock damaged = search.blocks[0];
  damaged.offsets = offsets.data();
  damaged.allowed = nullptr;
  search.blocks = &damaged;
  search.block_count = 1;
  CHECK(elanus_exact_search_run(simd, &search, results.hits()) == ELANUS_CORRUPT_INPUT);
  search.metric = ELANUS_L2;
  CHECK(elanus_exact_search_run(simd, &search, results.hits()) == ELANUS_INVALID_ARGUMENT);
  CHECK(elanus_simd_find("abacus") == nullptr);
}

}  // namespace

int main() {
  const Case cases[] = {
      {ELANUS_FLOAT32, ELANUS_L2, 33},      {ELANUS_FLOAT32, ELANUS_IP, 64},      {ELANUS_FLOAT32, ELANUS_COSINE, 130},
      {ELANUS_FLOAT16, ELANUS_L2, 35},      {ELANUS_FLOAT16, ELANUS_COSINE, 16},  {ELANUS_BFLOAT16, ELANUS_IP, 17},
      {ELANUS_BFLOAT16, ELANUS_L2, 100},    {ELANUS_INT8, ELANUS_L2, 77},         {ELANUS_INT8, ELANUS_IP, 64},
      {ELANUS_INT8, ELANUS_COSINE, 3},      {ELANUS_BINARY, ELANUS_HAMMING, 264}, {ELANUS_BINARY, ELANUS_JACCARD, 128},
      {ELANUS_BINARY, ELANUS_SUBSTRUCTURE, 8}, {ELANUS_BINARY, ELANUS_SUPERSTRUCTURE, 16},
      {ELANUS_BINARY, ELANUS_MHJACCARD, 40},
      {ELANUS_SPARSE, ELANUS_IP, 60},
  };
  for (const Case& c : cases) check_case(c);
  check_refusals();
  std::printf("ok: %zu cases, widest instruction set %s\n", std::size(cases),
              elanus_simd_name(elanus_simd_find(nullptr)));
}
