// Hashes of texts from JavaScript, on the calling thread.
#include "elanus/kernel.h"
#include "values.h"

namespace elanus::binding {
namespace {

template <class T>
T* numbers_of(const View& view) {
  return reinterpret_cast<T*>(view.data);
}

// hashTexts(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, hashes: BigUint64Array): number
napi_value hash_texts(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View bytes = view_of(env, arguments.values[0]);
  const View starts = view_of(env, arguments.values[1]);
  const View ends = view_of(env, arguments.values[2]);
  const View hashes = view_of(env, arguments.values[3]);
  return number(env, elanus_hash_texts(bytes.data, bytes.size, numbers_of<uint32_t>(starts), numbers_of<uint32_t>(ends),
                                       hashes.size / sizeof(uint64_t), numbers_of<uint64_t>(hashes)));
}

// minHash(hashes: BigUint64Array, seed: BigUint64Array, signature: Uint32Array): void
napi_value min_hash(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View hashes = view_of(env, arguments.values[0]);
  const View seed = view_of(env, arguments.values[1]);
  const View signature = view_of(env, arguments.values[2]);
  elanus_min_hash(numbers_of<uint64_t>(hashes), hashes.size / sizeof(uint64_t), *numbers_of<uint64_t>(seed),
                  numbers_of<uint32_t>(signature), signature.size / sizeof(uint32_t));
  return nullptr;
}

}  // namespace

void define_min_hash(napi_env env, napi_value exports) {
  define(env, exports, "hashTexts", hash_texts);
  define(env, exports, "minHash", min_hash);
}

}  // namespace elanus::binding
