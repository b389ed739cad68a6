#include "fast_records.h"

#include <algorithm>

#include "parallel.h"

namespace elanus {

uint32_t fast_blocks(uint32_t degree) {
  return std::max<uint32_t>(1, (degree + kBlockNeighbours / 2) / kBlockNeighbours);
}

FastRecords::FastRecords(ElanusMetric metric, RowCode row_code, NeighbourCode neighbour_code, uint32_t blocks,
                         uint32_t rows, HugeArray<uint8_t> entries, HugeArray<uint8_t> bytes)
    : metric_(metric),
      row_code_(std::move(row_code)),
      neighbour_code_(std::move(neighbour_code)),
      layout_{row_code_.bytes(), blocks, neighbour_code_.places()},
      record_bytes_(layout_.record_bytes()),
      block_bytes_(layout_.block_bytes()),
      digits_at_(layout_.digits_at()),
      rows_(rows),
      entries_(std::move(entries)),
      bytes_(std::move(bytes)) {}

bool FastRecords::links_are_sound(const std::atomic<bool>* cancelled) const {
  const auto is_sound = [&](const uint8_t* block) {
    const uint32_t* const links = links_of(block);
    return std::all_of(links, links + kBlockNeighbours, [&](uint32_t link) { return link < rows_; });
  };
  for (size_t b = 0; b < entry_blocks(); ++b) {
    if (!is_sound(entry_block(b))) return false;
  }
  for (uint32_t row = 0; row < rows_; ++row) {
    if (row % 4096 == 0 && is_set(cancelled)) return false;
    for (size_t b = 0; b < layout_.blocks; ++b) {
      if (!is_sound(block_of(record_of(row), b))) return false;
    }
  }
  return true;
}

}  // namespace elanus
