// The fast layout against brute force: its codes, its walk on every instruction set, filters, ranges and its file.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "../src/cc/index/fast_graph.h"
#include "../src/cc/index/fast_walk.h"
#include "../src/cc/index/narrow.h"
#include "../src/cc/index/ordered_dot.h"
#include "../src/cc/index/search_scratch.h"
#include "check.h"
#include "temporary_directory.h"

namespace {

using namespace elanus;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr HitRange kAllHits = {-kInfinity, kInfinity};

struct Shape {
  ElanusVectorType type;
  ElanusMetric metric;
  uint32_t dim;
  uint32_t latent;  // dimensions that the data fills
  uint32_t rows;
  uint32_t m = 16;
};

struct Data {
  Shape shape;
  std::vector<uint8_t> rows;
  std::vector<uint8_t> queries;
  uint32_t query_count = 50;

  size_t stride() const { return dense_bytes(shape.type, shape.dim); }
  const uint8_t* query(uint32_t q) const { return queries.data() + q * stride(); }
};

void append(ElanusVectorType type, float value, std::vector<uint8_t>* to) {
  const auto add = [&](auto number) {
    const auto* const bytes = reinterpret_cast<const uint8_t*>(&number);
    to->insert(to->end(), bytes, bytes + sizeof number);
  };
  if (type == ELANUS_FLOAT32) add(value);
  if (type == ELANUS_FLOAT16) add(float16_from_float(value));
  if (type == ELANUS_BFLOAT16) add(bfloat16_from_float(value));
  if (type == ELANUS_INT8) add(static_cast<int8_t>(std::clamp(std::lround(value * 20), -127l, 127l)));
}

// Clusters in a few dimensions, mapped to many.
Data clustered(const Shape& shape) {
  std::mt19937 random(shape.dim + shape.rows);
  std::normal_distribution<float> normal;
  std::vector<float> map(size_t{shape.latent} * shape.dim), centres(20 * shape.latent);
  for (float& value : map) value = normal(random) / std::sqrt(static_cast<float>(shape.latent));
  for (float& value : centres) value = 1.5f * normal(random);
  Data data{shape, {}, {}};
  const auto vectors = [&](uint32_t count, std::vector<uint8_t>* to) {
    for (uint32_t i = 0; i < count; ++i) {
      const float* const centre = &centres[random() % 20 * shape.latent];
      std::vector<float> vector(shape.dim);
      for (uint32_t l = 0; l < shape.latent; ++l) {
        const float at = centre[l] + normal(random);
        for (uint32_t d = 0; d < shape.dim; ++d) vector[d] += at * map[l * shape.dim + d];
      }
      for (const float value : vector) append(shape.type, value + 0.01f * normal(random), to);
    }
  };
  vectors(shape.rows, &data.rows);
  vectors(data.query_count, &data.queries);
  return data;
}

StoredRows stored(const ElanusSimd& simd, const Data& data) {
  StoredRows rows(simd, data.shape.type, data.shape.metric, data.shape.dim);
  rows.append(data.rows.data(), data.shape.rows);
  return rows;
}

// All rows by their exact ranks; the first `wanted` of them, where no more are of interest.
std::vector<IndexHit> ranked(const ElanusSimd& simd, const Data& data, const DenseRows& rows, const uint8_t* query,
                             size_t wanted = SIZE_MAX) {
  ExactRanks exact;
  exact.begin(simd, data.shape.type, data.shape.metric, data.shape.dim, query);
  std::vector<uint32_t> ids(rows.rows);
  for (uint32_t row = 0; row < rows.rows; ++row) ids[row] = row;
  std::vector<float> ranks(rows.rows + kRowTile);
  if (rows.rows > 0) exact.rank(rows, ids.data(), rows.rows, ranks.data());
  std::vector<IndexHit> hits;
  for (uint32_t row = 0; row < rows.rows; ++row) hits.push_back({ranks[row], row});
  if (wanted >= hits.size()) {
    std::sort(hits.begin(), hits.end());
  } else {
    std::partial_sort(hits.begin(), hits.begin() + static_cast<ptrdiff_t>(wanted), hits.end());
    hits.resize(wanted);
  }
  return hits;
}

ScanCodes scan_codes_of(const ElanusSimd& simd, const Data& data, const DenseRows& rows) {
  ScanCodes codes = ScanCodes::learn(simd, data.shape.metric, rows, 5, 1, nullptr);
  codes.encode(simd, rows, 1, nullptr);
  return codes;
}

// Over the rows of `data`, with all that goes with it.
std::unique_ptr<VectorIndex> build_index(const ElanusSimd& simd, const Data& data, const Graph& graph,
                                         WorkControl* control, float stretch = 1) {
  StoredRows rows = stored(simd, data);
  const DenseRows view = rows.view(data.shape.rows);
  ScanCodes codes = scan_codes_of(simd, data, view);
  FastRecords records = FastRecords::make(simd, data.shape.metric, view, graph, 5, 2, control, 1);
  return make_fast_graph(simd, std::move(rows), std::move(codes), std::move(records), stretch);
}

// Each row's nearest, and some at random that make it one piece.
Graph graph_of(const ElanusSimd& simd, const Data& data, const DenseRows& rows) {
  Graph graph;
  graph.rows = rows.rows;
  graph.m = data.shape.m;
  graph.degree = 2 * graph.m;
  graph.links.resize(size_t{rows.rows} * graph.degree);
  std::minstd_rand random(7);
  for (uint32_t row = 0; row < rows.rows; ++row) {
    uint32_t* const links = &graph.links[size_t{row} * graph.degree];
    std::fill_n(links, graph.degree, kNoRow);
    std::set<uint32_t> chosen;
    for (const IndexHit& hit : ranked(simd, data, rows, rows.at(row), 17)) {
      if (hit.row != row && chosen.size() < 16) chosen.insert(hit.row);
    }
    // Some lists are full, others leave room.
    for (uint32_t i = 0; i < row % 16 && chosen.size() + 1 < rows.rows; ++i) {
      const auto other = static_cast<uint32_t>(random() % rows.rows);
      if (other != row) chosen.insert(other);
    }
    std::copy(chosen.begin(), chosen.end(), links);
  }
  return graph;
}

IndexSearch search_of(const Data& data, uint32_t q, uint32_t k, uint32_t ef) {
  return {data.query(q), k, ef, 1, AllowedRows(), kAllHits, nullptr, {}};
}

double recall(const std::vector<IndexHit>& found, const std::vector<IndexHit>& truth, uint32_t k) {
  if (truth.empty()) return 1;
  const size_t wanted = std::min<size_t>(k, truth.size());
  const auto hits = std::count_if(found.begin(), found.end(),
                                  [&](const IndexHit& hit) { return hit.rank <= truth[wanted - 1].rank; });
  return static_cast<double>(hits) / static_cast<double>(wanted);
}

void check_hits(const std::vector<IndexHit>& found, const std::vector<IndexHit>& truth) {
  std::set<uint32_t> seen;
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(i == 0 || found[i - 1] < found[i]);
    CHECK(seen.insert(found[i].row).second);
    const auto same = std::find_if(truth.begin(), truth.end(), [&](const IndexHit& t) { return t.row == found[i].row; });
    CHECK(same != truth.end() && same->rank == found[i].rank);
  }
}

