// System calls that Node has no function for. Each returns 0 or an errno.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>

#include "values.h"

namespace elanus::binding {
namespace {

// lockFile(fd: number): number
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

constexpr uintptr_t kHugePageBytes = uintptr_t{2} << 20;

// adviseHugePages(address: number, length: number): number
napi_value advise_huge_pages(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto begin = static_cast<uintptr_t>(arguments.number(0));
  const auto end = begin + static_cast<uintptr_t>(arguments.number(1));
  const uintptr_t first = (begin + kHugePageBytes - 1) & ~(kHugePageBytes - 1);
  const uintptr_t last = end & ~(kHugePageBytes - 1);
  int error = 0;
#ifdef MADV_HUGEPAGE
  if (first < last && madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE) != 0) error = errno;
#endif
  return number(env, error);
}

}  // namespace

void define_posix(napi_env env, napi_value exports) {
  define(env, exports, "lockFile", lock_file);
  define(env, exports, "allocateFile", allocate_file);
  define(env, exports, "adviseHugePages", advise_huge_pages);
}

}  // namespace elanus::binding
