// Numbers of JSON texts, on the calling thread or on one of libuv's pool.
#include "elanus/kernel.h"
#include "pool_promise.h"
#include "values.h"

namespace elanus::binding {
namespace {

struct Search {
  size_t least;
  View json;
  View runs;
  View numbers;

  // How many runs there are.
  double run() const {
    return static_cast<double>(elanus_number_runs(
        json.data, json.size, least, reinterpret_cast<ElanusNumberRun*>(runs.data), runs.size / sizeof(ElanusNumberRun),
        reinterpret_cast<double*>(numbers.data), numbers.size / sizeof(double)));
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
  const Search search{static_cast<size_t>(arguments.number(1)), view_of(env, arguments.values[0]),
                      view_of(env, arguments.values[2]), view_of(env, arguments.values[3])};
  return number(env, search.run());
}

// startNumberRuns(least: number, arrays: [Uint8Array, Uint32Array, Float64Array]): Promise<number>
napi_value start_number_runs(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto array = [&](uint32_t i) {
    napi_value element = nullptr;
    napi_get_element(env, arguments.values[1], i, &element);
    return view_of(env, element);
  };
  const Search search{static_cast<size_t>(arguments.number(0)), array(0), array(1), array(2)};
  return promise_of(env, "elanus.numberRuns", arguments.values[1], [=] { return search.run(); });
}

}  // namespace

void define_number_runs(napi_env env, napi_value exports) {
  define(env, exports, "countNumbers", count_numbers);
  define(env, exports, "numberRuns", number_runs);
  define(env, exports, "startNumberRuns", start_number_runs);
}

}  // namespace elanus::binding
