// Exact searches from JavaScript.
#include <new>
#include <vector>

#include "elanus/kernel.h"
#include "environment.h"
#include "values.h"
#include "words.h"

namespace elanus::binding {
namespace {

struct Request {
  const ElanusSimd* simd;
  ElanusPool* pool;
  ElanusHits hits;
  ElanusExactSearch search;
  std::vector<ElanusBlock> blocks;
};

ElanusBlock read_block(Words& words) {
  ElanusBlock block;
  block.bytes = words.pointer<const uint8_t>();
  block.bytes_size = words.integer<size_t>();
  block.offsets = words.pointer<const uint32_t>();
  block.rows = words.integer<uint32_t>();
  block.lists = words.pointer<const uint32_t>();
  block.allowed = words.pointer<const uint8_t>();
  block.inverse_norms = words.pointer<const float>();
  block.codes.rows = words.integer<uint32_t>();
  block.codes.values = words.pointer<const int8_t>();
  block.codes.factors = words.pointer<const float>();
  block.keys.int64_values = words.pointer<const int64_t>();
  block.keys.varchar_offsets = words.pointer<const uint32_t>();
  block.keys.varchar_bytes = words.pointer<const uint8_t>();
  block.keys.varchar_bytes_size = words.integer<size_t>();
  return block;
}

Request read_request(Words words) {
  Request request;
  request.simd = words.pointer<const ElanusSimd>();
  request.pool = words.pointer<ElanusPool>();
  request.hits.counts = words.pointer<uint32_t>();
  request.hits.blocks = words.pointer<uint32_t>();
  request.hits.rows = words.pointer<uint32_t>();
  request.hits.scores = words.pointer<float>();
  ElanusExactSearch& search = request.search;
  search.type = words.integer<ElanusVectorType>();
  search.metric = words.integer<ElanusMetric>();
  search.dim = words.integer<uint32_t>();
  search.queries = words.pointer<const uint8_t>();
  search.queries_size = words.integer<size_t>();
  search.query_offsets = words.pointer<const uint32_t>();
  search.query_lists = words.pointer<const uint32_t>();
  search.query_count = words.integer<uint32_t>();
  search.k = words.integer<uint32_t>();
  search.outer = words.number();
  search.inner = words.number();
  search.bm25.k1 = words.number();
  search.bm25.b = words.number();
  search.bm25.average_length = words.number();
  search.min_hash.hash_bytes = words.integer<uint32_t>();
  search.min_hash.bands = words.integer<uint32_t>();
  search.key_type = words.integer<ElanusKeyType>();
  search.block_count = words.integer<size_t>();
  request.blocks.reserve(search.block_count);
  for (size_t b = 0; b < search.block_count; ++b) request.blocks.push_back(read_block(words));
  search.blocks = request.blocks.data();
  return request;
}

// runExactSearch(words: Float64Array): number
napi_value run_exact_search(napi_env env, napi_callback_info info) {
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  try {
    const Request request = read_request(Words(Arguments(env, info), 0));
    status = elanus_exact_search_run(request.simd, &request.search, request.hits);
  } catch (const std::bad_alloc&) {
  }
  return number(env, status);
}

// startExactSearch(words: Float64Array, id: number): number
napi_value start_exact_search(napi_env env, napi_callback_info info) {
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  try {
    const Arguments arguments(env, info);
    const Request request = read_request(Words(arguments, 0));
    status = start_search(*Environment::of(env), arguments.number(1), [&](ElanusDone done, void* context, ElanusJob** job) {
      return elanus_exact_search_start(request.pool, request.simd, &request.search, request.hits, done, context, job);
    });
  } catch (const std::bad_alloc&) {
  }
  return number(env, status);
}

}  // namespace

void define_exact_search(napi_env env, napi_value exports) {
  define(env, exports, "runExactSearch", run_exact_search);
  define(env, exports, "startExactSearch", start_exact_search);
}

}  // namespace elanus::binding
