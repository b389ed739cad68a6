// The units of nodes in an index file, as searches read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "block_reader.h"
#include "disk_graph_parts.h"
#include "disk_nodes.h"
#include "kept_units.h"
#include "search_scratch.h"
#include "vector_index.h"

namespace elanus {

// Any thread may read. Trusts neither the places nor what stands in a unit.
class DiskUnits {
 public:
  // Units from `nodes_at` on in the file of `blocks`; `places`, one a row, outlive this.
  DiskUnits(const DiskGraphHead& head, const NodeShape& shape, std::unique_ptr<const BlockFile> blocks,
            const uint32_t* places, uint64_t nodes_at);

  const NodeShape& shape() const { return shape_; }
  uint32_t rows() const { return head_.rows; }
  // The last one may not be full.
  uint64_t count() const { return count_; }
  size_t memory_bytes() const { return head_.rows * sizeof(uint32_t) + kept_.memory_bytes(); }

  // False when there is no such place.
  bool unit_of(uint32_t row, uint64_t* unit) const {
    *unit = places_[row] / per_unit_;
    return places_[row] < head_.rows;
  }
  // REQUIRES: unit_of(row, ...).
  uint32_t slot_of(uint32_t row) const { return places_[row] % per_unit_; }

  // Whether it is one of those that stay in memory, or will once it was read.
  bool may_keep(uint64_t unit) const { return kept_.may_have(unit); }
  // Offers the rows of a unit that is kept; false when it is not there. REQUIRES: the search has not seen it.
  bool take_kept(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const;
  // The bytes of a unit that the search has seen, and read unless it is kept.
  const uint8_t* bytes_of(uint64_t unit, DiskScratch& own) const;

  // Reads units that have buffers and offers their rows. What the disk cannot read counts as empty.
  void read(const uint64_t* units, size_t unit_count, const IndexSearch& search, DiskScratch& own,
            SearchScratch& scratch) const;
  // The same of the units of rows, those the search has not seen, as many at once as the disk takes.
  void read_of(const IndexHit* rows, size_t row_count, const IndexSearch& search, DiskScratch& own,
               SearchScratch& scratch) const;
  // The rank of a row whose unit the search has seen, by its vector; NaN when it is not in a buffer, or no more.
  float rank_of(uint32_t row, DiskScratch& own, SearchScratch& scratch) const;

  // Calls `visit(row)` for those of the unit, which the search has seen.
  template <class Visit>
  void for_each_row(uint64_t unit, DiskScratch& own, const Visit& visit) const {
    const uint8_t* const bytes = bytes_of(unit, own);
    for (uint32_t slot = 0; slot < per_unit_; ++slot) {
      const NodeView node(shape_, bytes, slot);
      if (is_there(node, unit, slot)) visit(node.row());
    }
  }

  // Whether each row is where its place says and every link leads to a row. False when cancelled.
  bool are_sound(const std::atomic<bool>* cancelled) const;

 private:
  // Damaged numbers may say of several nodes that they are the same row.
  bool is_there(const NodeView& node, uint64_t unit, uint32_t slot) const {
    return node.row() < head_.rows && places_[node.row()] == unit * per_unit_ + slot;
  }
  uint64_t offset_of(uint64_t unit) const { return nodes_at_ + unit * shape_.unit_bytes(); }
  bool read_unit(uint64_t unit, uint8_t* into, DiskScratch& own) const;
  // The vectors of a unit; `norms`, one a slot, outlive them.
  DenseRows vectors_of(const uint8_t* unit, const float* norms) const;
  void rank_unit(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const;

  const DiskGraphHead head_;
  const NodeShape shape_;
  const uint32_t per_unit_;
  const uint64_t count_;
  const std::unique_ptr<const BlockFile> blocks_;
  const uint32_t* const places_;
  const uint64_t nodes_at_;
  mutable KeptUnits kept_;
};

}  // namespace elanus