void check_searches(const ElanusSimd& simd, const Data& data, const DenseRows& rows, const VectorIndex& index) {
  SearchScratch scratch;
  double plain = 0, half = 0, tenth = 0, in_range = 0;
  std::minstd_rand random(3);
  for (uint32_t q = 0; q < data.query_count; ++q) {
    const std::vector<IndexHit> truth = ranked(simd, data, rows, data.query(q));
    IndexSearch search = search_of(data, q, 10, 64);
    const std::vector<IndexHit> found = index.search(search, scratch);
    CHECK(found.size() == 10);
    check_hits(found, truth);
    plain += recall(found, truth, 10);

    for (const uint32_t one_of : {2u, 10u, 400u}) {
      std::vector<uint8_t> bits((rows.rows + 7) / 8);
      for (uint32_t row = 0; row < rows.rows; ++row) {
        if (random() / 7 % one_of == 0) bits[row / 8] = static_cast<uint8_t>(bits[row / 8] | 1 << row % 8);
      }
      search.allowed = AllowedRows(simd, bits.data(), rows.rows);
      std::vector<IndexHit> allowed;
      for (const IndexHit& hit : truth) {
        if (search.allowed.has(hit.row)) allowed.push_back(hit);
      }
      const std::vector<IndexHit>& filtered = index.search(search, scratch);
      CHECK(filtered.size() == std::min<size_t>(10, allowed.size()));
      check_hits(filtered, allowed);
      if (one_of == 2) half += recall(filtered, allowed, 10);
      if (one_of == 10) tenth += recall(filtered, allowed, 10);
      if (one_of == 400) CHECK(recall(filtered, allowed, 10) == 1);
    }

    // What comes from the last hit on, and what lies in a range.
    search.allowed = AllowedRows();
    search.range.lowest = found.back().rank;
    for (const IndexHit& hit : index.search(search, scratch)) CHECK(search.range.has(hit));
    CHECK(scratch.hits.sorted().size() == 10);
    search.range = {truth[20].rank, truth[30].rank};
    for (const IndexHit& hit : index.search(search, scratch)) CHECK(search.range.has(hit));
    in_range += static_cast<double>(scratch.hits.sorted().size()) / 10;
    search.range = kAllHits;
    search.k = rows.rows + 5;
    search.ef = search.k;
    CHECK(index.search(search, scratch).size() == rows.rows);
  }
  plain /= data.query_count;
  half /= data.query_count;
  tenth /= data.query_count;
  in_range /= data.query_count;
  CHECK(plain >= 0.95);
  CHECK(half >= plain - 0.01 && tenth >= plain - 0.01 && in_range >= 0.9);
}

