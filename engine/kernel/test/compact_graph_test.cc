// Compact graphs: rows in the order of their places are found as they are without one, those that are near lie near, files give
// back what was written, and those that lie lead nowhere.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../src/cc/index/compact_graph.h"
#include "../src/cc/index/graph_order.h"
#include "../src/cc/index/search_scratch.h"
#include "check.h"
#include "float_vectors.h"
#include "lying_file.h"
#include "temporary_directory.h"

namespace {

using namespace elanus;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr uint32_t kDim = 24;
constexpr uint32_t kM = 8;
constexpr uint32_t kQueries = 40;

const ElanusSimd& simd() { return *elanus_simd_find(nullptr); }

// Rows, and the parts of an index of them.
class Fixture {
 public:
  Fixture(ElanusMetric metric, uint32_t count)
      : metric_(metric),
        vectors_(clustered(count + kQueries, kDim, 3)),
        blocks_{reinterpret_cast<const uint8_t*>(vectors_.values().data()), size_t{count} * kDim * sizeof(float), count, 0},
        stored_(stored()),
        codes_(codes()),
        graph_(graph()) {}

  uint32_t count() const { return blocks_.rows; }
  LentRows lent() const { return {&blocks_, 1}; }
  const uint8_t* query(uint32_t i) const { return reinterpret_cast<const uint8_t*>(vectors_.at(count() + i)); }
  const Graph& of_rows() const { return graph_; }
  const WalkCodes& codes_of_rows() const { return codes_; }

  WalkCodes codes() const {
    const DenseRows rows = stored_.view(count());
    WalkCodes codes(simd(), CodeModel::learn(simd(), rows, metric_, 1, 1, nullptr));
    codes.encode(rows, 1, nullptr);
    return codes;
  }

  Graph graph() const {
    WorkControl control;
    Graph graph;
    CHECK(build_graph(codes_, {kM, 60, 1, 1}, &control, 1, &graph));
    return graph;
  }

  std::unique_ptr<CompactGraph> index(bool is_placed) const {
    StoredRows stored = this->stored();
    const DenseRows rows = stored.view(count());
    ScanCodes scan_codes = ScanCodes::learn(simd(), metric_, rows, 2, 1, nullptr);
    scan_codes.encode(simd(), rows, 1, nullptr);
    WalkCodes codes = this->codes();
    Graph graph = this->graph();
    if (is_placed) put_in_order(rows_by_place(codes, graph, 1, nullptr), &graph, &codes);
    auto made = std::make_unique<CompactGraph>(simd(), std::move(stored), std::move(codes), std::move(scan_codes),
                                               std::move(graph), nullptr);
    made->learn_usual_search(4, nullptr);
    return made;
  }

 private:
  StoredRows stored() const {
    StoredRows stored(simd(), ELANUS_FLOAT32, metric_, kDim);
    stored.lend(lent());
    return stored;
  }

