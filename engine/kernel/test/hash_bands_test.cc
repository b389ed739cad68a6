// MINHASH_LSH: finds what has a band in common, no more and no less, also from damaged files.
#include "../src/cc/index/hash_bands.h"

#include <cstdio>

#include "../src/cc/index/search_scratch.h"
#include "../src/cc/min_hash.h"
#include "bit_vectors.h"
#include "float_vectors.h"
#include "lying_file.h"
#include "temporary_directory.h"

using namespace elanus;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Vectors of hashes that take few values, so that bands meet.
BitVectors random_hashes(std::mt19937& random, uint32_t hash_bytes, uint32_t hashes, uint32_t rows, uint32_t values) {
  BitVectors vectors = {8 * hash_bytes * hashes, rows, {}};
  vectors.bytes.reserve(size_t{hash_bytes} * hashes * rows);
  for (size_t i = 0; i < size_t{hashes} * rows; ++i) {
    const auto value = static_cast<uint8_t>(random() % values);
    for (uint32_t byte = 0; byte < hash_bytes; ++byte)
      vectors.bytes.push_back(static_cast<uint8_t>(byte == 0 ? value : byte));
  }
  return vectors;
}

std::unique_ptr<VectorIndex> build(const ElanusSimd& simd, const BitVectors& vectors, const ElanusMinHash& options,
                                   uint32_t threads) {
  const ElanusRows block = {vectors.bytes.data(), vectors.bytes.size(), vectors.rows, 0};
  ElanusIndexBuild build{};
  build.type = ELANUS_BINARY;
  build.metric = ELANUS_MHJACCARD;
  build.dim = vectors.dim;
  build.spec.type = ELANUS_MINHASH_LSH;
  build.spec.hash_bytes = options.hash_bytes;
  build.spec.bands = options.bands;
  build.blocks = &block;
  build.block_count = 1;
  build.threads = threads;
  CHECK(is_valid_hash_bands(build));
  WorkControl control;
  StoredRows rows(simd, ELANUS_BINARY, ELANUS_MHJACCARD, vectors.dim);
  rows.lend({&block, 1});
  std::unique_ptr<VectorIndex> index = build_hash_bands(std::move(rows), build, &control);
  CHECK(control.done.load() == 1);
  return index;
}

IndexSearch search_of(const uint8_t* query, uint32_t k, bool by_share) {
  IndexSearch search{};
  search.query = query;
  search.k = k;
  search.ef = k;
  search.refine_k = 1;
  search.by_share = by_share;
  search.range = {-kInfinity, kInfinity};
  return search;
}

std::vector<IndexHit> naive_hits(const BitVectors& vectors, const ElanusMinHash& options, const IndexSearch& search) {
  const size_t hashes = vectors.dim / 8 / options.hash_bytes;
  const size_t band_bytes = hashes / options.bands * options.hash_bytes;
  std::vector<IndexHit> hits;
  for (uint32_t row = 0; row < vectors.rows; ++row) {
    const uint8_t* const bytes = vectors.at(row);
    bool meets = false;
    for (uint32_t band = 0; band < options.bands; ++band)
      meets |= std::equal(bytes + band * band_bytes, bytes + (band + 1) * band_bytes, search.query + band * band_bytes);
    size_t equal = 0;
    for (size_t i = 0; i < hashes; ++i)
      equal += std::equal(bytes + i * options.hash_bytes, bytes + (i + 1) * options.hash_bytes,
                          search.query + i * options.hash_bytes);
    const double share = static_cast<double>(equal) / static_cast<double>(hashes);
    const IndexHit hit = {search.by_share ? -static_cast<float>(share) : -1.0f, row};
    if (meets && search.allowed.has(row) && search.range.has(hit)) hits.push_back(hit);
  }
  std::sort(hits.begin(), hits.end());
  hits.resize(std::min<size_t>(hits.size(), search.k));
  return hits;
}

bool are_equal(const std::vector<IndexHit>& a, const std::vector<IndexHit>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const IndexHit& one, const IndexHit& other) {
    return one.rank == other.rank && one.row == other.row;
  });
}

