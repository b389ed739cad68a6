// Sparse indexes: exact on every instruction set, and no harm from damaged files.
#include <algorithm>
#include <cstring>
#include <random>

#include "../src/cc/index/search_scratch.h"
#include "../src/cc/index/sparse_builder.h"
#include "../src/cc/index/sparse_index.h"
#include "../src/cc/index/sparse_search.h"
#include "../src/cc/sparse.h"
#include "check.h"
#include "temporary_directory.h"

using namespace elanus;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr ElanusBm25 kBm25 = {1.2, 0.75, 6};

// Rows one behind the other; the last four bytes are beyond them, so that no row is aligned.
struct Rows {
  std::vector<uint8_t> bytes = std::vector<uint8_t>(4);
  std::vector<uint32_t> offsets = {4};

  uint32_t count() const { return static_cast<uint32_t>(offsets.size() - 1); }
  SparseVector row(uint32_t i) const {
    SparseVector vector;
    CHECK(sparse_vector_at(bytes.data(), bytes.size(), offsets.data(), i, &vector));
    return vector;
  }
};

Rows random_rows(std::mt19937& random, uint32_t count, uint32_t pairs_max, uint32_t dimensions) {
  Rows rows;
  for (uint32_t i = 0; i < count; ++i) {
    std::vector<uint32_t> chosen(random() % (pairs_max + 1));
    for (uint32_t& dimension : chosen) dimension = random() % (1 + random() % dimensions) * 70'001u;
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const uint32_t dimension : chosen) {
      const SparsePair pair = {dimension, static_cast<float>(random() % 8 == 0 ? 300 : 1 + random() % 5)};
      rows.bytes.resize(rows.bytes.size() + sizeof pair);
      std::memcpy(rows.bytes.data() + rows.bytes.size() - sizeof pair, &pair, sizeof pair);
    }
    rows.offsets.push_back(static_cast<uint32_t>(rows.bytes.size()));
  }
  return rows;
}

SparsePostings build(const Rows& rows, ElanusMetric metric, uint32_t threads) {
  const ElanusSparseRows block = {rows.bytes.data(), rows.bytes.size(), rows.offsets.data(), rows.count()};
  const ElanusSparseBuild build = {metric, kBm25, &block, 1, threads};
  WorkControl control;
  SparsePostings postings;
  CHECK(build_sparse_postings(build, &control, &postings) == ELANUS_OK);
  CHECK(control.done.load() == 1);
  return postings;
}

IndexSearch search_of(const SparseVector& query, uint32_t k) {
  IndexSearch search{};
  search.query = query.bytes;
  search.k = k;
  search.ef = k;
  search.refine_k = 1;
  search.range = {-kInfinity, kInfinity};
  search.sparse = {query.pairs * kSparsePairBytes, kBm25};
  return search;
}

std::vector<IndexHit> naive_hits(const Rows& rows, const SparseVector& query, ElanusMetric metric, uint32_t k) {
  const Bm25 bm25(kBm25);
  std::vector<IndexHit> hits;
  for (uint32_t i = 0; i < rows.count(); ++i) {
    const SparseVector row = rows.row(i);
    const float score = metric == ELANUS_IP ? sparse_dot(query, row) : sparse_bm25(query, row, sparse_sum(row), bm25);
    if (score == score) hits.push_back({-score, i});
  }
  std::sort(hits.begin(), hits.end());
  hits.resize(std::min<size_t>(hits.size(), k));
  return hits;
}

template <class Visit>
void for_each_simd(const Visit& visit) {
  for (const char* name : {"avx512", "avx2", "neon", "portable"}) {
    checked_case = name;
    if (const ElanusSimd* const simd = elanus_simd_find(name); simd != nullptr) visit(*simd);
  }
}

