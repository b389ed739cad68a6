#include "disk_nodes.h"

#include <algorithm>

namespace elanus {
namespace {

// Units that are put together before they are written.
constexpr size_t kUnitsAtOnce = 256;

// Fills one unit after the other: with the row that most is linked to of what is in it already, near links counting more.
// The next unit begins next to the last one, so that few rows are left alone among others that have their places.
class Placing {
 public:
  Placing(const Graph& graph, uint32_t nodes_per_unit)
      : graph_(graph), nodes_per_unit_(nodes_per_unit), places_(graph.rows, kNoRow) {}

  std::vector<uint32_t> run() {
    while (placed_ < graph_.rows) place(next());
    return std::move(places_);
  }

 private:
  // Of what a unit would have taken next, so many are kept to begin others with.
  static constexpr size_t kWaitingPerUnit = 8;

  struct Candidate {
    uint32_t row;
    uint32_t weight;
  };

  void place(uint32_t row) {
    places_[row] = placed_++;
    if (placed_ % nodes_per_unit_ == 0) return end_unit();
    const uint32_t* const links = graph_.links_of(row);
    for (uint32_t i = 0; i < graph_.degree && links[i] < graph_.rows; ++i) {
      if (places_[links[i]] == kNoRow) add(links[i], graph_.degree - i);
    }
  }

  void add(uint32_t row, uint32_t weight) {
    for (Candidate& candidate : candidates_) {
      if (candidate.row != row) continue;
      candidate.weight += weight;
      return;
    }
    candidates_.push_back({row, weight});
  }

  void end_unit() {
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.weight < b.weight; });
    const size_t first = candidates_.size() - std::min(candidates_.size(), kWaitingPerUnit);
    for (size_t i = first; i < candidates_.size(); ++i) waiting_.push_back(candidates_[i].row);
    candidates_.clear();
  }

  // REQUIRES: some row has no place yet.
  uint32_t next() {
    if (!candidates_.empty()) {
      const auto best = std::max_element(candidates_.begin(), candidates_.end(),
                                         [](const Candidate& a, const Candidate& b) { return a.weight < b.weight; });
      const uint32_t row = best->row;
      candidates_.erase(best);
      return row;
    }
    while (!waiting_.empty()) {
      const uint32_t row = waiting_.back();
      waiting_.pop_back();
      if (places_[row] == kNoRow) return row;
    }
    while (places_[first_] != kNoRow) ++first_;
    return first_;
  }

  const Graph& graph_;
  const uint32_t nodes_per_unit_;
  std::vector<uint32_t> places_;
  uint32_t placed_ = 0;
  uint32_t first_ = 0;  // rows before it have their places
  std::vector<Candidate> candidates_;  // for the unit that is being filled: linked to, without a place
  std::vector<uint32_t> waiting_;      // some of those that were left over, the best and latest at the end
};

}  // namespace

std::vector<uint32_t> place_together(const Graph& graph, uint32_t nodes_per_unit) {
  return Placing(graph, nodes_per_unit).run();
}

void write_nodes(const NodeShape& shape, const DenseRows& rows, const Graph& graph,
                 const std::vector<uint32_t>& places, IndexFileWriter& writer) {
  std::vector<uint32_t> row_at(rows.rows);
  for (uint32_t row = 0; row < rows.rows; ++row) row_at[places[row]] = row;
  const uint32_t per_unit = shape.nodes_per_unit();
  const uint64_t units = shape.units(rows.rows);
  std::vector<uint8_t> bytes;
  for (uint64_t first = 0; first < units; first += kUnitsAtOnce) {
    const size_t here = std::min<size_t>(kUnitsAtOnce, units - first);
    bytes.assign(here * shape.unit_bytes(), 0);
    for (size_t unit = 0; unit < here; ++unit) {
      for (uint32_t slot = 0; slot < per_unit; ++slot) {
        uint8_t* at = bytes.data() + unit * shape.unit_bytes() + slot * shape.node_bytes();
        const uint64_t place = (first + unit) * per_unit + slot;
        const uint32_t row = place < rows.rows ? row_at[place] : kNoRow;
        std::memcpy(at, &row, sizeof row);
        if (row == kNoRow) continue;
        const float inverse = rows.inverse_norms == nullptr ? 1 : rows.inverse_norms[row];
        std::memcpy(at + sizeof row, &inverse, sizeof inverse);
        at += NodeShape::kHeadBytes;
        std::memcpy(at, rows.at(row), shape.vector_bytes);
        std::memcpy(at + (shape.vector_bytes + 3) / 4 * 4, graph.links_of(row), shape.degree * sizeof(uint32_t));
      }
    }
    writer.append(bytes.data(), bytes.size());
  }
}

}  // namespace elanus
