// Node-API calls that cannot fail in a sane process, made short.
#pragma once

#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace elanus::binding {

inline constexpr size_t kArgumentsMax = 8;

// The arguments of a call. Missing ones are `undefined`. The TypeScript side guarantees the types.
struct Arguments {
  napi_env env;
  napi_value values[kArgumentsMax];

  Arguments(napi_env env, napi_callback_info info) : env(env) {
    size_t count = kArgumentsMax;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
  }

  double number(size_t i) const {
    double value = 0;
    napi_get_value_double(env, values[i], &value);
    return value;
  }
  template <class T>
  T* pointer(size_t i) const {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(number(i)));
  }
};

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

// Addresses cross the border as numbers: user space ends far below 2^53.
inline napi_value number(napi_env env, const void* address) {
  return number(env, static_cast<double>(reinterpret_cast<uintptr_t>(address)));
}

// The memory behind a typed array; `*data` is null when it has no bytes.
struct View {
  uint8_t* data = nullptr;
  size_t size = 0;
};
View view_of(napi_env env, napi_value typed_array);

using Function = napi_value (*)(napi_env, napi_callback_info);
void define(napi_env env, napi_value exports, const char* name, Function function);

void define_encode(napi_env env, napi_value exports);
void define_exact_search(napi_env env, napi_value exports);
void define_http2(napi_env env, napi_value exports);
void define_index(napi_env env, napi_value exports);
void define_min_hash(napi_env env, napi_value exports);
void define_number_runs(napi_env env, napi_value exports);
void define_map(napi_env env, napi_value exports);
void define_posix(napi_env env, napi_value exports);

}  // namespace elanus::binding
