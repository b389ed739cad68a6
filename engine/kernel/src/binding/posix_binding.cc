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

// 0 or an errno.
int punch(int fd, off_t offset, off_t length) {
#ifdef FALLOC_FL_PUNCH_HOLE
  int done = 0;
  do {
    done = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  } while (done != 0 && errno == EINTR);
  return done == 0 ? 0 : errno;
#else
  (void)fd, (void)offset, (void)length;
  return EOPNOTSUPP;
#endif
}

// punchFile(fd: number, offset: number, length: number): Promise<number>
// On another thread: the pages of the file leave memory as well.
napi_value punch_file(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const int fd = static_cast<int>(arguments.number(0));
  const auto offset = static_cast<off_t>(arguments.number(1));
  const auto length = static_cast<off_t>(arguments.number(2));
  return promise_of(env, "elanus.punchFile", nullptr, [=] { return punch(fd, offset, length); });
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
  define(env, exports, "punchFile", punch_file);
  define(env, exports, "trimMemory", trim_memory);
}

}  // namespace elanus::binding