// The same rows in the same order, whatever the instruction set; scores may differ in their last bits.
void check_instruction_sets(const Data& data, const FastRecords& records) {
  const ElanusSimd* const portable = elanus_simd_find("portable");
  for (const char* name : {"avx2", "avx512", "neon"}) {
    const ElanusSimd* const simd = elanus_simd_find(name);
    if (simd == nullptr) continue;
    FastWalk walk, expected;
    walk.query.resize(data.shape.dim);
    for (uint32_t q = 0; q < data.query_count; ++q) {
      RowReader(*portable, data.shape.type, data.shape.metric, data.shape.dim).read(data.query(q), walk.query.data());
      expected.query = walk.query;
      prepare_fast_walk(simd->walk, records, &walk);
      prepare_fast_walk(portable->walk, records, &expected);
      walk_fast(simd->walk, records, 40, nullptr, &walk);
      walk_fast(portable->walk, records, 40, nullptr, &expected);
      CHECK(std::equal(walk.found.begin(), walk.found.end(), expected.found.begin(), expected.found.end(),
                       [](const IndexHit& a, const IndexHit& b) { return a.rank == b.rank && a.row == b.row; }));
    }
  }
}

// Rows in many small crowds, queries of other crowds: a walk has to begin near the right one. That it does, entries from
// all over are for, more of them where it is long.
void check_walks_from_afar() {
  constexpr uint32_t kRows = 6000, kDim = 64, kCrowds = 200, kQueries = 40;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  Data data{{ELANUS_FLOAT32, ELANUS_L2, kDim, kDim, kRows}, {}, {}};
  data.query_count = kQueries;
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  std::vector<float> centres((kCrowds + kQueries) * kDim);
  for (float& value : centres) value = normal(random);
  const auto add = [&](uint32_t crowd, std::vector<uint8_t>* to) {
    for (uint32_t d = 0; d < kDim; ++d) append(ELANUS_FLOAT32, centres[crowd * kDim + d] + 0.1f * normal(random), to);
  };
  for (uint32_t row = 0; row < kRows; ++row) add(row % kCrowds, &data.rows);
  for (uint32_t q = 0; q < kQueries; ++q) add(kCrowds + q, &data.queries);
  const StoredRows rows = stored(simd, data);
  const DenseRows view = rows.view(kRows);
  const Graph graph = graph_of(simd, data, view);
  WorkControl control;
  const FastRecords records = FastRecords::make(simd, ELANUS_L2, view, graph, 5, 2, &control, 1);
  FastWalk walk;
  walk.query.resize(kDim);
  double found = 0;
  for (uint32_t q = 0; q < kQueries; ++q) {
    const std::vector<IndexHit> truth = ranked(simd, data, view, data.query(q));
    RowReader(simd, ELANUS_FLOAT32, ELANUS_L2, kDim).read(data.query(q), walk.query.data());
    prepare_fast_walk(simd.walk, records, &walk);
    walk_fast(simd.walk, records, 512, nullptr, &walk);
    for (size_t i = 0; i < 10; ++i)
      found += std::any_of(walk.found.begin(), walk.found.end(), [&](const IndexHit& h) { return h.row == truth[i].row; });
  }
  CHECK(found / (10 * kQueries) >= 0.95);
}