void finds_what_a_scan_finds() {
  std::mt19937 random(1);
  SparseScratch scratch;
  for (const ElanusMetric metric : {ELANUS_IP, ELANUS_BM25}) {
    for (const uint32_t count : {0u, 1u, 15u, 16u, 900u, 70'000u}) {
      const Rows rows = random_rows(random, count, count > 1000 ? 6 : 40, 200);
      const Rows queries = random_rows(random, 10, 60, 200);
      const SparsePostings postings = build(rows, metric, 2);
      for_each_simd([&](const ElanusSimd& simd) {
        for (uint32_t q = 0; q < queries.count(); ++q) {
          const std::vector<IndexHit> wanted = naive_hits(rows, queries.row(q), metric, 7);
          const std::vector<IndexHit>& found = search_sparse(simd, postings, search_of(queries.row(q), 7), scratch);
          CHECK(found.size() == wanted.size());
          for (size_t i = 0; i < wanted.size(); ++i)
            CHECK(found[i].rank == wanted[i].rank && found[i].row == wanted[i].row);
        }
      });
    }
  }
}

template <class T>
void damage(std::mt19937& random, HugeArray<T>& array) {
  if (array.size() == 0) return;
  auto* const bytes = reinterpret_cast<uint8_t*>(array.data());
  for (uint32_t i = 0; i < 1 + random() % 4; ++i) bytes[random() % array.bytes()] = static_cast<uint8_t>(random());
}

// A file is searched before anybody has compared its checksums.
void survives_damage() {
  std::mt19937 random(2);
  SparseScratch scratch;
  for (uint32_t round = 0; round < 400; ++round) {
    const ElanusMetric metric = round % 2 == 0 ? ELANUS_IP : ELANUS_BM25;
    const Rows rows = random_rows(random, 1 + random() % 300, 30, 100);
    const Rows queries = random_rows(random, 4, 30, 100);
    SparsePostings postings = build(rows, metric, 1);
    const uint32_t kind = random() % 9;
    if (kind == 0) damage(random, postings.dimensions);
    if (kind == 1) damage(random, postings.frequencies);
    if (kind == 2) damage(random, postings.maxima);
    if (kind == 3) damage(random, postings.list_starts);
    if (kind == 4) damage(random, postings.lists);
    if (kind == 5) damage(random, postings.list_bytes);
    if (kind == 6) damage(random, postings.block_starts);
    if (kind == 7) damage(random, postings.block_bytes);
    if (kind == 8) damage(random, postings.lengths);
    for_each_simd([&](const ElanusSimd& simd) {
      for (uint32_t q = 0; q < queries.count(); ++q) {
        for (const IndexHit& hit : search_sparse(simd, postings, search_of(queries.row(q), 50), scratch))
          CHECK(hit.row < rows.count());
      }
    });
  }
}

void reads_what_it_wrote_and_refuses_all_else() {
  std::mt19937 random(3);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  const Rows rows = random_rows(random, 300, 20, 100);
  const ElanusSimd& simd = *elanus_simd_find("portable");
  const auto save = [&] {
    const std::unique_ptr<VectorIndex> index = make_sparse_index(simd, build(rows, ELANUS_BM25, 3));
    IndexFileWriter writer(path);
    index->write(writer, VectorPlace::kInside);
    IndexFileHead head;
    head.kind = index->kind();
    CHECK(writer.finish(head).status == ELANUS_OK);
  };
  const auto open = [&](std::unique_ptr<VectorIndex>* index) {
    std::shared_ptr<const IndexFile> file;
    FileFault fault = IndexFile::open(path, &file);
    if (!fault.failed()) fault = file->verify(nullptr);
    if (!fault.failed()) fault = open_sparse_index(simd, std::move(file), index);
    return fault.status;
  };
  save();
  std::unique_ptr<VectorIndex> index;
  CHECK(open(&index) == ELANUS_OK);
  CHECK(index->rows() == rows.count() && index->metric() == ELANUS_BM25 && index->type() == ELANUS_SPARSE);
  SearchScratch scratch;
  const SparseVector query = rows.row(17);
  const std::vector<IndexHit> wanted = naive_hits(rows, query, ELANUS_BM25, 10);
  const std::vector<IndexHit>& found = index->search(search_of(query, 10), scratch);
  CHECK(found.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(found[i].rank == wanted[i].rank && found[i].row == wanted[i].row);
  const std::vector<uint8_t> sound = read_file(path);
  for (uint32_t round = 0; round < 100; ++round) {
    std::vector<uint8_t> bytes = sound;
    bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1u << random() % 8);
    write_file(path, bytes);
    // What is not used may have changed.
    const ElanusStatus status = open(&index);
    CHECK(status == ELANUS_OK || status == ELANUS_FILE_DAMAGED || status == ELANUS_FILE_TOO_NEW);
  }
}

}  // namespace

int main() {
  finds_what_a_scan_finds();
  survives_damage();
  reads_what_it_wrote_and_refuses_all_else();
  std::printf("sparse_index_test: ok\n");
}
