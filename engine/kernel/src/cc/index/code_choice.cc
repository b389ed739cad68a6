#include "code_choice.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "code_loops.h"
#include "ordered_dot.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr size_t kDirectionsMax = 64;
// Beyond it the search for directions takes longer than it is worth.
constexpr size_t kDirectionsDimMax = 4096;
constexpr size_t kScanDirectionsMax = 128;
constexpr size_t kScanDirectionsDimMax = 1024;
constexpr uint32_t kMeanSampleMax = 1 << 16;
constexpr size_t kSampleFloatsMax = size_t{1} << 21;
constexpr size_t kSampleEdgesMax = 8192;
constexpr size_t kSampleEdgesMin = 512;
constexpr size_t kEdgesPerRow = 8;
constexpr uint32_t kPlacesMin = 8;
// As good as the best, if it is this much shorter.
constexpr double kErrorTolerance = 1.1;
// Rows are coded along directions only if no more than this share of what they differ in is left out.
constexpr double kLeftOutMax = 0.01;

// Edges of a sample of rows as vectors of length 1, those of one row after the other.
struct Edges {
  size_t dim;
  std::vector<float> units;
  std::vector<size_t> ends;  // of each row's
  size_t count() const { return units.size() / dim; }
  const float* at(size_t edge) const { return units.data() + edge * dim; }
};

class Sampler {
 public:
  Sampler(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows)
      : reader_(simd, rows.type, metric, rows.dim), rows_(rows), from_(rows.dim), to_(rows.dim) {}

  const float* read(uint32_t row) {
    reader_.read(rows_.at(row), from_.data());
    return from_.data();
  }

  // The way from `origin` to the row.
  void add_edge_from(const float* origin, uint32_t row, Edges* edges) {
    reader_.read(rows_.at(row), to_.data());
    add_edge(origin, edges);
  }

  // Up to kEdgesPerRow edges of the row, evenly from near to far.
  void add_edges(const Graph& graph, uint32_t row, Edges* edges) {
    const uint32_t* const links = graph.links_of(row);
    const size_t used = static_cast<size_t>(std::find(links, links + graph.degree, kNoRow) - links);
    const size_t wanted = std::min(used, kEdgesPerRow);
    read(row);
    for (size_t i = 0; i < wanted; ++i) {
      reader_.read(rows_.at(links[i * used / wanted]), to_.data());
      add_edge(from_.data(), edges);
    }
    edges->ends.push_back(edges->count());
  }

 private:
  void add_edge(const float* from, Edges* edges) {
    for (size_t d = 0; d < rows_.dim; ++d) to_[d] -= from[d];
    const float length = std::sqrt(square_length(to_.data(), rows_.dim));
    if (!(length > 1e-30f && length < 1e30f)) return;
    for (size_t d = 0; d < rows_.dim; ++d) edges->units.push_back(to_[d] / length);
  }

  RowReader reader_;
  const DenseRows& rows_;
  AlignedVector<float> from_;
  AlignedVector<float> to_;
};

// How far off products of an edge and another of the same row are when the first is coded.
class Trial {
 public:
  Trial(const WalkLoops& loops, const NeighbourCode& code)
      : loops_(loops), code_(code), digits_(code.places()), coded_(code.coordinates()),
        turned_(code.coordinates()), other_(code.coordinates()), squares_(code.coordinates() + 1) {}

  void add(const float* edge, const float* other, size_t dim) {
    code_.turn(loops_, edge, turned_.data());
    code_.turn(loops_, other, other_.data());
    code_.encode(loops_, turned_.data(), digits_.data(), coded_.data());
    const double exact = ordered_dot(edge, other, dim);
    double along = 0;
    double across = 0;
    for (size_t i = 0; i < coded_.size(); ++i) {
      along += static_cast<double>(coded_[i]) * turned_[i];
      across += static_cast<double>(coded_[i]) * other_[i];
      const double error = (along > 1e-6 ? across / along : 0) - exact;
      squares_[i + 1] += error * error;
    }
    ++count_;
  }

  // When no more than so many of the coordinates are coded.
  double error(size_t coordinates) const { return count_ == 0 ? 0 : std::sqrt(squares_[coordinates] / count_); }
  double error() const { return error(coded_.size()); }

