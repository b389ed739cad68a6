// Searches of a graph whose nodes are read from its file.
#include <cstring>

#include "disk_graph_parts.h"
#include "find_nearest.h"
#include "kept_units.h"

namespace elanus {
namespace {

// Nodes whose units are asked for at once.
constexpr size_t kBeamWidth = 8;
// Walks keep this many rows in view at most, whatever a filter leaves.
constexpr double kViewMax = 16384;
// In nanoseconds, of which only the proportion counts: a code that a scan compares, for each of its bytes; a unit read,
// with what is compared on the way to it.
constexpr double kCodeByteCost = 1;
constexpr double kUnitCost = 20'000;

class FileDiskGraph : public DiskGraph {
 public:
  FileDiskGraph(const ElanusSimd& simd, DiskGraphParts parts, std::shared_ptr<const IndexFile> file,
                std::unique_ptr<const BlockFile> blocks, const uint32_t* places, uint64_t nodes_at)
      : DiskGraph(simd, std::move(parts)),
        shape_(parts_.shape()),
        per_unit_(shape_.nodes_per_unit()),
        units_(shape_.units(rows())),
        file_(std::move(file)),
        blocks_(std::move(blocks)),
        places_(places),
        nodes_at_(nodes_at),
        kept_(parts_.head.kept, shape_.unit_bytes()) {}

  size_t memory_bytes() const override {
    return rows() == 0 ? 0 : parts_.codes.memory_bytes() + rows() * sizeof(uint32_t) + kept_.memory_bytes();
  }

  // A copy of the file it is a view of.
  void write(IndexFileWriter& writer, VectorPlace) const override {
    for (const IndexFile::Section& section : file_->sections()) {
      writer.begin(section.name);
      writer.append(section.bytes, section.size);
    }
  }
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override {
    DiskScratch scratch;
    std::vector<bool> seen(rows());
    uint8_t* const unit_bytes = scratch.buffer(0, shape_.unit_bytes());
    for (uint64_t unit = 0; unit < units_; ++unit) {
      if (is_set(cancelled) || !read_unit(unit, unit_bytes, scratch)) return false;
      for (uint32_t slot = 0; slot < per_unit_ && unit * per_unit_ + slot < rows(); ++slot) {
        const NodeView node(shape_, unit_bytes, slot);
        if (node.row() >= rows() || seen[node.row()] || places_[node.row()] != unit * per_unit_ + slot) return false;
        seen[node.row()] = true;
        for (uint32_t i = 0; i < shape_.degree && node.link(i) != kNoRow; ++i) {
          if (node.link(i) >= rows()) return false;
        }
      }
    }
    return true;
  }

 protected:
  void find(const IndexSearch& search, uint32_t ef, DiskScratch& own, SearchScratch& scratch) const override {
    const CodedRowsScorer scorer(parts_.codes, own.query.data());
    own.units.reset(units_);
    const double allowed = search.allowed.count(rows());
    const double share = allowed / rows();
    const double walked = ef / share;
    const double scan_cost = allowed * kCodeByteCost * static_cast<double>(parts_.codes.quantizer().code_bytes());
    if (walked >= std::min<double>(kViewMax, rows()) || scan_cost < (walked - ef) * kUnitCost)
      return scan(scorer, search, ef, own, scratch);
    walk(scorer, search, static_cast<uint32_t>(walked), own, scratch);
  }

 private:
  // The best of all allowed rows by their codes.
  void scan(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t ef, DiskScratch& own,
            SearchScratch& scratch) const {
    scratch.found.reset(ef);
    scan_allowed(scorer, search, rows(), [&](float rank, uint32_t row) { scratch.found.offer(rank, row); });
    scratch.effort.scan(search.allowed.count(rows()));
    scratch.effort.compare(search.allowed.count(rows()), parts_.codes.quantizer().code_bytes());
    own.wanted.clear();
    for (const Beam::Entry& entry : scratch.found) {
      uint64_t unit = 0;
      if (!unit_of(entry.node(), &unit) || own.units.has(unit)) continue;
      if (take_kept(unit, search, own, scratch)) continue;
      own.units.add(unit);
      own.wanted.push_back(unit);
    }
    for (size_t first = 0; first < own.wanted.size() && !is_set(search.cancelled); first += BlockReader::kAtOnceMax)
      read(own.wanted.data() + first, std::min(own.wanted.size() - first, BlockReader::kAtOnceMax), search, own, scratch);
  }

