// Coded graphs: each kind finds what is near, whatever the metric and the type; files give back what was written, and
// those that lie lead nowhere.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "../src/cc/index/coded_graph.h"
#include "../src/cc/index/search_scratch.h"
#include "../src/cc/index/walk_codes.h"
#include "check.h"
#include "lying_file.h"
#include "temporary_directory.h"

namespace {

using namespace elanus;

using Random = std::mt19937;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr uint32_t kM = 8;
constexpr uint32_t kK = 10;

const ElanusSimd& simd() { return *elanus_simd_find(nullptr); }

Graph copy_of(const Graph& graph) {
  Graph copy;
  copy.rows = graph.rows;
  copy.m = graph.m;
  copy.degree = graph.degree;
  copy.links.resize(graph.links.size());
  std::copy_n(graph.links.data(), graph.links.size(), copy.links.data());
  copy.layers = graph.layers;
  return copy;
}

// Gaussians around thirty centres, as int8 or float32 vectors.
class Fixture {
 public:
  Fixture(ElanusVectorType type, ElanusMetric metric, uint32_t dim, uint32_t count) : metric_(metric) {
    Random random(count + dim);
    std::normal_distribution<float> normal;
    std::vector<float> centres(30 * dim);
    for (float& value : centres) value = 20 * normal(random);
    const size_t stride = type == ELANUS_INT8 ? dim : dim * sizeof(float);
    bytes_.resize(count * stride + kHugeSlack);
    for (uint32_t row = 0; row < count; ++row) {
      const float* const centre = centres.data() + random() % 30 * dim;
      for (uint32_t d = 0; d < dim; ++d) {
        const float value = std::clamp(std::round(centre[d] + 8 * normal(random)), -127.0f, 127.0f);
        const auto byte = static_cast<int8_t>(value);
        if (type == ELANUS_INT8)
          bytes_[row * stride + d] = static_cast<uint8_t>(byte);
        else
          std::memcpy(bytes_.data() + row * stride + d * sizeof value, &value, sizeof value);
      }
    }
    rows_ = {type, dim, stride, bytes_.data(), count, nullptr};
    if (metric != ELANUS_COSINE) return;
    inverse_norms_.resize(count);
    CHECK(elanus_inverse_norms(&simd(), type, dim, bytes_.data(), count * stride, count, inverse_norms_.data()) ==
          ELANUS_OK);
    rows_.inverse_norms = inverse_norms_.data();
  }

  const DenseRows& rows() const { return rows_; }
  ElanusMetric metric() const { return metric_; }
  ElanusRows lent() const { return {rows_.bytes, rows_.rows * rows_.stride, rows_.rows, 0}; }

  std::unique_ptr<VectorIndex> build(const ElanusIndexSpec& spec, uint32_t threads) const {
    Graph graph = copy_of(this->graph(threads));
    WorkControl control;
    control.done = 0.5f;
    StoredRows stored(simd(), rows_.type, metric_, rows_.dim);
    const ElanusRows lent = this->lent();
    stored.lend({&lent, 1});
    std::unique_ptr<VectorIndex> index =
        build_coded_graph(simd(), std::move(stored), spec, std::move(graph), 1, threads, &control);
    CHECK(index != nullptr && control.done == 1.0f);
    return index;
  }

  // Row `query` in the role of a query, and all allowed rows by their distance to it.
  std::vector<IndexHit> naive(uint32_t query, const AllowedRows& allowed) const {
    if (!ranked_.contains(query)) ranked_[query] = ranked(query);
    std::vector<IndexHit> hits;
    for (const IndexHit& hit : ranked_[query]) {
      if (allowed.has(hit.row)) hits.push_back(hit);
    }
    return hits;
  }

  IndexSearch search(uint32_t query, uint32_t ef, float refine_k) const {
    return {rows_.at(query), kK, ef, refine_k, {}, {-kInfinity, kInfinity}, nullptr, {}};
  }

 private:
  // The same for all kinds of codes.
  const Graph& graph(uint32_t threads) const {
    const auto [at, is_new] = graphs_.try_emplace(threads);
    Graph& graph = at->second;
    if (!is_new) return graph;
    WalkCodes codes(simd(), CodeModel::learn(simd(), rows_, metric_, 1, threads, nullptr));
    codes.encode(rows_, threads, nullptr);
    graph.m = kM;
    graph.degree = 2 * kM;
    WorkControl control;
    CHECK(build_graph(codes, {kM, 60, 1, threads}, &control, 0.5f, &graph));
    return graph;
  }

