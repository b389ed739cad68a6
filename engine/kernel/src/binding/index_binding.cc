// Vector indexes from JavaScript: long work on threads of low priority, searches on a pool.
#include "elanus/index.h"

#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "background.h"
#include "environment.h"
#include "values.h"
#include "words.h"

namespace elanus::binding {
namespace {

// Long work on a thread of its own; the index that comes of it, if one does, goes to `outcome` as a number.
class RunningWork : public Running {
 public:
  RunningWork() : work_(elanus_work_new()) {
    if (work_ == nullptr) throw std::bad_alloc();
  }
  ~RunningWork() override {
    if (thread_.joinable()) thread_.join();
    elanus_work_free(work_);
    if (index_ != nullptr) elanus_index_release(index_);
  }
  void cancel() override { elanus_work_cancel(work_); }
  double done() const override { return static_cast<double>(elanus_work_done(work_)); }
  void deliver(Environment& environment) override {
    if (index_ == nullptr) return;
    environment.hold(index_);
    *outcome_ = static_cast<double>(reinterpret_cast<uintptr_t>(index_));
    index_ = nullptr;
  }

  // Runs `task(work, &index)` and tells of its end. REQUIRES: once.
  template <class Task>
  void start(Ticket* ticket, double* outcome, Task task) {
    outcome_ = outcome;
    thread_ = std::thread([this, ticket, task = std::move(task)]() mutable {
      run_in_background();
      Environment::ended(ticket, task(work_, &index_));
    });
  }