 private:
  const WalkLoops& loops_;
  const NeighbourCode& code_;
  std::vector<uint8_t> digits_;
  AlignedVector<float> coded_;
  AlignedVector<float> turned_;
  AlignedVector<float> other_;
  std::vector<double> squares_;
  double count_ = 0;
};

void try_on(const Edges& edges, Trial* trial) {
  size_t begin = 0;
  for (const size_t end : edges.ends) {
    for (size_t e = begin; e + 1 < end; ++e) trial->add(edges.at(e), edges.at(e + 1), edges.dim);
    begin = end;
  }
}

// The shortest code by levels that is nearly as good as the best of them; none when the rival, which is no shorter, does
// better.
uint32_t choose_places(const WalkLoops& loops, const PrincipalAxes& directions, const NeighbourCode& rival,
                       const Edges& edges) {
  const auto most = static_cast<uint32_t>(directions.count() / kDigitPlaceGroup * kDigitPlaceGroup);
  if (most < kPlacesMin) return 0;
  Trial of_rival(loops, rival);
  try_on(edges, &of_rival);
  const NeighbourCode levels = NeighbourCode::levels(directions, most);
  Trial of_levels(loops, levels);
  try_on(edges, &of_levels);
  double best = of_rival.error();
  uint32_t chosen = 0;
  for (uint32_t places = kPlacesMin; places <= std::min(most, rival.places()); places += kDigitPlaceGroup) {
    if (of_levels.error(places) * (chosen == 0 ? 1 : kErrorTolerance) >= best) continue;
    best = of_levels.error(places);
    chosen = places;
  }
  return chosen;
}

PrincipalAxes axes_of(const ElanusSimd& simd, const Edges& edges, size_t count, uint64_t seed, uint32_t threads,
                      const std::atomic<bool>* cancelled) {
  const AlignedVector<float> columns = to_columns(edges.units.data(), edges.count(), edges.dim);
  return find_principal_axes(simd, columns.data(), edges.dim, padded_floats(edges.count()), count, seed, threads,
                             cancelled);
}

// Whether rows less their mean lie nearly along the directions, and edges as well.
bool directions_hold_rows(const WalkLoops& loops, const RowCode& code, const PrincipalAxes& directions,
                          const std::vector<uint32_t>& sample, Sampler& sampler) {
  if (1 - directions.share(code.directions()) > kLeftOutMax) return false;
  double all = 0;
  double along = 0;
  AlignedVector<float> centred(code.dim());
  for (const uint32_t row : sample) {
    const float* const vector = sampler.read(row);
    for (size_t d = 0; d < code.dim(); ++d) centred[d] = vector[d] - code.mean()[d];
    all += square_length(centred.data(), code.dim());
    along += code.square_along(loops, centred.data());
  }
  return all - along <= kLeftOutMax * all;
}

// Puts levels along the principal directions of the first half in the place of a code that does no better with more
// places.
void prefer_levels(const ElanusSimd& simd, const Edges (&halves)[2], uint64_t seed, uint32_t threads,
                   const std::atomic<bool>* cancelled, NeighbourCode* code) {
  const size_t dim = halves[0].dim;
  const size_t directions_max = std::min<size_t>({kScanDirectionsMax, dim, halves[0].count() / 4});
  if (dim > kScanDirectionsDimMax || directions_max < kPlacesMin || is_set(cancelled)) return;
  const PrincipalAxes directions = axes_of(simd, halves[0], directions_max, seed, threads, cancelled);
  if (is_set(cancelled)) return;
  const uint32_t places = choose_places(simd.walk, directions, *code, halves[1]);
  if (places > 0) *code = NeighbourCode::levels(directions, places);
}

// The ways from their origins to a sample of the rows: every second one to teach, the others to examine.
void sample_edges(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const OriginOfRow& origin_of,
                  uint64_t seed, Edges (*halves)[2]) {
  const size_t edges_max = std::clamp(kSampleFloatsMax / rows.dim, kSampleEdgesMin, kSampleEdgesMax);
  const std::vector<uint32_t> sample = sample_numbers(rows.rows, 2 * edges_max, seed);
  Sampler sampler(simd, metric, rows);
  for (size_t i = 0; i < sample.size(); ++i) {
    if (const float* const origin = origin_of(sample[i])) sampler.add_edge_from(origin, sample[i], &(*halves)[i % 2]);
  }
  for (Edges& half : *halves) half.ends.push_back(half.count());
}

}  // namespace

