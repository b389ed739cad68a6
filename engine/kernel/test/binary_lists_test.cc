// BIN_IVF_FLAT: lists of binary vectors, searched in part or whole, on every instruction set, and from damaged files.
#include "../src/cc/index/binary_lists.h"

#include <cmath>
#include <cstdio>

#include "../src/cc/index/bit_means.h"
#include "../src/cc/index/bit_ranks.h"
#include "../src/cc/index/least_bound.h"
#include "../src/cc/index/search_scratch.h"
#include "bit_vectors.h"
#include "float_vectors.h"
#include "lying_file.h"
#include "temporary_directory.h"

using namespace elanus;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr ElanusMetric kMetrics[] = {ELANUS_HAMMING, ELANUS_JACCARD};

std::unique_ptr<VectorIndex> build(const ElanusSimd& simd, const BitVectors& vectors, ElanusMetric metric,
                                   uint32_t lists, uint32_t threads) {
  const size_t half = vectors.rows / 2 * size_t{vectors.dim / 8};
  const ElanusRows blocks[] = {{vectors.bytes.data(), half, vectors.rows / 2, 0},
                               {vectors.bytes.data() + half, vectors.bytes.size() - half,
                                vectors.rows - vectors.rows / 2, 0}};
  ElanusIndexBuild build{};
  build.type = ELANUS_BINARY;
  build.metric = metric;
  build.dim = vectors.dim;
  build.spec.type = ELANUS_BIN_IVF_FLAT;
  build.spec.lists = lists;
  build.blocks = blocks;
  build.block_count = 2;
  build.threads = threads;
  build.seed = 5;
  CHECK(is_valid_binary_lists(build));
  WorkControl control;
  StoredRows rows(simd, ELANUS_BINARY, metric, vectors.dim);
  rows.lend({blocks, 2});
  std::unique_ptr<VectorIndex> index = build_binary_lists(simd, rows, build, &control);
  CHECK(control.done.load() == 1);
  return index;
}

IndexSearch search_of(const uint8_t* query, uint32_t k, uint32_t probes) {
  IndexSearch search{};
  search.query = query;
  search.k = k;
  search.ef = k;
  search.refine_k = 1;
  search.lists = {probes, ELANUS_LISTS_MAX, 0};
  search.range = {-kInfinity, kInfinity};
  return search;
}

bool are_equal(const std::vector<IndexHit>& a, const std::vector<IndexHit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const IndexHit& one, const IndexHit& other) { return one.rank == other.rank && one.row == other.row; });
}

void learns_centres_of_which_none_is_empty() {
  std::mt19937 random(1);
  const BitVectors vectors = bits_around(random, 136, 3000, 60, 12);
  for (const ElanusMetric metric : kMetrics) {
    std::vector<uint8_t> first;
    for (const ElanusSimd* const simd : instruction_sets()) {
      for (const uint32_t threads : {1u, 3u}) {
        const BitMeansOptions options = {metric, 50, 10, 9, threads};
        const std::vector<uint8_t> centres = bit_means(*simd, vectors.bytes.data(), vectors.rows, vectors.dim, options);
        if (first.empty()) first = centres;
        CHECK(centres == first);
        std::vector<uint32_t> nearest(vectors.rows);
        std::vector<float> ranks(vectors.rows);
        const ElanusRows block = {vectors.bytes.data(), vectors.bytes.size(), vectors.rows, 0};
        StoredRows rows(*simd, ELANUS_BINARY, metric, vectors.dim);
        rows.lend({&block, 1});
        find_nearest_centres(*simd, centres, rows.view(vectors.rows), options, nearest.data(), ranks.data());
        std::vector<uint32_t> sizes(50);
        double sum = 0;
        for (uint32_t i = 0; i < vectors.rows; ++i) {
          ++sizes[nearest[i]];
          const float rank = naive_bit_rank(metric, vectors.at(i), centres.data() + nearest[i] * 17, vectors.dim);
          CHECK(rank == ranks[i]);
          sum += rank;
        }
        CHECK(*std::min_element(sizes.begin(), sizes.end()) > 0);
        // Vectors lie at 11 bits from their centres, random ones at 68 from each other.
        if (metric == ELANUS_HAMMING) CHECK(sum / vectors.rows < 25);
      }
    }
  }
}