 private:
  ElanusWork* work_;
  ElanusIndex* index_ = nullptr;
  double* outcome_ = nullptr;
  std::thread thread_;
};

template <class Task>
napi_value start_work(napi_env env, double id, double* outcome, Task task) {
  const ElanusStatus status =
      Environment::of(env)->start(id, [&](Ticket* ticket, std::unique_ptr<Running>* running) {
        auto work = std::make_unique<RunningWork>();
        RunningWork* const started = work.get();
        *running = std::move(work);
        try {
          started->start(ticket, outcome, std::move(task));
        } catch (const std::system_error&) {
          return ELANUS_OVERLOADED;
        }
        return ELANUS_OK;
      });
  return number(env, status);
}

std::vector<ElanusRows> read_blocks(Words& words) {
  std::vector<ElanusRows> blocks(words.integer<size_t>());
  for (ElanusRows& block : blocks) {
    block.bytes = words.pointer<const uint8_t>();
    block.bytes_size = words.integer<size_t>();
    block.rows = words.integer<uint32_t>();
    block.is_mapped = words.integer<uint32_t>();
  }
  return blocks;
}

std::vector<ElanusSparseRows> read_sparse_blocks(Words& words) {
  std::vector<ElanusSparseRows> blocks(words.integer<size_t>());
  for (ElanusSparseRows& block : blocks) {
    block.bytes = words.pointer<const uint8_t>();
    block.bytes_size = words.integer<size_t>();
    block.offsets = words.pointer<const uint32_t>();
    block.rows = words.integer<uint32_t>();
  }
  return blocks;
}

ElanusBm25 read_bm25(Words& words) {
  ElanusBm25 bm25;
  bm25.k1 = words.number();
  bm25.b = words.number();
  bm25.average_length = words.number();
  return bm25;
}

ElanusIndexSpec read_spec(Words& words) {
  ElanusIndexSpec spec;
  spec.type = words.integer<ElanusIndexType>();
  spec.layout = words.integer<ElanusIndexLayout>();
  spec.m = words.integer<uint32_t>();
  spec.ef_construction = words.integer<uint32_t>();
  spec.code = words.integer<ElanusScalarCode>();
  spec.subquantizers = words.integer<uint32_t>();
  spec.residuals = words.integer<uint32_t>();
  spec.bits = words.integer<uint32_t>();
  spec.refine = words.integer<ElanusScalarCode>();
  spec.lists = words.integer<uint32_t>();
  spec.hash_bytes = words.integer<uint32_t>();
  spec.bands = words.integer<uint32_t>();
  spec.code_bytes = words.integer<uint32_t>();
  spec.cache_bytes = words.integer<uint32_t>();
  return spec;
}

std::string text_of(napi_env env, napi_value value) {
  size_t size = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &size);
  std::string text(size, '\0');
  napi_get_value_string_utf8(env, value, text.data(), size + 1, &size);
  return text;
}

// startIndexBuild(words: Float64Array, id: number): number
napi_value start_index_build(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Words words(arguments, 0);
  const auto* const simd = words.pointer<const ElanusSimd>();
  auto* const outcome = words.pointer<double>();
  ElanusIndexBuild build;
  build.type = words.integer<ElanusVectorType>();
  build.metric = words.integer<ElanusMetric>();
  build.dim = words.integer<uint32_t>();
  build.spec = read_spec(words);
  build.threads = words.integer<uint32_t>();
  build.seed = words.integer<uint64_t>();
  return start_work(env, arguments.number(1), outcome,
                    [simd, build, blocks = read_blocks(words)](ElanusWork* work, ElanusIndex** index) mutable {
                      build.blocks = blocks.data();
                      build.block_count = blocks.size();
                      return elanus_index_build(simd, &build, work, index);
                    });
}

// startSparseIndexBuild(words: Float64Array, id: number): number
napi_value start_sparse_index_build(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Words words(arguments, 0);
  const auto* const simd = words.pointer<const ElanusSimd>();
  auto* const outcome = words.pointer<double>();
  ElanusSparseBuild build;
  build.metric = words.integer<ElanusMetric>();
  build.bm25 = read_bm25(words);
  build.threads = words.integer<uint32_t>();
  return start_work(env, arguments.number(1), outcome,
                    [simd, build, blocks = read_sparse_blocks(words)](ElanusWork* work, ElanusIndex** index) mutable {
                      build.blocks = blocks.data();
                      build.block_count = blocks.size();
                      return elanus_sparse_index_build(simd, &build, work, index);
                    });
}

// startIndexOpen(words: Float64Array, path: string, id: number): number
napi_value start_index_open(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Words words(arguments, 0);
  const auto* const simd = words.pointer<const ElanusSimd>();
  auto* const outcome = words.pointer<double>();
  return start_work(env, arguments.number(2), outcome,
                    [simd, path = text_of(env, arguments.values[1]), vectors = read_blocks(words)](
                        ElanusWork*, ElanusIndex** index) {
                      return elanus_index_open(simd, path.c_str(), vectors.data(), vectors.size(), index);
                    });
}

// startIndexVerify(index: number, id: number): number
napi_value start_index_verify(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* const index = arguments.pointer<ElanusIndex>(0);
  return start_work(env, arguments.number(1), nullptr,
                    [index](ElanusWork* work, ElanusIndex**) { return elanus_index_verify(index, work); });
}

// startIndexSave(index: number, path: string, withVectors: number, id: number): number
napi_value start_index_save(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  auto* const index = arguments.pointer<ElanusIndex>(0);
  const int with_vectors = static_cast<int>(arguments.number(2));
  return start_work(env, arguments.number(3), nullptr,
                    [index, with_vectors, path = text_of(env, arguments.values[1])](ElanusWork*, ElanusIndex**) {
                      return elanus_index_save(index, path.c_str(), with_vectors);
                    });
}

struct Request {
  ElanusIndex* index;
  ElanusPool* pool;
  ElanusIndexHits hits;
  ElanusIndexSearch search;
};

Request read_request(Words words) {
  Request request;
  request.index = words.pointer<ElanusIndex>();
  request.pool = words.pointer<ElanusPool>();
  request.hits.counts = words.pointer<uint32_t>();
  request.hits.rows = words.pointer<uint32_t>();
  request.hits.scores = words.pointer<float>();
  ElanusIndexSearch& search = request.search;
  search.queries = words.pointer<const uint8_t>();
  search.queries_size = words.integer<size_t>();
  search.query_offsets = words.pointer<const uint32_t>();
  search.query_count = words.integer<uint32_t>();
  search.k = words.integer<uint32_t>();
  search.ef = words.integer<uint32_t>();
  search.refine_k = static_cast<float>(words.number());
  search.allowed = words.pointer<const uint8_t>();
  search.allowed_size = words.integer<size_t>();
  search.outer = words.number();
  search.inner = words.number();
  search.bm25 = read_bm25(words);
  search.effort = words.pointer<ElanusSearchEffort>();
  search.probes = words.integer<uint32_t>();
  search.probes_max = words.integer<uint32_t>();
  search.empty_lists_max = words.integer<uint32_t>();
  search.way = static_cast<ElanusSearchWay>(words.integer<int>());
  search.by_share = words.integer<int>();
  search.query_bits = words.integer<uint32_t>();
  return request;
}

// runIndexSearch(words: Float64Array): number
napi_value run_index_search(napi_env env, napi_callback_info info) {
  const Request request = read_request(Words(Arguments(env, info), 0));
  return number(env, elanus_index_search_run(request.index, &request.search, request.hits));
}

// startIndexSearch(words: Float64Array, id: number): number
napi_value start_index_search(napi_env env, napi_callback_info info) {
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  try {
    const Arguments arguments(env, info);
    const Request request = read_request(Words(arguments, 0));
    status = start_search(*Environment::of(env), arguments.number(1), [&](ElanusDone done, void* context, ElanusJob** job) {
      return elanus_index_search_start(request.pool, request.index, &request.search, request.hits, done, context, job);
    });
  } catch (const std::bad_alloc&) {
  }
  return number(env, status);
}

// sparseStatistics(index: number, dimensions: Uint32Array, frequencies: Uint32Array, length: Float64Array): number
napi_value sparse_statistics(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View dimensions = view_of(env, arguments.values[1]);
  return number(env, elanus_sparse_index_statistics(
                         arguments.pointer<const ElanusIndex>(0), reinterpret_cast<const uint32_t*>(dimensions.data),
                         dimensions.size / sizeof(uint32_t),
                         reinterpret_cast<uint32_t*>(view_of(env, arguments.values[2]).data),
                         reinterpret_cast<double*>(view_of(env, arguments.values[3]).data)));
}

// indexInfo(index: number, out: Float64Array): void
napi_value index_info(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const ElanusIndexInfo of = elanus_index_info(arguments.pointer<const ElanusIndex>(0));
  auto* const out = reinterpret_cast<double*>(view_of(env, arguments.values[1]).data);
  const double values[] = {static_cast<double>(of.rows),   static_cast<double>(of.type),
                           static_cast<double>(of.metric), static_cast<double>(of.dim),
                           static_cast<double>(of.layout), static_cast<double>(of.memory_bytes)};
  for (size_t i = 0; i < std::size(values); ++i) out[i] = values[i];
  return nullptr;
}

// releaseIndex(index: number): void
napi_value release_index(napi_env env, napi_callback_info info) {
  Environment::of(env)->release(Arguments(env, info).pointer<ElanusIndex>(0));
  return nullptr;
}

}  // namespace

void define_index(napi_env env, napi_value exports) {
  define(env, exports, "startIndexBuild", start_index_build);
  define(env, exports, "startSparseIndexBuild", start_sparse_index_build);
  define(env, exports, "startIndexOpen", start_index_open);
  define(env, exports, "startIndexVerify", start_index_verify);
  define(env, exports, "startIndexSave", start_index_save);
  define(env, exports, "runIndexSearch", run_index_search);
  define(env, exports, "startIndexSearch", start_index_search);
  define(env, exports, "sparseStatistics", sparse_statistics);
  define(env, exports, "indexInfo", index_info);
  define(env, exports, "releaseIndex", release_index);
}

}  // namespace elanus::binding