  std::vector<IndexHit> ranked(uint32_t query) const {
    const RowReader reader(simd(), rows_.type, metric_, rows_.dim);
    std::vector<float> a(rows_.dim);
    std::vector<float> b(rows_.dim);
    reader.read(rows_.at(query), a.data());
    std::vector<IndexHit> hits;
    for (uint32_t row = 0; row < rows_.rows; ++row) {
      reader.read(rows_.at(row), b.data());
      double rank = 0;
      for (uint32_t d = 0; d < rows_.dim; ++d) {
        const double x = double{a[d]};
        const double y = double{b[d]};
        rank += metric_ == ELANUS_L2 ? (x - y) * (x - y) : -x * y;
      }
      hits.push_back({static_cast<float>(rank), row});
    }
    std::sort(hits.begin(), hits.end());
    return hits;
  }

  const ElanusMetric metric_;
  AlignedVector<uint8_t> bytes_;
  std::vector<float> inverse_norms_;
  DenseRows rows_;
  // Made once: they take longer than the indexes and the searches that are looked at.
  mutable std::map<uint32_t, Graph> graphs_;
  mutable std::map<uint32_t, std::vector<IndexHit>> ranked_;
};

ElanusIndexSpec spec_of(ElanusIndexType type, ElanusScalarCode code, ElanusScalarCode refine) {
  ElanusIndexSpec spec{};
  spec.type = type;
  spec.m = kM;
  spec.ef_construction = 60;
  spec.code = code;
  spec.refine = refine;
  if (type == ELANUS_HNSW_SQ) return spec;
  spec.subquantizers = type == ELANUS_HNSW_PQ ? 12 : 6;
  spec.bits = 6;
  spec.residuals = 2;
  return spec;
}

struct Case {
  ElanusIndexSpec spec;
  double recall;  // at ef 64, refine_k 4
};

std::vector<Case> cases() {
  return {
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_SQ4U, ELANUS_CODE_NONE), 0.45},
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_SQ4U, ELANUS_CODE_SQ8), 0.92},
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_SQ6, ELANUS_CODE_FP32), 0.97},
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_SQ8, ELANUS_CODE_NONE), 0.95},
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_BF16, ELANUS_CODE_NONE), 0.95},
      {spec_of(ELANUS_HNSW_SQ, ELANUS_CODE_FP16, ELANUS_CODE_NONE), 0.97},
      {spec_of(ELANUS_HNSW_PQ, ELANUS_CODE_NONE, ELANUS_CODE_NONE), 0.45},
      {spec_of(ELANUS_HNSW_PQ, ELANUS_CODE_NONE, ELANUS_CODE_FP16), 0.90},
      {spec_of(ELANUS_HNSW_PRQ, ELANUS_CODE_NONE, ELANUS_CODE_BF16), 0.95},
      {spec_of(ELANUS_HNSW_PRQ, ELANUS_CODE_NONE, ELANUS_CODE_FP32), 0.90},
  };
}

void check_sound(const std::vector<IndexHit>& hits, const VectorIndex& index, const IndexSearch& search) {
  std::set<uint32_t> rows;
  CHECK(hits.size() <= search.k);
  for (size_t i = 0; i < hits.size(); ++i) {
    const uint32_t row = hits[i].row;
    CHECK(row < index.rows() && rows.insert(row).second && !std::isnan(hits[i].rank));
    CHECK(search.allowed.has(row));
    CHECK(i == 0 || hits[i - 1] < hits[i]);
  }
}

// A row counts when it is as near as the k-th.
double recall_of(const Fixture& fixture, const VectorIndex& index, const AllowedRows& allowed) {
  SearchScratch scratch;
  size_t found = 0;
  size_t wanted = 0;
  for (uint32_t query = 0; query < 50; ++query) {
    IndexSearch search = fixture.search(query * 7, 64, 4);
    search.allowed = allowed;
    const std::vector<IndexHit> expected = fixture.naive(query * 7, allowed);
    const size_t k = std::min<size_t>(kK, expected.size());
    const std::vector<IndexHit>& hits = index.search(search, scratch);
    check_sound(hits, index, search);
    CHECK(hits.size() == k);
    wanted += k;
    for (const IndexHit& hit : hits) {
      const auto is_it = [&](const IndexHit& other) { return other.row == hit.row; };
      const auto at = std::find_if(expected.begin(), expected.end(), is_it);
      found += at != expected.end() && at->rank <= expected[k - 1].rank;
    }
  }
  return static_cast<double>(found) / static_cast<double>(wanted);
}

bool same(const std::vector<IndexHit>& a, const std::vector<IndexHit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const IndexHit& x, const IndexHit& y) { return x.rank == y.rank && x.row == y.row; });
}

std::vector<uint8_t> some_rows(uint32_t rows, uint32_t percent) {
  Random random(percent);
  std::vector<uint8_t> bits((rows + 7) / 8);
  for (uint32_t row = 0; row < rows; ++row) {
    if (random() % 100 < percent) bits[row / 8] = static_cast<uint8_t>(bits[row / 8] | 1u << row % 8);
  }
  return bits;
}