void finds_all_in_all_lists_and_most_in_few() {
  std::mt19937 random(2);
  SearchScratch scratch;
  for (const uint32_t dim : {8u, 64u, 512u, 1032u}) {
    const BitVectors vectors = bits_around(random, dim, 4000, 100, 8);
    const BitVectors queries = bits_around(random, dim, 20, 20, 2);
    std::vector<uint8_t> bits((vectors.rows + 7) / 8);
    for (uint8_t& byte : bits) byte = static_cast<uint8_t>(random() & random());
    for (const ElanusMetric metric : kMetrics) {
      for (const ElanusSimd* const simd : instruction_sets()) {
        const std::unique_ptr<VectorIndex> index = build(*simd, vectors, metric, 64, 2);
        CHECK(index->rows() == vectors.rows && index->type() == ELANUS_BINARY && index->metric() == metric);
        CHECK(index->links_are_sound(nullptr));
        size_t found = 0, wanted = 0;
        for (uint32_t q = 0; q < 20; ++q) {
          // Some are rows.
          const uint8_t* const query = q % 2 == 0 ? queries.at(q) : vectors.at(37 * q);
          for (const bool is_filtered : {false, true}) {
            for (const bool has_range : {false, true}) {
              IndexSearch search = search_of(query, 10, 64);
              if (is_filtered) search.allowed = AllowedRows(*simd, bits.data(), vectors.rows);
              if (has_range) search.range.highest = metric == ELANUS_HAMMING ? dim / 5 : 0.3f;
              if (has_range) search.range.lowest = search.range.highest / 2;
              const std::vector<IndexHit> exact = naive_bit_hits(metric, vectors, query, search);
              CHECK(are_equal(index->search(search, scratch), exact));
            }
          }
          IndexSearch search = search_of(query, 10, 8);
          const std::vector<IndexHit> exact = naive_bit_hits(metric, vectors, query, search);
          for (const IndexHit& hit : index->search(search, scratch)) found += hit.rank <= exact.back().rank;
          wanted += exact.size();
        }
        // Random queries are as far from one list as from another.
        CHECK(found > wanted / 2);
      }
    }
  }
}