  void walk(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t view, DiskScratch& own,
            SearchScratch& scratch) const {
    Beam& beam = scratch.beam;
    beam.reset(view);
    scratch.visited.reset(rows());
    enter_disk_graph(parts_, scorer, scratch);
    const size_t nodes_max = std::max<size_t>(shape_.degree, BlockReader::kAtOnceMax * per_unit_);
    scratch.neighbours.reserve(nodes_max);
    while (!is_set(search.cancelled)) {
      own.standing.clear();
      own.wanted.clear();
      uint32_t node = 0;
      while (own.wanted.size() < kBeamWidth && !is_set(search.cancelled) && beam.expand_next(&node)) {
        uint64_t unit = 0;
        if (!unit_of(node, &unit)) continue;
        if (!own.units.has(unit)) {
          if (kept_.may_have(unit)) {
            if (!take_kept(unit, search, own, scratch)) {
              own.units.add(unit);
              read(&unit, 1, search, own, scratch);
            }
            take_up_unit(scorer, unit, own, scratch);
          } else {
            own.units.add(unit);
            own.wanted.push_back(unit);
          }
        }
        // What is there may lead to something nearer than what would be read next. What may be kept counts as there though
        // it has to be read once: a walk takes the same way whatever others have read before it.
        if (std::find(own.wanted.begin(), own.wanted.end(), unit) == own.wanted.end())
          follow(scorer, node, own, scratch);
        else
          own.standing.push_back(node);
      }
      if (own.standing.empty()) return;
      read(own.wanted.data(), own.wanted.size(), search, own, scratch);
      // Who shares a unit with a node is there at no cost.
      for (const uint64_t unit : own.wanted) take_up_unit(scorer, unit, own, scratch);
      for (const uint32_t standing : own.standing) follow(scorer, standing, own, scratch);
    }
  }

  bool unit_of(uint32_t row, uint64_t* unit) const {
    *unit = places_[row] / per_unit_;
    return places_[row] < rows();
  }

