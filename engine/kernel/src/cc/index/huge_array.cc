#include "huge_array.h"

#include <sys/mman.h>

#include <new>

namespace elanus {
namespace {

constexpr size_t kPage = 4096;
// Below this, a huge page would be mostly empty.
constexpr size_t kHugeFrom = size_t{4} << 20;

size_t mapped_bytes(size_t bytes) { return (bytes + kHugeSlack + kPage - 1) / kPage * kPage; }

void ask_for_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#if defined(MADV_HUGEPAGE)
  // A wish: where it is not granted, all works the same, only slower.
  if (bytes >= kHugeFrom) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

}  // namespace

void* huge_allocate(size_t bytes) {
  const size_t mapped = mapped_bytes(bytes);
  void* const memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ask_for_huge_pages(memory, mapped);
  return memory;
}

void* huge_grow(void* memory, size_t bytes, size_t bytes_wanted) {
#if defined(__linux__)
  void* const grown = mremap(memory, mapped_bytes(bytes), mapped_bytes(bytes_wanted), MREMAP_MAYMOVE);
  if (grown == MAP_FAILED) throw std::bad_alloc();
  ask_for_huge_pages(grown, mapped_bytes(bytes_wanted));
  return grown;
#else
  void* const grown = huge_allocate(bytes_wanted);
  std::memcpy(grown, memory, bytes);
  huge_free(memory, bytes);
  return grown;
#endif
}

void huge_shrink(void* memory, size_t bytes, size_t bytes_kept) {
  const size_t kept = mapped_bytes(bytes_kept);
  const size_t rest = mapped_bytes(bytes) - kept;
  if (rest > 0) munmap(static_cast<char*>(memory) + kept, rest);
}

void huge_free(void* memory, size_t bytes) { munmap(memory, mapped_bytes(bytes)); }

}  // namespace elanus
