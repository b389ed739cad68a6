#include "fast_records.h"

#include <algorithm>

#include "parallel.h"

namespace elanus {

uint32_t fast_blocks(uint32_t degree) {
  return std::max<uint32_t>(1, (degree + kBlockNeighbours / 2) / kBlockNeighbours);
}

FastRecords::FastRecords(ElanusMetric metric, RowCode row_code, NeighbourCode neighbour_code, uint32_t blocks,
                         uint32_t rows, uint32_t entry, HugeArray<uint8_t> bytes)
    : metric_(metric),
      row_code_(std::move(row_code)),
      neighbour_code_(std::move(neighbour_code)),
      layout_{row_code_.bytes(), blocks, neighbour_code_.places()},
      record_bytes_(layout_.record_bytes()),
      block_bytes_(layout_.block_bytes()),
      digits_at_(layout_.digits_at()),
      rows_(rows),
      entry_(entry),
      bytes_(std::move(bytes)) {}

bool FastRecords::links_are_sound(const std::atomic<bool>* cancelled) const {
  for (uint32_t row = 0; row < rows_; ++row) {
    if (row % 4096 == 0 && is_set(cancelled)) return false;
    for (size_t b = 0; b < layout_.blocks; ++b) {
      const uint32_t* const links = links_of(block_of(record_of(row), b));
      if (std::any_of(links, links + kBlockNeighbours, [&](uint32_t link) { return link >= rows_; })) return false;
    }
  }
  return true;
}

}  // namespace elanus