  // Offers the rows of a unit that is kept; false when it is not there. REQUIRES: the search has not seen it.
  bool take_kept(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const {
    if (!kept_.has(unit)) return false;
    own.units.add_kept(unit);
    ++own.reads.kept_units;
    rank_unit(unit, search, own, scratch);
    return true;
  }

  // The bytes of a unit that the search has seen, and read unless it is kept.
  const uint8_t* bytes_of(uint64_t unit, DiskScratch& own) const {
    const uint32_t buffer = own.units.buffer_of(unit);
    return buffer == UnitsSeen::kKept ? kept_.bytes_of(unit) : own.buffer(buffer, shape_.unit_bytes());
  }

  bool read_unit(uint64_t unit, uint8_t* into, DiskScratch& own) const {
    bool is_whole = true;
    for (uint32_t block = 0; block < shape_.blocks_per_unit(); ++block) {
      BlockReader::Request request = {offset_of(unit) + block * kBlockBytes, into + block * kBlockBytes};
      own.reader.read(*blocks_, &request, 1);
      is_whole &= request.is_read;
    }
    return is_whole;
  }

  uint64_t offset_of(uint64_t unit) const { return nodes_at_ + unit * shape_.unit_bytes(); }

  // Reads units that have buffers and offers their rows. What the disk cannot read counts as empty.
  void read(const uint64_t* units, size_t unit_count, const IndexSearch& search, DiskScratch& own,
            SearchScratch& scratch) const {
    BlockReader::Request requests[BlockReader::kAtOnceMax];
    size_t count = 0;
    bool are_read = true;
    const auto flush = [&] {
      own.reader.read(*blocks_, requests, count);
      own.reads.blocks += count;
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

  // Offers the allowed rows of a unit by their vectors.
  void rank_unit(uint64_t unit, const IndexSearch& search, DiskScratch& own, SearchScratch& scratch) const {
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
    DenseRows rows;
    rows.type = type();
    rows.dim = dim();
    rows.stride = shape_.node_bytes();
    rows.bytes = bytes + NodeShape::kHeadBytes;
    rows.rows = per_unit_;
    rows.inverse_norms = metric() == ELANUS_COSINE ? norms : nullptr;
    scratch.ranks.resize(count + kRowTile);
    scratch.exact.rank(rows, slots, count, scratch.ranks.data());
    for (size_t i = 0; i < count; ++i)
      scratch.hits.offer({scratch.ranks[i], NodeView(shape_, bytes, slots[i]).row()});
  }

  // Damaged numbers may say of several nodes that they are the same row.
  bool is_there(const NodeView& node, uint64_t unit, uint32_t slot) const {
    return node.row() < rows() && places_[node.row()] == unit * per_unit_ + slot;
  }

  void take_up_unit(const CodedRowsScorer& scorer, uint64_t unit, DiskScratch& own, SearchScratch& scratch) const {
    const uint8_t* const bytes = bytes_of(unit, own);
    size_t count = 0;
    for (uint32_t slot = 0; slot < per_unit_; ++slot) {
      const NodeView node(shape_, bytes, slot);
      if (!is_there(node, unit, slot) || !scratch.visited.insert(node.row())) continue;
      scratch.neighbours.nodes[count++] = node.row();
    }
    offer(scorer, count, scratch);
  }

  void follow(const CodedRowsScorer& scorer, uint32_t row, DiskScratch& own, SearchScratch& scratch) const {
    const uint64_t unit = places_[row] / per_unit_;
    const NodeView node(shape_, bytes_of(unit, own), places_[row] % per_unit_);
    size_t count = 0;
    for (uint32_t i = 0; i < shape_.degree; ++i) {
      const uint32_t link = node.link(i);
      if (link >= rows()) break;
      if (!scratch.visited.insert(link)) continue;
      scorer.prefetch(link);
      scratch.neighbours.nodes[count++] = link;
    }
    scratch.effort.walk(1, 0);
    offer(scorer, count, scratch);
  }

  // Offers the first `count` neighbours to the beam by their codes.
  void offer(const CodedRowsScorer& scorer, size_t count, SearchScratch& scratch) const {
    const Neighbours& neighbours = scratch.neighbours;
    scorer.score(neighbours.nodes.data(), count, scratch.neighbours.ranks.data());
    scratch.effort.compare(count, parts_.codes.quantizer().code_bytes());
    for (size_t i = 0; i < count; ++i) {
      if (neighbours.ranks[i] < scratch.beam.worst()) scratch.beam.offer(neighbours.ranks[i], neighbours.nodes[i]);
    }
  }

  const NodeShape shape_;
  const uint32_t per_unit_;
  const uint64_t units_;
  const std::shared_ptr<const IndexFile> file_;
  const std::unique_ptr<const BlockFile> blocks_;
  const uint32_t* const places_;
  const uint64_t nodes_at_;
  mutable KeptUnits kept_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_disk_graph_of_file(const ElanusSimd& simd, DiskGraphParts parts,
                                                     std::shared_ptr<const IndexFile> file,
                                                     std::unique_ptr<const BlockFile> blocks, const uint32_t* places,
                                                     uint64_t nodes_at) {
  return std::make_unique<FileDiskGraph>(simd, std::move(parts), std::move(file), std::move(blocks), places, nodes_at);
}

}  // namespace elanus
