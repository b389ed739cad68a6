// The library as Node sees it. `native.ts` declares what is exported here.
#include <memory>

#include "elanus/kernel.h"
#include "environment.h"
#include "values.h"

namespace elanus::binding {

View view_of(napi_env env, napi_value typed_array) {
  View view;
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, typed_array, &type, &length, &data, nullptr, nullptr);
  constexpr size_t bytes_by_type[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  view.data = static_cast<uint8_t*>(data);
  view.size = length * bytes_by_type[type];
  return view;
}

void define(napi_env env, napi_value exports, const char* name, Function function) {
  napi_value value = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value);
  napi_set_named_property(env, exports, name, value);
}

namespace {

// addressOf(view: TypedArray): number
napi_value address_of(napi_env env, napi_callback_info info) {
  return number(env, view_of(env, Arguments(env, info).values[0]).data);
}

// findSimd(name: string | null): number
napi_value find_simd(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  char name[16] = {};
  size_t size = 0;
  const bool named = napi_get_value_string_utf8(env, arguments.values[0], name, sizeof name, &size) == napi_ok;
  return number(env, elanus_simd_find(named ? name : nullptr));
}

// simdName(simd: number): string
napi_value simd_name(napi_env env, napi_callback_info info) {
  napi_value name = nullptr;
  napi_create_string_utf8(env, elanus_simd_name(Arguments(env, info).pointer<const ElanusSimd>(0)), NAPI_AUTO_LENGTH,
                          &name);
  return name;
}

// getPool(threads: number): number
napi_value get_pool(napi_env env, napi_callback_info info) {
  return number(env, elanus_pool_get(static_cast<uint32_t>(Arguments(env, info).number(0))));
}

// inverseNorms(simd: number, type: number, dim: number, bytes: Uint8Array, rows: number, out: Float32Array): number
napi_value inverse_norms(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View bytes = view_of(env, arguments.values[3]);
  const View out = view_of(env, arguments.values[5]);
  const ElanusStatus status = elanus_inverse_norms(
      arguments.pointer<const ElanusSimd>(0), static_cast<ElanusVectorType>(arguments.number(1)),
      static_cast<uint32_t>(arguments.number(2)), bytes.data, bytes.size, static_cast<size_t>(arguments.number(4)),
      reinterpret_cast<float*>(out.data));
  return number(env, status);
}

// findNonFinite(type: number, bytes: Uint8Array, count: number): number
napi_value find_non_finite(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto count = static_cast<size_t>(arguments.number(2));
  const size_t found = elanus_find_non_finite(static_cast<ElanusNumberType>(arguments.number(0)),
                                              view_of(env, arguments.values[1]).data, count);
  return number(env, static_cast<double>(found));
}

// crc32(bytes: Uint8Array, before: number): number
napi_value crc32(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View bytes = view_of(env, arguments.values[0]);
  const uint32_t sum = elanus_crc32(static_cast<uint32_t>(arguments.number(1)), bytes.data, bytes.size);
  return number(env, static_cast<double>(sum));
}

// openJobs(settle: (id: number, status: number) => void): boolean
napi_value open_jobs(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  napi_value opened = nullptr;
  napi_get_boolean(env, Environment::of(env)->open(env, arguments.values[0]), &opened);
  return opened;
}

// cancelJob(id: number): void
napi_value cancel_job(napi_env env, napi_callback_info info) {
  Environment::of(env)->cancel(Arguments(env, info).number(0));
  return nullptr;
}

// jobDone(id: number): number
napi_value job_done(napi_env env, napi_callback_info info) {
  return number(env, Environment::of(env)->done(Arguments(env, info).number(0)));
}

void define_jobs(napi_env env, napi_value exports) {
  napi_set_instance_data(env, new Environment(),
                         [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); }, nullptr);
  define(env, exports, "openJobs", open_jobs);
  define(env, exports, "cancelJob", cancel_job);
  define(env, exports, "jobDone", job_done);
}

// measureReadBandwidth(simd: number, threads: number, bytes: number, passes: number): number
napi_value measure_read_bandwidth(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  return number(env, elanus_measure_read_bandwidth(
                         arguments.pointer<const ElanusSimd>(0), static_cast<uint32_t>(arguments.number(1)),
                         static_cast<size_t>(arguments.number(2)), static_cast<uint32_t>(arguments.number(3))));
}

}  // namespace
}  // namespace elanus::binding

NAPI_MODULE_INIT() {
  using namespace elanus::binding;
  define(env, exports, "addressOf", address_of);
  define(env, exports, "findSimd", find_simd);
  define(env, exports, "simdName", simd_name);
  define(env, exports, "getPool", get_pool);
  define_jobs(env, exports);
  define_exact_search(env, exports);
  define_index(env, exports);
  define(env, exports, "inverseNorms", inverse_norms);
  define(env, exports, "findNonFinite", find_non_finite);
  define(env, exports, "crc32", crc32);
  define_encode(env, exports);
  define(env, exports, "measureReadBandwidth", measure_read_bandwidth);
  define_min_hash(env, exports);
  define_number_runs(env, exports);
  define_map(env, exports);
  define_posix(env, exports);
  define_http2(env, exports);
  return exports;
}
