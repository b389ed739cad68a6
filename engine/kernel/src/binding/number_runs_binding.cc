// Numbers of JSON texts, on the calling thread or on one of libuv's pool.
#include <memory>

#include "elanus/kernel.h"
#include "values.h"

namespace elanus::binding {
namespace {

struct Search {
  size_t least;
  View json;
  View runs;
  View numbers;
  size_t found = 0;
  napi_async_work work = nullptr;
  napi_deferred ended = nullptr;
  // Holds the arrays: their memory must stay.
  napi_ref arrays = nullptr;

  void run() {
    found = elanus_number_runs(json.data, json.size, least, reinterpret_cast<ElanusNumberRun*>(runs.data),
                               runs.size / sizeof(ElanusNumberRun), reinterpret_cast<double*>(numbers.data),
                               numbers.size / sizeof(double));
  }
};

// countNumbers(json: Uint8Array, counts: Uint32Array): void
napi_value count_numbers(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View json = view_of(env, arguments.values[0]);
  const View counts = view_of(env, arguments.values[1]);
  size_t numbers = 0;
  size_t arrays = 0;
  elanus_count_numbers(json.data, json.size, &numbers, &arrays);
  auto* const out = reinterpret_cast<uint32_t*>(counts.data);
  out[0] = static_cast<uint32_t>(numbers);
  out[1] = static_cast<uint32_t>(arrays);
  return nullptr;
}

// numberRuns(json: Uint8Array, least: number, runs: Uint32Array, numbers: Float64Array): number
napi_value number_runs(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  Search search{static_cast<size_t>(arguments.number(1)), view_of(env, arguments.values[0]),
                view_of(env, arguments.values[2]), view_of(env, arguments.values[3])};
  search.run();
  return number(env, static_cast<double>(search.found));
}

void run(napi_env, void* data) { static_cast<Search*>(data)->run(); }

void end(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Search> search(static_cast<Search*>(data));
  napi_delete_reference(env, search->arrays);
  napi_delete_async_work(env, search->work);
  napi_resolve_deferred(env, search->ended, number(env, static_cast<double>(search->found)));
}

// startNumberRuns(least: number, arrays: [Uint8Array, Uint32Array, Float64Array]): Promise<number>
napi_value start_number_runs(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto array = [&](uint32_t i) {
    napi_value element = nullptr;
    napi_get_element(env, arguments.values[1], i, &element);
    return view_of(env, element);
  };
  auto* const search = new Search{static_cast<size_t>(arguments.number(0)), array(0), array(1), array(2)};
  napi_value promise = nullptr;
  napi_value name = nullptr;
  napi_create_promise(env, &search->ended, &promise);
  napi_create_string_utf8(env, "elanus.number_runs", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, arguments.values[1], 1, &search->arrays);
  napi_create_async_work(env, nullptr, name, run, end, search, &search->work);
  napi_queue_async_work(env, search->work);
  return promise;
}

}  // namespace

void define_number_runs(napi_env env, napi_value exports) {
  define(env, exports, "countNumbers", count_numbers);
  define(env, exports, "numberRuns", number_runs);
  define(env, exports, "startNumberRuns", start_number_runs);
}

}  // namespace elanus::binding