void finds_what_has_a_band_in_common() {
  std::mt19937 random(1);
  SearchScratch scratch;
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  for (const ElanusMinHash options : {ElanusMinHash{4, 8}, {4, 5}, {1, 16}, {8, 2}, {2, 1}, {32, 16}, {3, 4}}) {
    for (const uint32_t rows : {0u, 1u, 700u}) {
      const BitVectors vectors = random_hashes(random, options.hash_bytes, 16, rows, 3);
      const BitVectors queries = random_hashes(random, options.hash_bytes, 16, 10, 3);
      const std::unique_ptr<VectorIndex> index = build(simd, vectors, options, 3);
      CHECK(index->rows() == rows && index->metric() == ELANUS_MHJACCARD && index->links_are_sound(nullptr));
      std::vector<uint8_t> bits((rows + 7) / 8);
      for (uint8_t& byte : bits) byte = static_cast<uint8_t>(random());
      for (uint32_t q = 0; q < queries.rows; ++q) {
        for (uint32_t kind = 0; kind < 8; ++kind) {
          IndexSearch search = search_of(queries.at(q), kind % 2 == 0 ? 10 : 1000, (kind & 2) != 0);
          if ((kind & 4) != 0) search.allowed = AllowedRows(simd, bits.data(), rows);
          if (q % 3 == 1 && search.by_share) search.range.lowest = -0.5f;
          if (q % 3 == 2 && search.by_share) search.range.highest = -0.4f;
          CHECK(are_equal(index->search(search, scratch), naive_hits(vectors, options, search)));
        }
      }
    }
  }
}

void reads_what_it_wrote_and_survives_all_else() {
  std::mt19937 random(2);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  SearchScratch scratch;
  const ElanusMinHash options = {4, 4};
  const BitVectors vectors = random_hashes(random, 4, 16, 300, 3);
  const std::unique_ptr<VectorIndex> built = build(simd, vectors, options, 1);
  for (const VectorPlace place : {VectorPlace::kInside, VectorPlace::kOutside}) {
    {
      IndexFileWriter writer(path);
      built->write(writer, place);
      IndexFileHead head;
      head.kind = built->kind();
      CHECK(writer.finish(head).status == ELANUS_OK);
    }
    const ElanusRows block = {vectors.bytes.data(), vectors.bytes.size(), vectors.rows, 0};
    const LentRows lent = place == VectorPlace::kInside ? LentRows{} : LentRows{&block, 1};
    const auto open = [&](std::unique_ptr<VectorIndex>* index) {
      std::shared_ptr<const IndexFile> file;
      const FileFault fault = IndexFile::open(path, &file);
      return fault.failed() ? fault.status : open_hash_bands(simd, std::move(file), lent, index).status;
    };
    std::unique_ptr<VectorIndex> index;
    CHECK(open(&index) == ELANUS_OK);
    CHECK(index->links_are_sound(nullptr) && index->file() != nullptr);
    const IndexSearch search = search_of(vectors.at(7), 10, true);
    CHECK(are_equal(index->search(search, scratch), naive_hits(vectors, options, search)));
    const std::vector<uint8_t> sound = read_file(path);
    const Sections sections = sections_of(path);
    for (uint32_t round = 0; round < 600; ++round) {
      if (round % 2 == 0) {
        std::vector<uint8_t> bytes = sound;
        for (uint32_t i = 0; i < 1 + random() % 50; ++i)
          bytes[4096 + random() % (bytes.size() - 4096)] = static_cast<uint8_t>(random() % 2 == 0 ? random() : 0);
        write_file(path, bytes);
      } else {
        Sections lying = sections;
        tell_lies(random, 300, &lying);
        write_sections(path, IndexKind::kHashBands, lying);
      }
      if (open(&index) != ELANUS_OK) continue;
      index->links_are_sound(nullptr);
      std::vector<uint8_t> query(index->dim() / 8);
      std::memcpy(query.data(), vectors.at(random() % 300), std::min<size_t>(query.size(), 64));
      for (const IndexHit& hit : index->search(search_of(query.data(), 50, random() % 2 == 0), scratch))
        CHECK(hit.row < index->rows());
    }
  }
}

void refuses_what_it_cannot_be() {
  const auto is_valid = [](ElanusMetric metric, uint32_t dim, uint32_t hash_bytes, uint32_t bands) {
    ElanusIndexBuild build{};
    build.type = ELANUS_BINARY;
    build.metric = metric;
    build.dim = dim;
    build.spec.hash_bytes = hash_bytes;
    build.spec.bands = bands;
    return is_valid_hash_bands(build);
  };
  CHECK(is_valid(ELANUS_MHJACCARD, 128, 4, 4));
  CHECK(is_valid(ELANUS_MHJACCARD, 128, 4, 3));
  CHECK(!is_valid(ELANUS_HAMMING, 128, 4, 4));
  CHECK(!is_valid(ELANUS_MHJACCARD, 128, 0, 4));
  CHECK(!is_valid(ELANUS_MHJACCARD, 128, 33, 1));
  CHECK(!is_valid(ELANUS_MHJACCARD, 128, 3, 1));
  CHECK(!is_valid(ELANUS_MHJACCARD, 128, 4, 5));
  CHECK(!is_valid(ELANUS_MHJACCARD, 128, 4, 0));
}

}  // namespace

int main() {
  finds_what_has_a_band_in_common();
  reads_what_it_wrote_and_survives_all_else();
  refuses_what_it_cannot_be();
  std::printf("hash_bands_test: ok\n");
}
