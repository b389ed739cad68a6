#include "disk_units.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "parallel.h"

namespace elanus {

DiskUnits::DiskUnits(const DiskGraphHead& head, const NodeShape& shape, std::unique_ptr<const BlockFile> blocks,
                     const uint32_t* places, uint64_t nodes_at)
    : head_(head),
      shape_(shape),
      per_unit_(shape.nodes_per_unit()),
      count_(shape.units(head.rows)),
      blocks_(std::move(blocks)),
      places_(places),
      nodes_at_(nodes_at),
      kept_(head.kept, shape.unit_bytes()) {}

bool DiskUnits::take_kept(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const {
  if (!kept_.has(unit)) return false;
  own.units.add_kept(unit);
  ++own.reads.kept_units;
  rank_unit(unit, search, own, scratch);
  return true;
}

const uint8_t* DiskUnits::bytes_of(uint64_t unit, DiskScratch& own) const {
  const uint32_t buffer = own.units.buffer_of(unit);
  return buffer == UnitsSeen::kKept ? kept_.bytes_of(unit) : own.buffer(buffer, shape_.unit_bytes());
}

void DiskUnits::read(const uint64_t* units, size_t unit_count, const IndexSearch& search, DiskScratch& own,
                     SearchScratch& scratch) const {
  BlockReader::Request requests[BlockReader::kAtOnceMax];
  size_t count = 0;
  bool are_read = true;
  const auto flush = [&] {
    own.reader.read(*blocks_, requests, count);
    own.reads.blocks += count;
    ++own.reads.waves;
    scratch.effort.bytes += count * kBlockBytes;
    for (size_t i = 0; i < count; ++i) {
      if (requests[i].is_read) continue;
      are_read = false;
      std::memset(requests[i].into, 0xff, kBlockBytes);
    }
    count = 0;
  };
  for (size_t i = 0; i < unit_count; ++i) {
    uint8_t* const into = own.buffer(own.units.buffer_of(units[i]), shape_.unit_bytes());
    for (uint32_t block = 0; block < shape_.blocks_per_unit(); ++block) {
      requests[count++] = {offset_of(units[i]) + block * kBlockBytes, into + block * kBlockBytes};
      if (count == BlockReader::kAtOnceMax) flush();
    }
  }
  if (count > 0) flush();
  for (size_t i = 0; i < unit_count; ++i) {
    rank_unit(units[i], search, own, scratch);
    if (are_read) kept_.keep(units[i], bytes_of(units[i], own));
  }
}

void DiskUnits::read_of(const IndexHit* rows, size_t row_count, const IndexSearch& search, DiskScratch& own,
                        SearchScratch& scratch) const {
  own.wanted.clear();
  for (size_t i = 0; i < row_count; ++i) {
    uint64_t unit = 0;
    if (!unit_of(rows[i].row, &unit) || own.units.has(unit)) continue;
    if (take_kept(unit, search, own, scratch)) continue;
    own.units.add(unit);
    own.wanted.push_back(unit);
  }
  for (size_t first = 0; first < own.wanted.size() && !is_set(search.cancelled); first += BlockReader::kAtOnceMax)
    read(own.wanted.data() + first, std::min(own.wanted.size() - first, BlockReader::kAtOnceMax), search, own, scratch);
}

float DiskUnits::rank_of(uint32_t row, DiskScratch& own, SearchScratch& scratch) const {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  uint64_t unit = 0;
  if (!unit_of(row, &unit)) return kNone;
  const uint8_t* const bytes = bytes_of(unit, own);
  const uint32_t slot = slot_of(row);
  const NodeView node(shape_, bytes, slot);
  if (node.row() != row) return kNone;
  float norms[kBlockBytes / NodeShape::kHeadBytes];
  norms[slot] = node.inverse_norm();
  float ranks[kRowTile];
  scratch.exact.rank(vectors_of(bytes, norms), &slot, 1, ranks);
  return ranks[0];
}

DenseRows DiskUnits::vectors_of(const uint8_t* unit, const float* norms) const {
  DenseRows rows;
  rows.type = static_cast<ElanusVectorType>(head_.type);
  rows.dim = head_.dim;
  rows.stride = shape_.node_bytes();
  rows.bytes = unit + NodeShape::kHeadBytes;
  rows.rows = per_unit_;
  rows.inverse_norms = head_.metric == ELANUS_COSINE ? norms : nullptr;
  return rows;
}

// Offers the allowed rows of a unit by their vectors.
void DiskUnits::rank_unit(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const {
  const uint8_t* const bytes = bytes_of(unit, own);
  uint32_t slots[kBlockBytes / NodeShape::kHeadBytes];
  float norms[kBlockBytes / NodeShape::kHeadBytes];
  size_t count = 0;
  for (uint32_t slot = 0; slot < per_unit_; ++slot) {
    const NodeView node(shape_, bytes, slot);
    norms[slot] = node.inverse_norm();
    if (is_there(node, unit, slot) && search.allowed.has(node.row())) slots[count++] = slot;
  }
  if (count == 0) return;
  scratch.ranks.resize(count + kRowTile);
  scratch.exact.rank(vectors_of(bytes, norms), slots, count, scratch.ranks.data());
  for (size_t i = 0; i < count; ++i)
    scratch.hits.offer({scratch.ranks[i], NodeView(shape_, bytes, slots[i]).row()});
}

bool DiskUnits::read_unit(uint64_t unit, uint8_t* into, DiskScratch& own) const {
  bool is_whole = true;
  for (uint32_t block = 0; block < shape_.blocks_per_unit(); ++block) {
    BlockReader::Request request = {offset_of(unit) + block * kBlockBytes, into + block * kBlockBytes};
    own.reader.read(*blocks_, &request, 1);
    is_whole &= request.is_read;
  }
  return is_whole;
}

bool DiskUnits::are_sound(const std::atomic<bool>* cancelled) const {
  DiskScratch scratch;
  std::vector<bool> seen(head_.rows);
  uint8_t* const bytes = scratch.buffer(0, shape_.unit_bytes());
  for (uint64_t unit = 0; unit < count_; ++unit) {
    if (is_set(cancelled) || !read_unit(unit, bytes, scratch)) return false;
    for (uint32_t slot = 0; slot < per_unit_ && unit * per_unit_ + slot < head_.rows; ++slot) {
      const NodeView node(shape_, bytes, slot);
      if (!is_there(node, unit, slot) || seen[node.row()]) return false;
      seen[node.row()] = true;
      for (uint32_t i = 0; i < shape_.degree && node.link(i) != kNoRow; ++i) {
        if (node.link(i) >= head_.rows) return false;
      }
    }
  }
  return true;
}

}  // namespace elanus
