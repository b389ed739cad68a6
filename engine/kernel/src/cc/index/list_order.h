// Which rows are in which list, and where: the rows list by list, and by row number within a list. What belongs to rows
// stands in this order, by position; codes stand in blocks of 32, of which each has rows of one list only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dense_rows.h"
#include "huge_array.h"
#include "index_file.h"
#include "neighbour_code.h"

namespace elanus {

// A row by where its code is: 32 slots a block, the last ones of a list's last block empty.
struct ListPlace {
  uint32_t list;
  uint32_t position;
};

class ListOrder {
 public:
  ListOrder() : starts_(1), first_blocks_(1) {}
  // From the list of each row. REQUIRES: every list of them is below `lists`.
  ListOrder(const std::vector<uint32_t>& list_of_row, uint32_t lists);

  uint32_t lists() const { return static_cast<uint32_t>(starts_.size() - 1); }
  uint32_t rows() const { return starts_.back(); }
  uint32_t blocks() const { return first_blocks_.back(); }
  size_t memory_bytes() const;

  // The positions of a list are [begin, end), its blocks [first_block(list), first_block(list + 1)).
  uint32_t begin(uint32_t list) const { return starts_[list]; }
  uint32_t end(uint32_t list) const { return starts_[list + 1]; }
  uint32_t size(uint32_t list) const { return end(list) - begin(list); }
  uint32_t first_block(uint32_t list) const { return first_blocks_[list]; }

  // The row at a position. Where the file is damaged, any number.
  uint32_t row(uint32_t position) const { return rows_[position]; }
  const uint32_t* rows_from(uint32_t position) const { return rows_.data() + position; }
  // REQUIRES: a slot with a row.
  ListPlace place_of_slot(uint32_t slot) const {
    const uint32_t block = slot / kBlockNeighbours;
    const uint32_t list = list_of_block_[block];
    return {list, starts_[list] + slot - first_blocks_[list] * static_cast<uint32_t>(kBlockNeighbours)};
  }

  // Sections "list starts" and "list rows".
  void write(IndexFileWriter& writer) const;
  // A view of the file, which must outlive it. Reads the starts, not the rows.
  static FileFault read(const IndexFile& file, uint32_t lists, uint32_t rows, ListOrder* order);
  // Whether every row stands at one position.
  bool is_sound() const;

 private:
  void number_blocks();

  std::vector<uint32_t> starts_;        // lists + 1
  std::vector<uint32_t> first_blocks_;  // lists + 1
  std::vector<uint32_t> list_of_block_;
  HugeArray<uint32_t> rows_;
};

}  // namespace elanus