void bounds_the_least_of_many() {
  std::mt19937 random(6);
  for (uint32_t round = 0; round < 3000; ++round) {
    std::vector<float> numbers(1 + random() % 600);
    for (float& number : numbers) number = static_cast<float>(random() % (round % 2 == 0 ? 20 : 100'000));
    const size_t wanted = 1 + random() % 140;
    const float bound = least_bound(numbers.data(), numbers.size(), wanted);
    if (std::isinf(bound)) {
      CHECK(numbers.size() < 16 || wanted > std::min<size_t>(numbers.size(), 128) || (wanted > 16 && numbers.size() < 128));
      continue;
    }
    const auto within = std::count_if(numbers.begin(), numbers.end(), [&](float number) { return number <= bound; });
    CHECK(static_cast<size_t>(within) >= wanted);
    if (wanted == 1) CHECK(bound == *std::min_element(numbers.begin(), numbers.end()));
  }
}

void passes_over_lists_that_hardly_have_a_hit() {
  std::mt19937 random(7);
  SearchScratch scratch;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  constexpr uint32_t kRows = 20'000;
  const BitVectors vectors = bits_around(random, 512, kRows, 100, 10);
  for (const ElanusMetric metric : kMetrics) {
    const std::unique_ptr<VectorIndex> index = build(simd, vectors, metric, 128, 2);
    size_t found = 0, itself = 0;
    uint64_t compared = 0;
    for (uint32_t q = 0; q < 100; ++q) {
      const IndexSearch search = search_of(vectors.at(q * 199), 10, 64);
      const std::vector<IndexHit> exact = naive_bit_hits(metric, vectors, search.query, search);
      scratch.effort = {};
      for (const IndexHit& hit : index->search(search, scratch)) found += hit.rank <= exact.back().rank;
      compared += scratch.effort.visited;
      // Nothing else is within this radius, which is less than a centre is away.
      IndexSearch within = search;
      within.range.highest = metric == ELANUS_HAMMING ? 1 : 0.002f;
      itself += index->search(within, scratch).size() == 1;
    }
    CHECK(itself >= 99);
    CHECK(found >= 990);
    // 64 lists are half of the rows.
    CHECK(compared < 100 * kRows / 8);
  }
}

void goes_on_while_a_filter_leaves_too_few() {
  std::mt19937 random(3);
  SearchScratch scratch;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  const BitVectors vectors = bits_around(random, 128, 4000, 50, 10);
  const std::unique_ptr<VectorIndex> index = build(simd, vectors, ELANUS_HAMMING, 64, 1);
  std::vector<uint8_t> bits(500);
  for (uint32_t row = 0; row < 4000; row += 200) bits[row / 8] |= static_cast<uint8_t>(1u << row % 8);
  IndexSearch search = search_of(vectors.at(1), 20, 1);
  search.allowed = AllowedRows(simd, bits.data(), 4000);
  CHECK(index->search(search, scratch).size() == 20);
  search.lists.most = 1;
  CHECK(index->search(search, scratch).size() < 20);
  search.lists.most = 64;
  search.lists.empty_max = 1;
  CHECK(index->search(search, scratch).size() < 20);
}

void has_fewer_lists_of_few_rows() {
  std::mt19937 random(4);
  SearchScratch scratch;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  for (const uint32_t rows : {0u, 1u, 2u, 80u}) {
    const BitVectors vectors = bits_around(random, 64, rows, 3, 8);
    const std::unique_ptr<VectorIndex> index = build(simd, vectors, ELANUS_JACCARD, 1000, 2);
    const std::vector<uint8_t> query(8, 0x5a);
    const IndexSearch search = search_of(query.data(), 10, 2);
    CHECK(are_equal(index->search(search, scratch), naive_bit_hits(ELANUS_JACCARD, vectors, query.data(), search)));
  }
}

void reads_what_it_wrote_and_survives_all_else() {
  std::mt19937 random(5);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  SearchScratch scratch;
  for (const ElanusMetric metric : kMetrics) {
    const BitVectors vectors = bits_around(random, 64, 600, 20, 8);
    const std::unique_ptr<VectorIndex> built = build(simd, vectors, metric, 15, 1);
    {
      IndexFileWriter writer(path);
      built->write(writer, VectorPlace::kInside);
      IndexFileHead head;
      head.kind = built->kind();
      CHECK(writer.finish(head).status == ELANUS_OK);
    }
    const auto open = [&](std::unique_ptr<VectorIndex>* index) {
      std::shared_ptr<const IndexFile> file;
      const FileFault fault = IndexFile::open(path, &file);
      return fault.failed() ? fault.status : open_binary_lists(simd, std::move(file), index).status;
    };
    std::unique_ptr<VectorIndex> index;
    CHECK(open(&index) == ELANUS_OK);
    CHECK(index->links_are_sound(nullptr) && index->file() != nullptr);
    const IndexSearch search = search_of(vectors.at(7), 10, 3);
    SearchScratch other;
    CHECK(are_equal(index->search(search, scratch), built->search(search, other)));
    const std::vector<uint8_t> sound = read_file(path);
    const Sections sections = sections_of(path);
    for (uint32_t round = 0; round < 600; ++round) {
      if (round % 2 == 0) {
        std::vector<uint8_t> bytes = sound;
        // Nobody compares the checksums of sections when a file is opened.
        for (uint32_t i = 0; i < 1 + random() % 50; ++i)
          bytes[4096 + random() % (bytes.size() - 4096)] = static_cast<uint8_t>(random());
        write_file(path, bytes);
      } else {
        Sections lying = sections;
        tell_lies(random, 600, &lying);
        write_sections(path, IndexKind::kBinaryLists, lying);
      }
      if (open(&index) != ELANUS_OK) continue;
      index->links_are_sound(nullptr);
      const std::vector<uint8_t> query(index->dim() / 8, 0x33);
      for (const IndexHit& hit : index->search(search_of(query.data(), 50, 1 + random() % 20), scratch))
        CHECK(hit.row < index->rows());
    }
    write_file(path, sound);
  }
}

void refuses_what_it_cannot_be() {
  const auto is_valid = [](ElanusVectorType type, ElanusMetric metric, uint32_t dim, uint32_t lists) {
    ElanusIndexBuild build{};
    build.type = type;
    build.metric = metric;
    build.dim = dim;
    build.spec.lists = lists;
    return is_valid_binary_lists(build);
  };
  CHECK(is_valid(ELANUS_BINARY, ELANUS_HAMMING, 8, 1));
  CHECK(!is_valid(ELANUS_FLOAT32, ELANUS_HAMMING, 8, 1));
  CHECK(!is_valid(ELANUS_BINARY, ELANUS_L2, 8, 1));
  CHECK(!is_valid(ELANUS_BINARY, ELANUS_SUBSTRUCTURE, 8, 1));
  CHECK(!is_valid(ELANUS_BINARY, ELANUS_HAMMING, 12, 1));
  CHECK(!is_valid(ELANUS_BINARY, ELANUS_HAMMING, 8, 0));
  CHECK(!is_valid(ELANUS_BINARY, ELANUS_HAMMING, 8, ELANUS_LISTS_MAX + 1));
}

}  // namespace

int main() {
  learns_centres_of_which_none_is_empty();
  finds_all_in_all_lists_and_most_in_few();
  bounds_the_least_of_many();
  passes_over_lists_that_hardly_have_a_hit();
  goes_on_while_a_filter_leaves_too_few();
  has_fewer_lists_of_few_rows();
  reads_what_it_wrote_and_survives_all_else();
  refuses_what_it_cannot_be();
  std::printf("binary_lists_test: ok\n");
}
