// What Node has no function for.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cerrno>

#include "pool_promise.h"
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

// trimMemory(): Promise<number>
// On another thread: a hundred megabytes take some milliseconds.
napi_value trim_memory(napi_env env, napi_callback_info) {
  return promise_of(env, "elanus.trimMemory", nullptr, [] {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
    return 0;
  });
}

}  // namespace

void define_posix(napi_env env, napi_value exports) {
  define(env, exports, "lockFile", lock_file);
  define(env, exports, "allocateFile", allocate_file);
  define(env, exports, "trimMemory", trim_memory);
}

}  // namespace elanus::binding
