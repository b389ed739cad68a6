#include "list_order.h"

#include <algorithm>
#include <numeric>

namespace elanus {
namespace {

constexpr char kStartsSection[] = "list starts";
constexpr char kRowsSection[] = "list rows";

}  // namespace

ListOrder::ListOrder(const std::vector<uint32_t>& list_of_row, uint32_t lists) : starts_(size_t{lists} + 1) {
  for (const uint32_t list : list_of_row) ++starts_[list + 1];
  std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
  std::vector<uint32_t> next(starts_.begin(), starts_.end() - 1);
  rows_.resize(list_of_row.size());
  for (size_t row = 0; row < list_of_row.size(); ++row) rows_[next[list_of_row[row]]++] = static_cast<uint32_t>(row);
  number_blocks();
}

size_t ListOrder::memory_bytes() const {
  return (starts_.size() + first_blocks_.size() + list_of_block_.size()) * sizeof(uint32_t) + rows_.bytes();
}

void ListOrder::number_blocks() {
  first_blocks_.assign(1, 0);
  for (uint32_t list = 0; list < lists(); ++list) {
    const size_t blocks = (size_t{size(list)} + kBlockNeighbours - 1) / kBlockNeighbours;
    list_of_block_.insert(list_of_block_.end(), blocks, list);
    first_blocks_.push_back(static_cast<uint32_t>(list_of_block_.size()));
  }
}

void ListOrder::write(IndexFileWriter& writer) const {
  writer.add(kStartsSection, starts_.data(), starts_.size());
  writer.add(kRowsSection, rows_.data(), rows_.size());
}

FileFault ListOrder::read(const IndexFile& file, uint32_t lists, uint32_t rows, ListOrder* order) {
  const auto* const starts = file.array<uint32_t>(kStartsSection, size_t{lists} + 1);
  const auto* const row_numbers = file.array<uint32_t>(kRowsSection, rows);
  if (starts == nullptr || row_numbers == nullptr) return file.damaged("its lists are not as many as they must be");
  order->starts_.assign(starts, starts + lists + 1);
  if (order->starts_.front() != 0 || order->starts_.back() != rows ||
      !std::is_sorted(order->starts_.begin(), order->starts_.end()))
    return file.damaged("its lists do not follow each other");
  order->rows_ = HugeArray<uint32_t>::borrow(row_numbers, rows);
  order->number_blocks();
  return {};
}

bool ListOrder::is_sound() const {
  std::vector<bool> seen(rows());
  for (uint32_t position = 0; position < rows(); ++position) {
    const uint32_t number = row(position);
    if (number >= rows() || seen[number]) return false;
    seen[number] = true;
  }
  return true;
}

}  // namespace elanus
