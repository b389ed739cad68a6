// Searches of a graph whose nodes are read from its file.
#include <algorithm>

#include "disk_graph_parts.h"
#include "disk_units.h"
#include "find_nearest.h"

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
      : DiskGraph(simd, parts.head),
        parts_(std::move(parts)),
        file_(std::move(file)),
        units_(head_, parts_.shape(), std::move(blocks), places, nodes_at) {}

  IndexKind kind() const override { return IndexKind::kDiskGraph; }
  size_t memory_bytes() const override { return rows() == 0 ? 0 : parts_.codes.memory_bytes() + units_.memory_bytes(); }

  void write(IndexFileWriter& writer, VectorPlace) const override { write_copy(*file_, writer); }
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return units_.are_sound(cancelled); }

 protected:
  void find(const IndexSearch& search, uint32_t ef, DiskScratch& own, SearchScratch& scratch) const override {
    parts_.read_query(search.query, &own.query);
    const CodedRowsScorer scorer(parts_.codes, own.query.data());
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
    scratch.picked.clear();
    for (const Beam::Entry& entry : scratch.found) scratch.picked.push_back({entry.rank, entry.node()});
    own.units.reset(units_.count());
    units_.read_of(scratch.picked.data(), scratch.picked.size(), search, own, scratch);
  }

  void walk(const CodedRowsScorer& scorer, const IndexSearch& search, uint32_t view, DiskScratch& own,
            SearchScratch& scratch) const {
    const NodeShape& shape = units_.shape();
    Beam& beam = scratch.beam;
    beam.reset(view);
    own.units.reset(units_.count());
    scratch.visited.reset(rows());
    enter_at_nearest(parts_.entries, scorer, scratch);
    scratch.neighbours.reserve(std::max<size_t>(shape.degree, shape.nodes_per_unit()));
    while (!is_set(search.cancelled)) {
      own.standing.clear();
      own.wanted.clear();
      uint32_t node = 0;
      while (own.wanted.size() < kBeamWidth && !is_set(search.cancelled) && beam.expand_next(&node)) {
        uint64_t unit = 0;
        if (!units_.unit_of(node, &unit)) continue;
        if (!own.units.has(unit)) {
          if (units_.may_keep(unit)) {
            if (!units_.take_kept(unit, search, own, scratch)) {
              own.units.add(unit);
              units_.read(&unit, 1, search, own, scratch);
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
      units_.read(own.wanted.data(), own.wanted.size(), search, own, scratch);
      // Who shares a unit with a node is there at no cost.
      for (const uint64_t unit : own.wanted) take_up_unit(scorer, unit, own, scratch);
      for (const uint32_t standing : own.standing) follow(scorer, standing, own, scratch);
    }
  }

  void take_up_unit(const CodedRowsScorer& scorer, uint64_t unit, DiskScratch& own, SearchScratch& scratch) const {
    size_t count = 0;
    units_.for_each_row(unit, own, [&](uint32_t row) {
      if (scratch.visited.insert(row)) scratch.neighbours.nodes[count++] = row;
    });
    offer(scorer, count, scratch);
  }

  void follow(const CodedRowsScorer& scorer, uint32_t row, DiskScratch& own, SearchScratch& scratch) const {
    uint64_t unit = 0;
    if (!units_.unit_of(row, &unit)) return;
    const NodeView node(units_.shape(), units_.bytes_of(unit, own), units_.slot_of(row));
    size_t count = 0;
    for (uint32_t i = 0; i < units_.shape().degree; ++i) {
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

  const DiskGraphParts parts_;
  const std::shared_ptr<const IndexFile> file_;
  const DiskUnits units_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_disk_graph_of_file(const ElanusSimd& simd, DiskGraphParts parts,
                                                     std::shared_ptr<const IndexFile> file,
                                                     std::unique_ptr<const BlockFile> blocks, const uint32_t* places,
                                                     uint64_t nodes_at) {
  return std::make_unique<FileDiskGraph>(simd, std::move(parts), std::move(file), std::move(blocks), places, nodes_at);
}

}  // namespace elanus