void check_same_hits(const Fixture& fixture, const VectorIndex& a, const VectorIndex& b) {
  SearchScratch scratch_a;
  SearchScratch scratch_b;
  const std::vector<uint8_t> half = some_rows(fixture.rows().rows, 50);
  for (uint32_t query = 0; query < 20; ++query) {
    IndexSearch search = fixture.search(query * 3, 40, 2);
    CHECK(same(a.search(search, scratch_a), b.search(search, scratch_b)));
    search.allowed = AllowedRows(simd(), half.data(), fixture.rows().rows);
    CHECK(same(a.search(search, scratch_a), b.search(search, scratch_b)));
  }
}

void what_is_near_is_found() {
  for (const ElanusVectorType type : {ELANUS_FLOAT32, ELANUS_INT8}) {
    for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE}) {
      const Fixture fixture(type, metric, 24, 1200);
      for (const Case& c : cases()) {
        CHECK(is_valid_coded_graph(metric, 24, c.spec));
        const std::unique_ptr<VectorIndex> index = fixture.build(c.spec, 2);
        const double recall = recall_of(fixture, *index, {});
        checked_case = "type " + std::to_string(type) + ", metric " + std::to_string(metric) + ", index " +
                       std::to_string(c.spec.type) + ", code " + std::to_string(c.spec.code) + ", refine " +
                       std::to_string(c.spec.refine) + ": recall " + std::to_string(recall);
        CHECK(recall >= c.recall);
        for (const uint32_t percent : {50u, 10u, 1u}) {
          const std::vector<uint8_t> bits = some_rows(1200, percent);
          CHECK(recall_of(fixture, *index, AllowedRows(simd(), bits.data(), 1200)) >= recall - 0.02);
        }
      }
    }
  }
}

// Of the rows that are farther than half of all the best are about as far away as thousands of others.
void a_crowd_is_told_apart() {
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP, ELANUS_COSINE}) {
    const Fixture fixture(ELANUS_FLOAT32, metric, 24, 3000);
    for (const Case& c : cases()) {
      const std::unique_ptr<VectorIndex> index = fixture.build(c.spec, 2);
      double found = 0;
      for (uint32_t query = 0; query < 50; ++query) {
        const std::vector<IndexHit> all = fixture.naive(query * 7, {});
        std::vector<uint8_t> bits(3000 / 8);
        for (size_t i = 1500; i < 3000; ++i)
          bits[all[i].row / 8] = static_cast<uint8_t>(bits[all[i].row / 8] | 1u << all[i].row % 8);
        IndexSearch search = fixture.search(query * 7, 64, 4);
        search.allowed = AllowedRows(simd(), bits.data(), 3000);
        SearchScratch scratch;
        const std::vector<IndexHit>& hits = index->search(search, scratch);
        check_sound(hits, *index, search);
        for (const IndexHit& hit : hits)
          found += std::any_of(&all[1500], &all[1500 + kK], [&](const IndexHit& best) { return best.row == hit.row; });
      }
      const double recall = recall_of(fixture, *index, {});
      checked_case = "metric " + std::to_string(metric) + ", index " + std::to_string(c.spec.type) + ", code " +
                     std::to_string(c.spec.code) + ", refine " + std::to_string(c.spec.refine) + ": " +
                     std::to_string(found / 50 / kK) + ", else " + std::to_string(recall);
      CHECK(found / 50 / kK >= recall - 0.01);
    }
  }
}

void threads_make_no_difference() {
  const Fixture fixture(ELANUS_FLOAT32, ELANUS_L2, 24, 1500);
  for (const Case& c : cases()) check_same_hits(fixture, *fixture.build(c.spec, 1), *fixture.build(c.spec, 3));
}

void ranges_are_nested() {
  const Fixture fixture(ELANUS_FLOAT32, ELANUS_L2, 24, 1500);
  const std::unique_ptr<VectorIndex> index = fixture.build(cases()[2].spec, 1);
  SearchScratch scratch;
  for (uint32_t query = 0; query < 20; ++query) {
    IndexSearch search = fixture.search(query, 200, 20);
    const std::vector<IndexHit> all = index->search(search, scratch);
    search.range.highest = all[5].rank;
    const std::vector<IndexHit> near = index->search(search, scratch);
    CHECK(near.size() >= 6 && same({all.begin(), all.begin() + 6}, {near.begin(), near.begin() + 6}));
    search.range.lowest = all[2].rank;
    const std::vector<IndexHit> ring = index->search(search, scratch);
    CHECK(!ring.empty() && ring[0].rank >= all[2].rank && ring.back().rank <= all[5].rank);
    search.range = {all[4].rank, kInfinity};
    const std::vector<IndexHit> behind = index->search(search, scratch);
    CHECK(behind.size() == kK && behind[0].rank >= all[4].rank);
  }
}