bool are_same(const std::vector<IndexHit>& some, const std::vector<IndexHit>& others) {
  return std::equal(some.begin(), some.end(), others.begin(), others.end(),
                    [](const IndexHit& a, const IndexHit& b) { return a.rank == b.rank && a.row == b.row; });
}

void check_file(const ElanusSimd& simd, const Data& data, const VectorIndex& index) {
  TemporaryDirectory directory;
  const std::string path = directory.file("fast-graph");
  IndexFileWriter writer(path);
  index.write(writer, VectorPlace::kInside);
  CHECK(!writer.finish({index.kind(), {}}).failed());
  std::shared_ptr<const IndexFile> file;
  CHECK(!IndexFile::open(path, &file).failed());
  CHECK(!file->verify(nullptr).failed());
  std::unique_ptr<VectorIndex> opened;
  CHECK(!open_fast_graph(simd, file, {}, &opened).failed());
  CHECK(opened->rows() == index.rows() && opened->layout() == ELANUS_LAYOUT_FAST && opened->dim() == index.dim());
  SearchScratch scratch, other;
  for (uint32_t q = 0; q < data.query_count; ++q) {
    const std::vector<IndexHit>& found = index.search(search_of(data, q, 10, 30), scratch);
    CHECK(are_same(found, opened->search(search_of(data, q, 10, 30), other)));
  }
}

void check_shape(const Shape& shape) {
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const Data data = clustered(shape);
  StoredRows rows = stored(simd, data);
  const DenseRows view = rows.view(shape.rows);
  const Graph graph = graph_of(simd, data, view);
  WorkControl control;
  const FastRecords records = FastRecords::make(simd, shape.metric, view, graph, 5, 1, &control, 1);
  WorkControl again;
  const FastRecords same = FastRecords::make(simd, shape.metric, view, graph, 5, 3, &again, 1);
  CHECK(std::equal(records.bytes().data(), records.bytes().data() + records.bytes().size(), same.bytes().data()));
  CHECK(records.links_are_sound(nullptr));
  if (shape.latent < shape.dim / 4) CHECK(records.neighbour_code().kind() == NeighbourCodeKind::kLevels);
  if (shape.dim == 96) CHECK(records.neighbour_code().kind() == NeighbourCodeKind::kSigns);
  check_instruction_sets(data, records);
  WorkControl third;
  const std::unique_ptr<VectorIndex> index = build_index(simd, data, graph, &third);
  CHECK(third.done.load() == 1);
  check_searches(simd, data, view, *index);
  check_file(simd, data, *index);
}

// Few rows, no rows, the same row many times, rows of zeroes and of what is no number.
void check_odd_rows() {
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE}) {
    for (const uint32_t rows : {0u, 1u, 2u, 700u}) {
      for (const float value : {0.0f, 1.0f, 1e-40f, 1e20f, NAN, INFINITY}) {
        Data data{{ELANUS_FLOAT32, metric, 5, 5, rows, 8}, {}, {}};
        data.query_count = 1;
        for (uint32_t i = 0; i < rows * 5; ++i) append(ELANUS_FLOAT32, value, &data.rows);
        for (uint32_t i = 0; i < 5; ++i) append(ELANUS_FLOAT32, value, &data.queries);
        StoredRows kept = stored(simd, data);
        const DenseRows view = kept.view(rows);
        const Graph graph = graph_of(simd, data, view);
        WorkControl control;
        const std::unique_ptr<VectorIndex> index = build_index(simd, data, graph, &control);
        SearchScratch scratch;
        const std::vector<IndexHit>& hits = index->search(search_of(data, 0, 10, 20), scratch);
        CHECK(hits.size() <= rows);
        if (value == 0 || value == 1) CHECK(hits.size() == std::min(10u, rows));
        check_hits(hits, ranked(simd, data, view, data.query(0)));
        // Of copies in a crowd, as many as are asked for.
        if (value == 1) CHECK(index->search(search_of(data, 0, 200, 200), scratch).size() == std::min(200u, rows));
        check_file(simd, data, *index);
      }
    }
  }
}

