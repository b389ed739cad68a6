// Files mapped into memory, as JavaScript sees them. What fails gives an errno.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "pool_promise.h"
#include "values.h"

// Node 26 has it; the headers for older ones, which this library runs on as well, do not.
extern "C" __attribute__((weak)) napi_status node_api_create_external_sharedarraybuffer(
    napi_env env, void* data, size_t length, void (*finalize)(void* data, void* hint), void* hint, napi_value* result);

namespace elanus::binding {
namespace {

void unmap(void* data, void* hint) { munmap(data, reinterpret_cast<size_t>(hint)); }
void unmap_in(napi_env, void* data, void* hint) { unmap(data, hint); }

// Memory that other threads' JavaScript can see too, where Node can make it.
bool wrap(napi_env env, void* data, size_t length, napi_value* buffer) {
  void* const hint = reinterpret_cast<void*>(length);
  if (node_api_create_external_sharedarraybuffer != nullptr)
    return node_api_create_external_sharedarraybuffer(env, data, length, unmap, hint, buffer) == napi_ok;
  return napi_create_external_arraybuffer(env, data, length, unmap_in, hint, buffer) == napi_ok;
}

// mapFile(fd: number, length: number): SharedArrayBuffer | ArrayBuffer | number
// The map lives as long as the buffer, whatever becomes of the file descriptor.
napi_value map_file(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const auto length = static_cast<size_t>(arguments.number(1));
  void* const data = mmap(nullptr, length, PROT_READ, MAP_SHARED, static_cast<int>(arguments.number(0)), 0);
  if (data == MAP_FAILED) return number(env, errno);
  napi_value buffer = nullptr;
  if (wrap(env, data, length, &buffer)) return buffer;
  munmap(data, length);
  return number(env, ENOMEM);
}

struct Pages {
  uint8_t* begin;
  size_t size;
};

// The whole pages that have a byte of the view.
Pages pages_of(const View& view) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(view.data);
  const uintptr_t begin = address / page * page;
  const uintptr_t end = (address + view.size + page - 1) / page * page;
  return {reinterpret_cast<uint8_t*>(begin), end - begin};
}

// residentBytes(view: Uint8Array): number
napi_value resident_bytes(napi_env env, napi_callback_info info) {
  const Pages pages = pages_of(view_of(env, Arguments(env, info).values[0]));
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> flags(pages.size / page);
  if (mincore(pages.begin, pages.size, flags.data()) != 0) return number(env, -errno);
  size_t resident = 0;
  for (const unsigned char flag : flags) resident += flag & 1;
  return number(env, static_cast<double>(resident * page));
}

// dropPages(view: Uint8Array): number
// Whoever reads the bytes afterwards reads the file again.
napi_value drop_pages(napi_env env, napi_callback_info info) {
  const Pages pages = pages_of(view_of(env, Arguments(env, info).values[0]));
  return number(env, madvise(pages.begin, pages.size, MADV_DONTNEED) == 0 ? 0 : errno);
}

// guardPages(view: Uint8Array, areReadable: number): number
// Of the whole pages of the view. Whoever reads one that is not readable ends the process.
napi_value guard_pages(napi_env env, napi_callback_info info) {
  const Arguments arguments(env, info);
  const View view = view_of(env, arguments.values[0]);
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<uintptr_t>(view.data);
  const uintptr_t begin = (address + page - 1) / page * page;
  const uintptr_t end = (address + view.size) / page * page;
  if (begin >= end) return number(env, 0.0);
  const int access = arguments.number(1) != 0 ? PROT_READ : PROT_NONE;
  return number(env, mprotect(reinterpret_cast<void*>(begin), end - begin, access) == 0 ? 0 : errno);
}

// Who maps or frees memory waits for the end of a call.
constexpr size_t kPopulatedAtOnce = size_t{128} << 10;

#ifdef MADV_POPULATE_READ
// 0 or an errno; EINVAL where the system does not know how.
int populate(const Pages& pages, int advice) {
  for (size_t at = 0; at < pages.size; at += kPopulatedAtOnce) {
    const size_t size = std::min(kPopulatedAtOnce, pages.size - at);
    if (madvise(pages.begin + at, size, advice) != 0) return errno;
  }
  return 0;
}
#endif

// 0 or an errno.
int fetch_to_read(const Pages& pages) {
#ifdef MADV_POPULATE_READ
  const int error = populate(pages, MADV_POPULATE_READ);
  // What older systems do not know is done by hand.
  if (error != EINVAL) return error;
#endif
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (size_t at = 0; at < pages.size; at += page) {
    const volatile uint8_t byte = pages.begin[at];
    (void)byte;
  }
  return 0;
}

// Never by hand: what another thread writes meanwhile must stay.
int fetch_to_write(const Pages& pages) {
#ifdef MADV_POPULATE_READ
  const int error = populate(pages, MADV_POPULATE_WRITE);
  return error == EINVAL ? 0 : error;
#else
  (void)pages;
  return 0;
#endif
}

napi_value start_fetching(napi_env env, napi_callback_info info, int (*fetch)(const Pages&)) {
  const Arguments arguments(env, info);
  const Pages pages = pages_of(view_of(env, arguments.values[0]));
  return promise_of(env, "elanus.fetchPages", arguments.values[0], [=] { return fetch(pages); });
}

// readPages(view: Uint8Array): Promise<number>
napi_value read_pages(napi_env env, napi_callback_info info) { return start_fetching(env, info, fetch_to_read); }

// reservePages(view: Uint8Array): Promise<number>
napi_value reserve_pages(napi_env env, napi_callback_info info) { return start_fetching(env, info, fetch_to_write); }

}  // namespace

void define_map(napi_env env, napi_value exports) {
  define(env, exports, "mapFile", map_file);
  define(env, exports, "residentBytes", resident_bytes);
  define(env, exports, "dropPages", drop_pages);
  define(env, exports, "guardPages", guard_pages);
  define(env, exports, "readPages", read_pages);
  define(env, exports, "reservePages", reserve_pages);
}

}  // namespace elanus::binding