AlignedVector<float> mean_of(const RowReader& reader, const DenseRows& rows, uint64_t seed) {
  const std::vector<uint32_t> sample = sample_numbers(rows.rows, kMeanSampleMax, seed);
  AlignedVector<float> vector(rows.dim);
  std::vector<double> sum(rows.dim);
  for (const uint32_t row : sample) {
    reader.read(rows.at(row), vector.data());
    for (uint32_t d = 0; d < rows.dim; ++d) sum[d] += vector[d];
  }
  AlignedVector<float> mean(rows.dim);
  for (uint32_t d = 0; d < rows.dim && !sample.empty(); ++d) {
    const auto here = static_cast<float>(sum[d] / static_cast<double>(sample.size()));
    mean[d] = std::isfinite(here) ? here : 0;
  }
  return mean;
}

ScanCodeChoice choose_scan_code(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows,
                                const OriginOfRow& origin_of, uint64_t seed, uint32_t threads,
                                const std::atomic<bool>* cancelled) {
  Edges halves[2] = {{rows.dim, {}, {}}, {rows.dim, {}, {}}};
  sample_edges(simd, metric, rows, origin_of, seed_of_part(seed, 1), &halves);
  ScanCodeChoice choice{NeighbourCode::signs(rows.dim, seed_of_part(seed, 0)), 0};
  prefer_levels(simd, halves, seed_of_part(seed, 2), threads, cancelled, &choice.code);
  Trial trial(simd.walk, choice.code);
  try_on(halves[1], &trial);
  choice.error = static_cast<float>(trial.error());
  return choice;
}

NeighbourCode learn_digit_code(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows,
                               const OriginOfRow& origin_of, uint32_t places, uint64_t seed, uint32_t threads,
                               const std::atomic<bool>* cancelled) {
  Edges halves[2] = {{rows.dim, {}, {}}, {rows.dim, {}, {}}};
  sample_edges(simd, metric, rows, origin_of, seed_of_part(seed, 0), &halves);
  const std::vector<float>& taught = halves[0].units.empty() ? halves[1].units : halves[0].units;
  NeighbourCode code = NeighbourCode::products(rows.dim, places,
                                               learn_digit_products(code_loops(simd), taught, rows.dim, places,
                                                                    seed_of_part(seed, 1), threads, cancelled));
  prefer_levels(simd, halves, seed_of_part(seed, 2), threads, cancelled, &code);
  return code;
}

FastCodes choose_codes(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const Graph& graph,
                       const float* mean, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled) {
  FastCodes codes{RowCode(metric, rows.dim, mean), NeighbourCode::signs(rows.dim, seed_of_part(seed, 0))};
  if (rows.dim > kDirectionsDimMax) return codes;
  const size_t edges_max = std::clamp(kSampleFloatsMax / rows.dim, kSampleEdgesMin, kSampleEdgesMax);
  const std::vector<uint32_t> sample =
      sample_numbers(rows.rows, 2 * edges_max / kEdgesPerRow, seed_of_part(seed, 1));
  Sampler sampler(simd, metric, rows);
  // Every second row teaches, the others examine.
  Edges halves[2] = {{rows.dim, {}, {}}, {rows.dim, {}, {}}};
  for (size_t i = 0; i < sample.size(); ++i) sampler.add_edges(graph, sample[i], &halves[i % 2]);
  const size_t directions_max = std::min<size_t>({kDirectionsMax, rows.dim, halves[0].count() / 4});
  if (directions_max < kPlacesMin) return codes;
  const PrincipalAxes directions = axes_of(simd, halves[0], directions_max, seed_of_part(seed, 2), threads, cancelled);
  if (is_set(cancelled)) return codes;
  const uint32_t places = choose_places(simd.walk, directions, codes.neighbour_code, halves[1]);
  if (places != 0) codes.neighbour_code = NeighbourCode::levels(directions, places);
  const auto row_directions = static_cast<uint32_t>(std::min<size_t>(directions_max, kRowDirectionsMax));
  if (row_directions < rows.dim) {
    RowCode along(metric, mean, directions, row_directions);
    if (directions_hold_rows(simd.walk, along, directions, sample, sampler)) codes.row_code = std::move(along);
  }
  return codes;
}

}  // namespace elanus
