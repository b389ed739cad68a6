// Searches of a graph whose nodes are read from its file.
#include <algorithm>
#include <vector>

#include "disk_graph_parts.h"
#include "disk_scan.h"
#include "disk_units.h"
#include "find_nearest.h"

namespace elanus {
namespace {

// Nodes whose units are asked for at once.
constexpr size_t kBeamWidth = 8;
// Walks stand on about so many rows at most, whatever a filter leaves.
constexpr double kViewMax = 16384;
// Where any row is as likely to be allowed as any other, a walk hardly ever stands on so many times the rows that it should.
constexpr double kViewSpare = 2;
// In nanoseconds, of which only the proportion counts: a code that a scan compares, for each of its bytes; a unit read,
// with what is compared on the way to it.
constexpr double kCodeByteCost = 1;
constexpr double kUnitCost = 20'000;

// A walk on codes that reads the units of what it stands on, and offers the rows in them by their vectors.
class UnitWalk {
 public:
  UnitWalk(const DiskUnits& units, const CodedRowsScorer& scorer, const IndexSearch& search, DiskScratch& own,
           SearchScratch& scratch)
      : units_(units),
        scorer_(scorer),
        search_(search),
        filters_(!search.allowed.are_all()),
        own_(own),
        scratch_(scratch) {}

  // Stands on no more than `view` rows, and on no more than it takes to come by the nearest `ef` allowed ones. False when
  // there may be nearer ones: what is near is not allowed.
  bool run(const std::vector<uint32_t>& entries, uint32_t ef, uint32_t view) {
    begin(entries, ef, view);
    uint32_t node = 0;
    while (!is_set(search_.cancelled)) {
      if (is_among_forbidden()) return false;
      own_.standing.clear();
      own_.wanted.clear();
      while (own_.wanted.size() < kBeamWidth && !is_set(search_.cancelled) && choose(&node)) stand_on(node);
      if (own_.standing.empty()) break;
      units_.read(own_.wanted.data(), own_.wanted.size(), search_, own_, scratch_);
      // Who shares a unit with a node is there at no cost.
      for (const uint64_t unit : own_.wanted) take_up_unit(unit);
      for (const uint32_t standing : own_.standing) follow(standing);
    }
    const Beam& beam = scratch_.beam;
    if (!filters_) return beam.is_full();
    return scratch_.found.is_full() && !(beam.is_full() && beam.worst() < scratch_.found.worst());
  }

 private:
  void begin(const std::vector<uint32_t>& entries, uint32_t ef, uint32_t view) {
    own_.units.reset(units_.count());
    scratch_.beam.reset(view);
    scratch_.visited.reset(units_.rows());
    scratch_.neighbours.reserve(std::max<size_t>(units_.shape().degree, units_.shape().nodes_per_unit()));
    enter_at_nearest(entries, scorer_, scratch_);
    scratch_.found.reset(ef);
    if (!filters_) return;
    for (const Beam::Entry& entry : scratch_.beam) {
      if (search_.allowed.has(entry.node())) scratch_.found.offer(entry.rank, entry.node());
    }
  }

  // Near the query hardly any are allowed.
  bool is_among_forbidden() const {
    if (!filters_ || taken_ < kFirstRows) return false;
    const double share = static_cast<double>(search_.allowed.count(units_.rows())) / units_.rows();
    return static_cast<double>(taken_allowed_) < kLuckMin * share * static_cast<double>(taken_);
  }

  // The nearest node that it has not stood on, unless enough are known that are nearer.
  bool choose(uint32_t* node) {
    float rank = 0;
    return scratch_.beam.peek_next(node, &rank) && rank <= scratch_.found.worst() && scratch_.beam.expand_next(node);
  }

  // Follows its links, or notes what must be read first.
  void stand_on(uint32_t node) {
    uint64_t unit = 0;
    if (!units_.unit_of(node, &unit)) return;
    if (!own_.units.has(unit)) {
      if (units_.may_keep(unit)) {
        if (!units_.take_kept(unit, search_, own_, scratch_)) {
          own_.units.add(unit);
          units_.read(&unit, 1, search_, own_, scratch_);
        }
        take_up_unit(unit);
      } else {
        own_.units.add(unit);
        own_.wanted.push_back(unit);
      }
    }
    // What is there may lead to something nearer than what would be read next. What may be kept counts as there though
    // it has to be read once: a walk takes the same way whatever others have read before it.
    if (std::find(own_.wanted.begin(), own_.wanted.end(), unit) == own_.wanted.end())
      follow(node);
    else
      own_.standing.push_back(node);
  }

  void take_up_unit(uint64_t unit) {
    size_t count = 0;
    units_.for_each_row(unit, own_, [&](uint32_t row) {
      if (scratch_.visited.insert(row)) scratch_.neighbours.nodes[count++] = row;
    });
    offer(count);
  }

  void follow(uint32_t row) {
    uint64_t unit = 0;
    if (!units_.unit_of(row, &unit)) return;
    const NodeView node(units_.shape(), units_.bytes_of(unit, own_), units_.slot_of(row));
    size_t count = 0;
    for (uint32_t i = 0; i < units_.shape().degree; ++i) {
      const uint32_t link = node.link(i);
      if (link >= units_.rows()) break;
      if (!scratch_.visited.insert(link)) continue;
      scorer_.prefetch(link);
      scratch_.neighbours.nodes[count++] = link;
    }
    scratch_.effort.walk(1, 0);
    offer(count);
  }

  // Takes up those of the first `count` neighbours that are near by their codes.
  void offer(size_t count) {
    const Neighbours& neighbours = scratch_.neighbours;
    scorer_.score(neighbours.nodes.data(), count, scratch_.neighbours.ranks.data());
    scratch_.effort.compare(count, scorer_.bytes());
    for (size_t i = 0; i < count; ++i) {
      const float rank = neighbours.ranks[i];
      const uint32_t row = neighbours.nodes[i];
      if (!(rank < scratch_.found.worst())) continue;
      ++taken_;
      if (rank < scratch_.beam.worst()) scratch_.beam.offer(rank, row);
      if (!filters_ || !search_.allowed.has(row)) continue;
      ++taken_allowed_;
      scratch_.found.offer(rank, row);
    }
  }

  const DiskUnits& units_;
  const CodedRowsScorer& scorer_;
  const IndexSearch& search_;
  const bool filters_;
  DiskScratch& own_;
  SearchScratch& scratch_;
  // Rows that seemed near enough, and those of them that a filter allows.
  size_t taken_ = 0;
  size_t taken_allowed_ = 0;
};

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
    const double walked = ef / (allowed / rows());
    const double scan_cost = allowed * kCodeByteCost * static_cast<double>(scorer.bytes());
    const bool scans = walked >= std::min<double>(kViewMax, rows()) || scan_cost < (walked - ef) * kUnitCost;
    const double view = search.allowed.are_all() ? walked : kViewSpare * walked;
    if (!scans && UnitWalk(units_, scorer, search, own, scratch).run(parts_.entries, ef, static_cast<uint32_t>(view))) return;
    // The scan finds what the walk has found once more.
    scratch.hits.reset(search.k, search.range);
    DiskScan(units_, scorer, search, rows(), own, scratch).offer_best(ef);
  }

 private:
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