void few_rows_are_all_found() {
  for (const uint32_t count : {0u, 1u, 2u, 9u}) {
    const Fixture fixture(ELANUS_FLOAT32, ELANUS_COSINE, 24, count);
    for (const Case& c : cases()) {
      const std::unique_ptr<VectorIndex> index = fixture.build(c.spec, 2);
      SearchScratch scratch;
      const std::vector<float> query(24, 1);
      IndexSearch search = fixture.search(0, 16, 1);
      search.query = reinterpret_cast<const uint8_t*>(query.data());
      CHECK(index->search(search, scratch).size() == count);
      TemporaryDirectory directory;
      const std::string path = directory.file("index");
      IndexFileWriter writer(path);
      index->write(writer, VectorPlace::kInside);
      CHECK(!writer.finish({index->kind(), {}}).failed());
      std::shared_ptr<const IndexFile> file;
      std::unique_ptr<VectorIndex> opened;
      CHECK(!IndexFile::open(path, &file).failed() && !open_coded_graph(simd(), file, {}, &opened).failed());
      CHECK(opened->search(search, scratch).size() == count);
    }
  }
}

// Opens the file as a server would: with all that is checked, and with the vectors.
std::unique_ptr<VectorIndex> open_all(const std::string& path, const ElanusRows& vectors) {
  std::shared_ptr<const IndexFile> file;
  std::unique_ptr<VectorIndex> index;
  FileFault fault = IndexFile::open(path, &file);
  if (!fault.failed()) fault = file->verify(nullptr);
  if (!fault.failed()) fault = open_coded_graph(simd(), file, {&vectors, 1}, &index);
  // The vectors do not go with a file that lies about the number of its rows.
  const bool is_refusal = fault.status == ELANUS_FILE_DAMAGED || fault.status == ELANUS_INVALID_ARGUMENT;
  CHECK(!fault.failed() || (is_refusal && !fault.text.empty() && index == nullptr));
  return index;
}

void what_is_written_is_read() {
  const Fixture fixture(ELANUS_INT8, ELANUS_COSINE, 24, 1200);
  for (const Case& c : cases()) {
    TemporaryDirectory directory;
    const std::string path = directory.file("index");
    const std::unique_ptr<VectorIndex> index = fixture.build(c.spec, 1);
    IndexFileWriter writer(path);
    index->write(writer, VectorPlace::kInside);
    CHECK(!writer.finish({index->kind(), {}}).failed());
    const std::unique_ptr<VectorIndex> opened = open_all(path, fixture.lent());
    CHECK(opened != nullptr && opened->rows() == 1200 && opened->type() == ELANUS_INT8);
    CHECK(opened->metric() == ELANUS_COSINE && opened->dim() == 24 && opened->layout() == ELANUS_LAYOUT_CODES);
    check_same_hits(fixture, *index, *opened);
  }
}

// Sections that add up and lie: refused, or a search in them stays where it must.
void lies_lead_nowhere(uint32_t seed, int rounds) {
  Random random(seed);
  const Fixture fixture(ELANUS_FLOAT32, ELANUS_L2, 24, 400);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  size_t opened = 0;
  for (int round = 0; round < rounds; ++round) {
    static Sections sound;
    if (round % 500 == 0) {
      IndexFileWriter writer(path);
      fixture.build(cases()[static_cast<size_t>(round / 500) * 3 % cases().size()].spec, 1)->write(writer, VectorPlace::kInside);
      CHECK(!writer.finish({IndexKind::kCodedGraph, {}}).failed());
      sound = sections_of(path);
    }
    Sections sections = sound;
    tell_lies(random, 400, &sections);
    write_sections(path, IndexKind::kCodedGraph, sections);
    const std::unique_ptr<VectorIndex> index = open_all(path, fixture.lent());
    if (index == nullptr) continue;
    ++opened;
    SearchScratch scratch;
    // As long a query as any dimension may be.
    const std::vector<uint8_t> query(size_t{4} * ELANUS_INT8_DIM_MAX);
    IndexSearch search = fixture.search(0, 30, 2);
    search.query = query.data();
    check_sound(index->search(search, scratch), *index, search);
  }
  CHECK(opened > 0 && opened < static_cast<size_t>(rounds));
}

}  // namespace

int main(int count, char** arguments) {
  const auto seed = static_cast<uint32_t>(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 20'261'121);
  std::printf("coded graphs, seed %u: ", seed);
  std::fflush(stdout);
  what_is_near_is_found();
  a_crowd_is_told_apart();
  threads_make_no_difference();
  ranges_are_nested();
  few_rows_are_all_found();
  what_is_written_is_read();
  lies_lead_nowhere(seed, 1'500);
  std::printf("ok\n");
}
