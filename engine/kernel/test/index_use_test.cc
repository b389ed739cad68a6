// Index files through the C interface: vectors that stand elsewhere, and damage that nobody has looked for.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "index_cases.h"
#include "temporary_directory.h"

namespace {

ElanusIndex* open(const ElanusSimd* simd, const std::string& path, const ElanusRows* vectors, ElanusStatus expected) {
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_open(simd, path.c_str(), vectors, vectors == nullptr ? 0 : 1, &index) == expected);
  CHECK((index != nullptr) == (expected == ELANUS_OK));
  return index;
}

ElanusStatus verify(ElanusIndex* index) {
  ElanusWork* const work = elanus_work_new();
  const ElanusStatus status = elanus_index_verify(index, work);
  CHECK(status != ELANUS_OK || elanus_work_done(work) == 1);
  elanus_work_free(work);
  return status;
}

// Files without vectors, which whoever opens them lends: as odd as can be, and of their exact size.
void check_vectors_outside(const ElanusSimd* simd, const std::string& path) {
  for (const Shape& shape : {Shape{ELANUS_FLOAT32, ELANUS_COSINE, 24}, Shape{ELANUS_FLOAT16, ELANUS_L2, 33},
                             Shape{ELANUS_INT8, ELANUS_COSINE, 20}}) {
    for (const ElanusIndexSpec& spec :
         {hnsw(ELANUS_LAYOUT_COMPACT), hnsw(ELANUS_LAYOUT_FAST), inverted(ELANUS_IVF_FLAT)}) {
      const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
      const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
      ElanusIndexSearch search = search_of(queries);
      set_no_bounds(shape.metric, &search);
      ElanusIndex* const built = build(simd, shape, spec, bytes, kRows, 1);
      CHECK(elanus_index_save(built, path.c_str(), 0) == ELANUS_OK);
      std::vector<uint8_t> lent(1 + bytes.size());
      std::copy(bytes.begin(), bytes.end(), lent.begin() + 1);
      const ElanusRows vectors = {lent.data() + 1, bytes.size(), kRows, 0};
      ElanusIndex* const index = open(simd, path, &vectors, ELANUS_OK);
      CHECK(run(index, search) == run(built, search));
      // Neither counts the vectors, which are others'.
      const size_t some = elanus_index_info(index).memory_bytes;
      CHECK(elanus_index_info(built).memory_bytes < some + bytes.size() / 2);
      CHECK(verify(index) == ELANUS_OK);
      const ElanusRows fewer = {lent.data() + 1, bytes.size(), kRows - 1, 0};
      const ElanusRows shorter = {lent.data() + 1, bytes.size() - 1, kRows, 0};
      for (const ElanusRows* wrong : {&fewer, &shorter, static_cast<const ElanusRows*>(nullptr)})
        open(simd, path, wrong, ELANUS_INVALID_ARGUMENT);
      elanus_index_release(index);
      elanus_index_release(built);
    }
  }
}

// Whatever happens to the sections of a file, it is refused, or searched and verified without harm; and either it is
// told that it is damaged, or it finds what it found.
void check_damage(const ElanusSimd* simd, const std::string& path, const std::string& copy, uint32_t rounds) {
  std::mt19937 random(11);
  const Shape shape = {ELANUS_FLOAT32, ELANUS_COSINE, 24};
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const ElanusRows vectors = {bytes.data(), bytes.size(), kRows, 0};
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  std::vector<uint8_t> half((kRows + 7) / 8, 0x55);
  std::vector<uint8_t> few((kRows + 7) / 8);
  for (uint32_t row = 0; row < kRows; row += 9) few[row / 8] |= static_cast<uint8_t>(1u << row % 8);
  ElanusIndexSearch searches[5];
  for (ElanusIndexSearch& search : searches) {
    search = search_of(queries);
    search.probes = 8;
    search.probes_max = ELANUS_LISTS_MAX;
    set_no_bounds(shape.metric, &search);
  }
  searches[1].ef = kRows;
  searches[2].allowed = half.data();
  searches[2].allowed_size = half.size();
  searches[3].allowed = few.data();
  searches[3].allowed_size = few.size();
  searches[4].inner = 0.8;
  const ElanusIndexSpec coded = {ELANUS_HNSW_SQ, ELANUS_LAYOUT_AUTO, 16, 60, ELANUS_CODE_SQ8, 0, 0, 0, ELANUS_CODE_FP16, 0, 0, 0, 0, 0};
  for (const ElanusIndexSpec& spec : {hnsw(ELANUS_LAYOUT_COMPACT), hnsw(ELANUS_LAYOUT_FAST), coded,
                                      inverted(ELANUS_IVF_FLAT), inverted(ELANUS_SCANN), inverted(ELANUS_IVF_SQ)}) {
    ElanusIndex* const built = build(simd, shape, spec, bytes, kRows, 1);
    CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
    std::vector<Hits> expected;
    for (const ElanusIndexSearch& search : searches) expected.push_back(run(built, search));
    elanus_index_release(built);
    const std::vector<uint8_t> sound = read_file(path);
    uint32_t opened = 0, found_damaged = 0;
    for (uint32_t round = 0; round < rounds; ++round) {
      std::vector<uint8_t> damaged = sound;
      // One bit, or as much as a bad sector; behind the first page, which tells of every change itself.
      const size_t at = 4096 + random() % (sound.size() - 4096);
      const size_t end = std::min<size_t>(sound.size(), at + (round % 3 == 0 ? 4096 : 1));
      for (size_t i = at; i < end; ++i)
        damaged[i] = round % 3 == 1 ? static_cast<uint8_t>(damaged[i] ^ 1u << random() % 8) : static_cast<uint8_t>(random());
      write_file(copy, damaged);
      ElanusIndex* index = nullptr;
      const ElanusStatus status = elanus_index_open(simd, copy.c_str(), &vectors, 1, &index);
      CHECK(status == ELANUS_OK || status == ELANUS_FILE_DAMAGED);
      if (status != ELANUS_OK) continue;
      ++opened;
      bool is_same = true;
      for (size_t i = 0; i < std::size(searches); ++i) is_same &= run(index, searches[i]) == expected[i];
      const bool is_found = verify(index) == ELANUS_FILE_DAMAGED;
      CHECK(is_same || is_found);
      found_damaged += is_found;
      elanus_index_release(index);
    }
    CHECK(opened > rounds / 2 && found_damaged > rounds / 2);
  }
}

}  // namespace

int main() {
  TemporaryDirectory directory;
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  check_vectors_outside(simd, directory.file("outside"));
  check_damage(simd, directory.file("sound"), directory.file("damaged"), 300);
  std::printf("ok: index files, used as they are\n");
}