  const ElanusMetric metric_;
  const Vectors vectors_;
  const ElanusRows blocks_;
  const StoredRows stored_;
  const WalkCodes codes_;
  const Graph graph_;
};

// About one of `of` rows.
std::vector<uint8_t> some_rows(uint32_t count, uint32_t of) {
  std::minstd_rand random(of);
  std::vector<uint8_t> bits((count + 7) / 8);
  for (uint32_t row = 0; row < count; ++row) bits[row / 8] |= (random() % of == 0) << row % 8;
  return bits;
}

void rows_are_in_order() {
  const Fixture fixture(ELANUS_L2, 6000);
  const Graph& graph = fixture.of_rows();
  CHECK(graph.layers.size() >= 3);
  const std::vector<uint32_t> rows = rows_by_place(fixture.codes_of_rows(), graph, 1, nullptr);
  CHECK(rows == rows_by_place(fixture.codes_of_rows(), graph, 3, nullptr));
  Graph placed = fixture.graph();
  WalkCodes codes = fixture.codes();
  put_in_order(rows, &placed, &codes);
  CHECK(placed.is_placed() && placed.is_sound(nullptr));
  WalkQuery before;
  WalkQuery after;
  double near = 0;
  for (uint32_t node = 0; node < fixture.count(); ++node) {
    const uint32_t row = rows[node];
    CHECK(placed.row_of(node) == row && placed.node_of(row) == node);
    for (size_t i = 0; i < graph.degree; ++i) {
      const uint32_t link = graph.links_of(row)[i];
      CHECK(placed.links_of(node)[i] == (link == kNoRow ? kNoRow : placed.node_of(link)));
    }
    near += std::abs(static_cast<double>(placed.links_of(node)[0]) - node) / fixture.count();
    fixture.codes_of_rows().prepare_row(row, &before);
    codes.prepare_row(node, &after);
    CHECK(before.code == after.code && before.factor == after.factor);
  }
  // Rows in any order are a third of all apart.
  CHECK(near / fixture.count() < 0.03);
  for (size_t layer = 0; layer < graph.layers.size(); ++layer) {
    const GraphLayer& one = graph.layers[layer];
    const GraphLayer& other = placed.layers[layer];
    for (uint32_t slot = 0; slot < one.rows.size(); ++slot) {
      CHECK(other.rows[slot] == placed.node_of(one.rows[slot]));
      CHECK(other.below[slot] == (layer == 0 ? placed.node_of(one.below[slot]) : one.below[slot]));
    }
  }
}

void places_of_few_rows_do_not_matter() {
  const Fixture fixture(ELANUS_L2, 5);
  CHECK(rows_by_place(fixture.codes_of_rows(), fixture.of_rows(), 1, nullptr).empty());
  const std::unique_ptr<CompactGraph> index = fixture.index(true);
  CHECK(index->kind() == IndexKind::kCompactGraph);
}

IndexSearch search_of(const Fixture& fixture, uint32_t query, uint32_t ef, const std::vector<uint8_t>& allowed, Way way) {
  IndexSearch search{};
  search.query = fixture.query(query);
  search.k = 10;
  search.ef = ef;
  search.refine_k = 1;
  if (!allowed.empty()) search.allowed = AllowedRows(simd(), allowed.data(), fixture.count());
  search.range = {-kInfinity, kInfinity};
  search.way = way;
  return search;
}

void check_same(const IndexSearch& search, const VectorIndex& one, const VectorIndex& other) {
  SearchScratch scratches[2];
  const std::vector<IndexHit>& expected = one.search(search, scratches[0]);
  const std::vector<IndexHit>& hits = other.search(search, scratches[1]);
  CHECK(hits.size() == expected.size());
  for (size_t i = 0; i < hits.size(); ++i) CHECK(hits[i].row == expected[i].row && hits[i].rank == expected[i].rank);
}

void check_same_hits(const Fixture& fixture, const VectorIndex& one, const VectorIndex& other) {
  CHECK(one.rows() == other.rows() && one.dim() == other.dim() && one.metric() == other.metric());
  for (const uint32_t of : {0u, 2u, 10u, 100u}) {
    const std::vector<uint8_t> allowed = of == 0 ? std::vector<uint8_t>() : some_rows(fixture.count(), of);
    for (const Way way : {Way::kCheapest, Way::kWalk, Way::kShortScan, Way::kLongScan, Way::kVectors}) {
      for (uint32_t query = 0; query < kQueries; ++query) {
        IndexSearch search = search_of(fixture, query, query % 2 == 0 ? 20 : 100, allowed, way);
        check_same(search, one, other);
        if (query % 8 != 0) continue;
        SearchScratch scratch;
        const std::vector<IndexHit> hits = one.search(search, scratch);
        if (hits.size() < 6) continue;
        search.range = {hits[3].rank, hits[5].rank};
        check_same(search, one, other);
      }
    }
  }
}

void order_changes_no_hits(ElanusMetric metric) {
  const Fixture fixture(metric, 4000);
  const std::unique_ptr<CompactGraph> as_they_came = fixture.index(false);
  const std::unique_ptr<CompactGraph> placed = fixture.index(true);
  CHECK(as_they_came->kind() == IndexKind::kCompactGraph && placed->kind() == IndexKind::kPlacedGraph);
  CHECK(placed->memory_bytes() == as_they_came->memory_bytes() + 2 * sizeof(uint32_t) * fixture.count());
  check_same_hits(fixture, *as_they_came, *placed);
  for (uint32_t query = 0; query + 1 < kQueries; query += 2) {
    SearchScratch scratches[4];
    const IndexSearch one = search_of(fixture, query, 64, {}, Way::kCheapest);
    const IndexSearch other = search_of(fixture, query + 1, 64, {}, Way::kCheapest);
    const HitsOfBoth hits = placed->search_both(one, other, scratches[0], scratches[1]);
    const HitsOfBoth expected = as_they_came->search_both(one, other, scratches[2], scratches[3]);
    for (size_t i = 0; i < 10; ++i)
      CHECK(hits.one[i].row == expected.one[i].row && hits.other[i].row == expected.other[i].row);
  }
}

// Opens the file as a server would: with all that is checked.
std::unique_ptr<VectorIndex> open_all(const std::string& path, LentRows vectors) {
  std::shared_ptr<const IndexFile> file;
  std::unique_ptr<VectorIndex> index;
  FileFault fault = IndexFile::open(path, &file);
  if (!fault.failed()) fault = file->verify(nullptr);
  if (!fault.failed()) fault = CompactGraph::open(simd(), file, vectors, &index);
  const bool is_refusal = fault.status == ELANUS_FILE_DAMAGED || fault.status == ELANUS_INVALID_ARGUMENT;
  CHECK(!fault.failed() || (is_refusal && !fault.text.empty() && index == nullptr));
  return index;
}

void save(const VectorIndex& index, const std::string& path) {
  IndexFileWriter writer(path);
  index.write(writer, VectorPlace::kOutside);
  CHECK(!writer.finish({index.kind(), {}}).failed());
}

void what_is_written_is_read() {
  const Fixture fixture(ELANUS_COSINE, 2500);
  for (const bool is_placed : {false, true}) {
    TemporaryDirectory directory;
    const std::string path = directory.file("index");
    const std::unique_ptr<CompactGraph> index = fixture.index(is_placed);
    save(*index, path);
    const std::unique_ptr<VectorIndex> opened = open_all(path, fixture.lent());
    CHECK(opened != nullptr && opened->kind() == index->kind() && opened->links_are_sound(nullptr));
    check_same_hits(fixture, *index, *opened);
  }
}

// Sections that add up and lie: refused, or a search in them stays where it must.
void lies_lead_nowhere(uint32_t seed, int rounds) {
  std::mt19937 random(seed);
  const Fixture fixture(ELANUS_L2, 1200);
  const std::vector<uint8_t> allowed = some_rows(fixture.count(), 4);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  save(*fixture.index(true), path);
  const Sections sound = sections_of(path);
  size_t opened = 0;
  size_t found_out = 0;
  for (int round = 0; round < rounds; ++round) {
    Sections sections = sound;
    tell_lies(random, fixture.count(), &sections);
    write_sections(path, IndexKind::kPlacedGraph, sections);
    const std::unique_ptr<VectorIndex> index = open_all(path, fixture.lent());
    if (index == nullptr) continue;
    ++opened;
    found_out += !index->links_are_sound(nullptr);
    // As long a query as any dimension may be.
    const std::vector<uint8_t> query(size_t{4} * ELANUS_INT8_DIM_MAX);
    for (const Way way : {Way::kCheapest, Way::kWalk, Way::kLongScan}) {
      SearchScratch scratch;
      IndexSearch search = search_of(fixture, 0, 30, allowed, way);
      search.query = query.data();
      for (const IndexHit& hit : index->search(search, scratch))
        CHECK(hit.row < fixture.count() && search.allowed.has(hit.row) && !std::isnan(hit.rank));
    }
  }
  CHECK(opened > 0 && opened < static_cast<size_t>(rounds) && found_out > 0);
}

// A number that stands for two rows is not found by its bounds.
void rows_that_share_a_place_are_found_out() {
  const Fixture fixture(ELANUS_L2, 2000);
  Graph graph = fixture.graph();
  WalkCodes codes = fixture.codes();
  std::vector<uint32_t> rows = rows_by_place(fixture.codes_of_rows(), graph, 1, nullptr);
  put_in_order(rows, &graph, &codes);
  CHECK(graph.is_sound(nullptr));
  rows[7] = rows[8];
  graph.row_of_node = NumberArray::own(rows);
  CHECK(!graph.is_sound(nullptr));
}

}  // namespace

int main(int count, char** arguments) {
  const auto seed = static_cast<uint32_t>(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 20'261'123);
  std::printf("compact graphs, seed %u: ", seed);
  std::fflush(stdout);
  rows_are_in_order();
  places_of_few_rows_do_not_matter();
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE}) order_changes_no_hits(metric);
  what_is_written_is_read();
  lies_lead_nowhere(seed, 1'000);
  rows_that_share_a_place_are_found_out();
  std::printf("ok\n");
}
