// What Node has no function for.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cerrno>
#include <memory>

#include "values.h"

namespace elanus::binding {
namespace {

// lockFile(fd: number): number, 0 or an errno as of the next
napi_value lock_file(napi_env env, napi_callback_info info) {
  const int fd = static_cast<int>(Arguments(env, info).number(0));
  return number(env, flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno);
}

// allocateFile(fd: number, offset: number, length: number): number
napi_value allocate_file(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const int fd = static_cast<int>(arguments.number(0));
  int error = 0;
  do {
    error = posix_fallocate(fd, static_cast<off_t>(arguments.number(1)), static_cast<off_t>(arguments.number(2)));
  } while (error == EINTR);
  return number(env, error);
}

struct Trimming {
  napi_async_work work = nullptr;
  napi_deferred ended = nullptr;
};

void trim(napi_env, void*) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

void end_trimming(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Trimming> trimming(static_cast<Trimming*>(data));
  napi_delete_async_work(env, trimming->work);
  napi_resolve_deferred(env, trimming->ended, number(env, 0.0));
}

// trimMemory(): Promise<number>
// On another thread: a hundred megabytes take some milliseconds.
napi_value start_trimming(napi_env env, napi_callback_info) {
  auto* const trimming = new Trimming;
  napi_value promise = nullptr;
  napi_value name = nullptr;
  napi_create_promise(env, &trimming->ended, &promise);
  napi_create_string_utf8(env, "elanus.trimMemory", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, nullptr, name, trim, end_trimming, trimming, &trimming->work);
  napi_queue_async_work(env, trimming->work);
  return promise;
}

}  // namespace

void define_posix(napi_env env, napi_value exports) {
  define(env, exports, "lockFile", lock_file);
  define(env, exports, "allocateFile", allocate_file);
  define(env, exports, "trimMemory", start_trimming);
}

}  // namespace elanus::binding
