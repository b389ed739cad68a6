// Encodes vectors on a thread of libuv's pool.
#include "elanus/kernel.h"
#include "pool_promise.h"
#include "values.h"

namespace elanus::binding {
namespace {

// startEncode(simd: number, dim: number, rows: number, arrays: [Uint8Array, Int8Array, Float32Array]): Promise<number>
napi_value start_encode(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto array = [&](uint32_t i) {
    napi_value element = nullptr;
    napi_get_element(env, arguments.values[3], i, &element);
    return view_of(env, element);
  };
  const auto* const simd = arguments.pointer<const ElanusSimd>(0);
  const auto dim = static_cast<uint32_t>(arguments.number(1));
  const auto rows = static_cast<size_t>(arguments.number(2));
  const View bytes = array(0);
  const View values = array(1);
  const View factors = array(2);
  return promise_of(env, "elanus.encode", arguments.values[3], [=] {
    return elanus_encode(simd, dim, bytes.data, bytes.size, rows, reinterpret_cast<int8_t*>(values.data),
                         reinterpret_cast<float*>(factors.data));
  });
}

}  // namespace

void define_encode(napi_env env, napi_value exports) { define(env, exports, "startEncode", start_encode); }

}  // namespace elanus::binding
