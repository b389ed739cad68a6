// Encodes vectors on a thread of libuv's pool.
#include <memory>

#include "elanus/kernel.h"
#include "values.h"

namespace elanus::binding {
namespace {

struct Encoding {
  const ElanusSimd* simd;
  uint32_t dim;
  size_t rows;
  View bytes;
  View values;
  View factors;
  ElanusStatus status = ELANUS_OUT_OF_MEMORY;
  napi_async_work work = nullptr;
  napi_deferred ended = nullptr;
  // Holds the arrays: their memory must stay.
  napi_ref arrays = nullptr;
};

void run(napi_env, void* data) {
  auto* const encoding = static_cast<Encoding*>(data);
  encoding->status = elanus_encode(encoding->simd, encoding->dim, encoding->bytes.data, encoding->bytes.size,
                                   encoding->rows, reinterpret_cast<int8_t*>(encoding->values.data),
                                   reinterpret_cast<float*>(encoding->factors.data));
}

void end(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Encoding> encoding(static_cast<Encoding*>(data));
  napi_delete_reference(env, encoding->arrays);
  napi_delete_async_work(env, encoding->work);
  napi_resolve_deferred(env, encoding->ended, number(env, encoding->status));
}

// startEncode(simd: number, dim: number, rows: number, arrays: [Uint8Array, Int8Array, Float32Array]): Promise<number>
napi_value start_encode(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto array = [&](uint32_t i) {
    napi_value element = nullptr;
    napi_get_element(env, arguments.values[3], i, &element);
    return view_of(env, element);
  };
  auto* const encoding = new Encoding{arguments.pointer<const ElanusSimd>(0),
                                      static_cast<uint32_t>(arguments.number(1)),
                                      static_cast<size_t>(arguments.number(2)),
                                      array(0),
                                      array(1),
                                      array(2)};
  napi_value promise = nullptr;
  napi_value name = nullptr;
  napi_create_promise(env, &encoding->ended, &promise);
  napi_create_string_utf8(env, "elanus.encode", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, arguments.values[3], 1, &encoding->arrays);
  napi_create_async_work(env, nullptr, name, run, end, encoding, &encoding->work);
  napi_queue_async_work(env, encoding->work);
  return promise;
}

}  // namespace

void define_encode(napi_env env, napi_value exports) { define(env, exports, "startEncode", start_encode); }

}  // namespace elanus::binding
