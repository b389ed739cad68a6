#include "hot_units.h"

#include <algorithm>
#include <numeric>

#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr size_t kWalksMax = 8192;
// So many share what a walk works with.
constexpr size_t kWalksPerRun = 256;
// What a search keeps in view that asks for little: the longer a walk, the less its end has in common with others.
constexpr uint32_t kView = 16;

// Walks on the codes alone, as searches do that read the units.
class TrialWalk {
 public:
  TrialWalk(const DiskGraphParts& parts, const Graph& graph, const std::vector<uint32_t>& places,
            const std::vector<uint32_t>& row_at)
      : parts_(parts), graph_(graph), places_(places), row_at_(row_at), per_unit_(parts.shape().nodes_per_unit()) {}

  // Calls `visit` for each unit on the way, once.
  template <class Visit>
  void run(const uint8_t* query, const Visit& visit) {
    DiskScratch& own = DiskScratch::of(scratch_);
    parts_.read_query(query, &own.query);
    const CodedRowsScorer scorer(parts_.codes, own.query.data());
    own.units.reset(parts_.shape().units(graph_.rows));
    scratch_.beam.reset(kView);
    scratch_.visited.reset(graph_.rows);
    scratch_.neighbours.reserve(std::max<size_t>(graph_.degree, per_unit_));
    enter_at_nearest(parts_.entries, scorer, scratch_);
    uint32_t row = 0;
    while (scratch_.beam.expand_next(&row)) {
      const uint32_t unit = places_[row] / per_unit_;
      if (own.units.add(unit)) {
        visit(unit);
        const uint32_t end = std::min(graph_.rows, (unit + 1) * per_unit_);
        take_up(scorer, row_at_.data() + unit * per_unit_, end - unit * per_unit_);
      }
      take_up(scorer, graph_.links_of(row), graph_.degree);
    }
  }

 private:
  // Up to the end of a list of links.
  void take_up(const CodedRowsScorer& scorer, const uint32_t* rows, size_t size) {
    Neighbours& neighbours = scratch_.neighbours;
    size_t count = 0;
    for (size_t i = 0; i < size && rows[i] < graph_.rows; ++i) {
      if (scratch_.visited.insert(rows[i])) neighbours.nodes[count++] = rows[i];
    }
    scorer.score(neighbours.nodes.data(), count, neighbours.ranks.data());
    for (size_t i = 0; i < count; ++i) scratch_.beam.offer(neighbours.ranks[i], neighbours.nodes[i]);
  }

  const DiskGraphParts& parts_;
  const Graph& graph_;
  const std::vector<uint32_t>& places_;
  const std::vector<uint32_t>& row_at_;
  const uint32_t per_unit_;
  SearchScratch scratch_;
};

}  // namespace

std::vector<uint32_t> count_visits(const DiskGraphParts& parts, const DenseRows& rows, const Graph& graph,
                                   const std::vector<uint32_t>& places, const UnitTrial& trial) {
  std::vector<uint32_t> visits(parts.shape().units(graph.rows));
  std::vector<uint32_t> row_at(graph.rows);
  for (uint32_t row = 0; row < graph.rows; ++row) row_at[places[row]] = row;
  const std::vector<uint32_t> queries = sample_numbers(graph.rows, kWalksMax, trial.seed);
  parallel_for(trial.threads, queries.size(), kWalksPerRun, trial.cancelled, [&](size_t from, size_t to) {
    TrialWalk walk(parts, graph, places, row_at);
    for (size_t i = from; i < to && !is_set(trial.cancelled); ++i)
      walk.run(rows.at(queries[i]), [&](uint32_t unit) {
        std::atomic_ref(visits[unit]).fetch_add(1, std::memory_order_relaxed);
      });
  });
  return visits;
}

void put_hot_units_first(const std::vector<uint32_t>& visits, uint32_t nodes_per_unit,
                         std::vector<uint32_t>* places) {
  const auto full = static_cast<uint32_t>(places->size() / nodes_per_unit);
  std::vector<uint32_t> units(full);
  std::iota(units.begin(), units.end(), 0u);
  std::stable_sort(units.begin(), units.end(), [&](uint32_t a, uint32_t b) { return visits[a] > visits[b]; });
  std::vector<uint32_t> number_of(full);
  for (uint32_t number = 0; number < full; ++number) number_of[units[number]] = number;
  for (uint32_t& place : *places) {
    const uint32_t unit = place / nodes_per_unit;
    if (unit < full) place = number_of[unit] * nodes_per_unit + place % nodes_per_unit;
  }
}

}  // namespace elanus
