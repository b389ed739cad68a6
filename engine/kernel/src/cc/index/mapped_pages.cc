#include "mapped_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace elanus {

std::unique_ptr<MappedPages> MappedPages::of(const ElanusRows* blocks, size_t count, size_t bytes_max) {
  if (bytes_max == kAllBytes) return nullptr;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  std::vector<Pages> mapped;
  for (size_t i = 0; i < count; ++i) {
    if (blocks[i].is_mapped == 0 || blocks[i].bytes_size == 0) continue;
    // Pages at the borders have bytes of others; these lose nothing by it either.
    const auto address = reinterpret_cast<uintptr_t>(blocks[i].bytes);
    const uintptr_t begin = address / page * page;
    const uintptr_t end = (address + blocks[i].bytes_size + page - 1) / page * page;
    mapped.push_back({reinterpret_cast<uint8_t*>(begin), end - begin});
  }
  if (mapped.empty()) return nullptr;
  return std::unique_ptr<MappedPages>(new MappedPages(std::move(mapped), bytes_max));
}

MappedPages::MappedPages(std::vector<Pages> blocks, size_t bytes_max)
    : blocks_(std::move(blocks)), windows_max_(std::max<size_t>(bytes_max / kWindowBytes, 1)) {}

void MappedPages::give_back() {
  // In this order what others read meanwhile is counted, perhaps twice: the other way round it would be taken for counted.
  windows_.store(0);
  for (std::atomic<uintptr_t>& seen : seen_) seen.store(0);
  for (const Pages& pages : blocks_) madvise(pages.begin, pages.size, MADV_DONTNEED);
}

}  // namespace elanus