// A file whose checksums nobody looks at: whatever stands in it, it is refused or can be searched.
void check_damage() {
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  for (const uint32_t latent : {4u, 32u}) {
    const Data data = clustered({ELANUS_FLOAT32, ELANUS_COSINE, 32, latent, 300});
    const StoredRows rows = stored(simd, data);
    const Graph graph = graph_of(simd, data, rows.view(300));
    WorkControl control;
    const std::unique_ptr<VectorIndex> index = build_index(simd, data, graph, &control);
    TemporaryDirectory directory;
    const std::string path = directory.file("damaged");
    IndexFileWriter writer(path);
    index->write(writer, VectorPlace::kInside);
    CHECK(!writer.finish({index->kind(), {}}).failed());
    std::vector<uint8_t> bytes = read_file(path);
    std::minstd_rand random(latent);
    SearchScratch scratch;
    size_t opened_count = 0;
    for (int round = 0; round < 300; ++round) {
      // Behind the first page, which IndexFile guards; the sections of few bytes more often than their size.
      const size_t at = 4096 + (round % 3 == 0 ? random() % 48 : random() % (bytes.size() - 4096));
      const uint8_t before = bytes[at];
      bytes[at] = static_cast<uint8_t>(before ^ 1 << random() % 8);
      write_file(path, bytes);
      bytes[at] = before;
      std::shared_ptr<const IndexFile> file;
      CHECK(!IndexFile::open(path, &file).failed());
      std::unique_ptr<VectorIndex> opened;
      if (open_fast_graph(simd, file, {}, &opened).failed()) continue;
      ++opened_count;
      CHECK(opened->search(search_of(data, 0, 10, 40), scratch).size() <= 10);
    }
    CHECK(opened_count > 100 && opened_count < 300);
  }
}

// A walk that keeps four times as much in view finds what one of four times the `ef` finds, and so after it was kept.
void check_stretch() {
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const Data data = clustered({ELANUS_FLOAT32, ELANUS_L2, 33, 33, 2000, 32});
  const StoredRows rows = stored(simd, data);
  const Graph graph = graph_of(simd, data, rows.view(data.shape.rows));
  WorkControl control;
  const std::unique_ptr<VectorIndex> plain = build_index(simd, data, graph, &control);
  const std::unique_ptr<VectorIndex> stretched = build_index(simd, data, graph, &control, 4);
  SearchScratch scratch, other;
  for (uint32_t q = 0; q < data.query_count; ++q) {
    const std::vector<IndexHit>& found = plain->search(search_of(data, q, 10, 40), scratch);
    CHECK(are_same(found, stretched->search(search_of(data, q, 10, 10), other)));
  }
  check_file(simd, data, *stretched);
}

}  // namespace

int main() {
  const Shape shapes[] = {
      {ELANUS_FLOAT32, ELANUS_L2, 64, 10, 3000},      {ELANUS_FLOAT32, ELANUS_L2, 33, 33, 2000, 32},
      {ELANUS_FLOAT32, ELANUS_IP, 100, 12, 2000},     {ELANUS_FLOAT32, ELANUS_COSINE, 96, 96, 2000},
      {ELANUS_FLOAT16, ELANUS_COSINE, 64, 10, 2000},  {ELANUS_BFLOAT16, ELANUS_L2, 64, 10, 2000},
      {ELANUS_INT8, ELANUS_L2, 64, 10, 2000},         {ELANUS_INT8, ELANUS_COSINE, 40, 40, 2000},
  };
  for (const Shape& shape : shapes) check_shape(shape);
  check_walks_from_afar();
  check_odd_rows();
  check_damage();
  check_stretch();
  std::printf("ok: the fast layout in %zu shapes\n", std::size(shapes));
}
