// Inverted lists: each kind finds what is near, whatever the metric and the type; more lists find more; files give back
// what was written; and every instruction set finds the same.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "float_vectors.h"
#include "index_cases.h"
#include "lying_file.h"
#include "temporary_directory.h"

namespace {

constexpr uint32_t kLists = 30;

ElanusIndexSpec lists(ElanusIndexType type, ElanusScalarCode refine) {
  ElanusIndexSpec spec{};
  spec.type = type;
  spec.lists = kLists;
  spec.refine = refine;
  return spec;
}

ElanusIndexSpec scalar(ElanusScalarCode code, ElanusScalarCode refine) {
  ElanusIndexSpec spec = lists(ELANUS_IVF_SQ, refine);
  spec.code = code;
  return spec;
}

ElanusIndexSpec product(uint32_t subquantizers, uint32_t bits, ElanusScalarCode refine) {
  ElanusIndexSpec spec = lists(ELANUS_IVF_PQ, refine);
  spec.subquantizers = subquantizers;
  spec.bits = bits;
  return spec;
}

ElanusIndexSpec rabitq(uint32_t bits, ElanusScalarCode refine) {
  ElanusIndexSpec spec = lists(ELANUS_IVF_RABITQ, refine);
  spec.bits = bits;
  return spec;
}

ElanusIndexSpec scann(uint32_t subquantizers, ElanusScalarCode refine) {
  ElanusIndexSpec spec = lists(ELANUS_SCANN, refine);
  spec.subquantizers = subquantizers;
  return spec;
}

struct Case {
  const char* name;
  ElanusIndexSpec spec;
  double recall;  // of all lists at refine_k 4, at least
};

std::vector<Case> cases() {
  return {
      {"IVF_FLAT", lists(ELANUS_IVF_FLAT, ELANUS_CODE_NONE), 0.99},
      {"IVF_SQ8", scalar(ELANUS_CODE_SQ8, ELANUS_CODE_NONE), 0.92},
      {"IVF_SQ6 with FP16", scalar(ELANUS_CODE_SQ6, ELANUS_CODE_FP16), 0.95},
      {"IVF_SQ4 with vectors", scalar(ELANUS_CODE_SQ4U, ELANUS_CODE_FP32), 0.95},
      {"IVF_PQ of 8 bits", product(12, 8, ELANUS_CODE_NONE), 0.45},
      {"IVF_PQ of 8 bits with SQ8", product(12, 8, ELANUS_CODE_SQ8), 0.9},
      {"IVF_PQ of 5 bits with vectors", product(12, 5, ELANUS_CODE_FP32), 0.85},
      {"IVF_PQ of 4 bits", product(12, 4, ELANUS_CODE_NONE), 0.25},
      {"IVF_PQ of 4 bits with vectors", product(12, 4, ELANUS_CODE_FP32), 0.8},
      {"IVF_RABITQ", rabitq(1, ELANUS_CODE_NONE), 0.3},
      {"IVF_RABITQ with BF16", rabitq(1, ELANUS_CODE_BF16), 0.7},
      {"IVF_RABITQ of 4 bits", rabitq(4, ELANUS_CODE_NONE), 0.6},
      {"IVF_RABITQ of 8 bits with vectors", rabitq(8, ELANUS_CODE_FP32), 0.95},
      {"SCANN", scann(12, ELANUS_CODE_FP32), 0.8},
      {"SCANN without vectors", scann(12, ELANUS_CODE_NONE), 0.25},
  };
}

const Shape kShapes[] = {
    {ELANUS_FLOAT32, ELANUS_L2, 24},      {ELANUS_FLOAT32, ELANUS_IP, 24},  {ELANUS_FLOAT32, ELANUS_COSINE, 24},
    {ELANUS_FLOAT16, ELANUS_COSINE, 24},  {ELANUS_BFLOAT16, ELANUS_L2, 24}, {ELANUS_INT8, ELANUS_L2, 24},
    {ELANUS_INT8, ELANUS_COSINE, 24},     {ELANUS_FLOAT32, ELANUS_L2, 156},
};

ElanusIndexSearch search_lists(const Shape& shape, const std::vector<uint8_t>& queries, uint32_t probes) {
  ElanusIndexSearch search = search_of(queries);
  set_no_bounds(shape.metric, &search);
  search.probes = probes;
  return search;
}

void say(const char* name, const Shape& shape, double recall) {
  checked_case = std::string(name) + ", type " + std::to_string(shape.type) + ", metric " +
                 std::to_string(shape.metric) + ": " + std::to_string(recall);
}

// Best first, each row once, as many as there are.
void check_sound(const Hits& hits, ElanusMetric metric, uint32_t expected) {
  for (uint32_t q = 0; q < kQueries; ++q) {
    CHECK(hits.counts[q] == expected);
    std::set<uint32_t> rows;
    for (uint32_t i = q * kK; i < q * kK + hits.counts[q]; ++i) {
      CHECK(hits.rows[i] < kRows && rows.insert(hits.rows[i]).second && !std::isnan(hits.scores[i]));
      if (i == q * kK) continue;
      CHECK(metric == ELANUS_L2 ? hits.scores[i - 1] <= hits.scores[i] : hits.scores[i - 1] >= hits.scores[i]);
      CHECK(hits.scores[i - 1] != hits.scores[i] || hits.rows[i - 1] < hits.rows[i]);
    }
  }
}

std::vector<uint8_t> every(uint32_t nth) {
  std::vector<uint8_t> bits((kRows + 7) / 8);
  for (uint32_t row = 0; row < kRows; row += nth) bits[row / 8] = static_cast<uint8_t>(bits[row / 8] | 1u << row % 8);
  return bits;
}

void what_is_near_is_found(const ElanusSimd* simd) {
  for (const Shape& shape : kShapes) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    for (const Case& c : cases()) {
      ElanusIndex* const index = build(simd, shape, c.spec, bytes, kRows, 2);
      CHECK(elanus_index_info(index).layout == ELANUS_LAYOUT_LISTS);
      ElanusIndexSearch search = search_lists(shape, queries, kLists);
      const Hits all = run(index, search);
      check_sound(all, shape.metric, kK);
      const double of_all = recall(simd, shape, bytes, search, all);
      say(c.name, shape, of_all);
      CHECK(of_all >= c.recall);
      search.probes = 8;
      const double of_some = recall(simd, shape, bytes, search, run(index, search));
      say(c.name, shape, of_some);
      CHECK(of_some >= c.recall - 0.15 && of_some <= of_all + 0.05);
      for (const uint32_t nth : {2u, 10u, 100u}) {
        const std::vector<uint8_t> allowed = every(nth);
        search.probes = kLists;
        search.allowed = allowed.data();
        search.allowed_size = allowed.size();
        const Hits filtered = run(index, search);
        check_sound(filtered, shape.metric, kK);
        CHECK(recall(simd, shape, bytes, search, filtered) >= c.recall - 0.1);
      }
      elanus_index_release(index);
    }
  }
}

// As many lists as it takes, or as there may be.
void goes_on_until_there_is_enough(const ElanusSimd* simd) {
  const Shape shape = kShapes[0];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  const std::vector<uint8_t> allowed = every(kRows / kK);
  for (const Case& c : cases()) {
    checked_case = c.name;
    ElanusIndex* const index = build(simd, shape, c.spec, bytes, kRows, 1);
    ElanusIndexSearch search = search_lists(shape, queries, 1);
    search.allowed = allowed.data();
    search.allowed_size = allowed.size();
    const Hits one = run(index, search);
    search.probes_max = ELANUS_LISTS_MAX;
    check_sound(run(index, search), shape.metric, kK);
    search.empty_lists_max = 1;
    const Hits patient = run(index, search);
    for (uint32_t q = 0; q < kQueries; ++q) CHECK(one.counts[q] < kK && patient.counts[q] >= one.counts[q]);
    elanus_index_release(index);
  }
}

void ranges_are_nested(const ElanusSimd* simd) {
  for (const Shape& shape : {kShapes[0], kShapes[2]}) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    for (const Case& c : cases()) {
      checked_case = c.name;
      ElanusIndex* const index = build(simd, shape, c.spec, bytes, kRows, 1);
      ElanusIndexSearch search = search_lists(shape, queries, kLists);
      search.refine_k = kRows;
      search.query_count = 1;
      const Hits all = run(index, search);
      const bool is_l2 = shape.metric == ELANUS_L2;
      search.outer = static_cast<double>(std::nextafter(all.scores[5], is_l2 ? INFINITY : -INFINITY));
      const Hits near = run(index, search);
      CHECK(near.counts[0] == 6 && std::equal(near.rows.begin(), near.rows.begin() + 6, all.rows.begin()));
      search.inner = static_cast<double>(all.scores[2]);
      const Hits ring = run(index, search);
      CHECK(ring.counts[0] == 4 && std::equal(ring.rows.begin(), ring.rows.begin() + 4, all.rows.begin() + 2));
      elanus_index_release(index);
    }
  }
}

// Queries of few bits find less, those of many as much as whole ones; other indexes take no notice.
void queries_may_have_few_bits(const ElanusSimd* simd) {
  const Shape shape = kShapes[0];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  for (const Case& c : cases()) {
    checked_case = c.name;
    ElanusIndex* const index = build(simd, shape, c.spec, bytes, kRows, 1);
    ElanusIndexSearch search = search_lists(shape, queries, kLists);
    const Hits whole = run(index, search);
    if (c.spec.type == ELANUS_IVF_RABITQ && c.spec.bits == 1 && c.spec.refine == ELANUS_CODE_NONE) {
      search.query_bits = 1;
      const double of_one = recall(simd, shape, bytes, search, run(index, search));
      search.query_bits = 8;
      const double of_eight = recall(simd, shape, bytes, search, run(index, search));
      const double of_all = recall(simd, shape, bytes, search, whole);
      say(c.name, shape, of_one);
      CHECK(of_one < of_all && of_eight >= of_all - 0.02);
    } else if (c.spec.type == ELANUS_SCANN) {
      search.query_bits = 1;
      CHECK(run(index, search) == whole);
    }
    search.query_bits = ELANUS_QUERY_BITS_MAX + 1;
    Hits none;
    CHECK(elanus_index_search_run(index, &search, none.view()) == ELANUS_INVALID_ARGUMENT);
    elanus_index_release(index);
  }
}

// However many vectors may be compared: codes that tell rows apart leave few in doubt.
void few_vectors_are_compared(const ElanusSimd* simd) {
  const Shape shape = kShapes[0];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  for (const ElanusIndexSpec& spec : {scalar(ELANUS_CODE_SQ8, ELANUS_CODE_FP32), product(12, 8, ELANUS_CODE_FP32)}) {
    ElanusIndex* const index = build(simd, shape, spec, bytes, kRows, 1);
    ElanusIndexSearch search = search_lists(shape, queries, kLists);
    search.refine_k = 40;
    ElanusSearchEffort effort{};
    search.effort = &effort;
    CHECK(recall(simd, shape, bytes, search, run(index, search)) >= 0.97);
    CHECK(effort.distances - effort.visited < static_cast<uint64_t>(kQueries * kK * search.refine_k));
    elanus_index_release(index);
  }
}

void threads_make_no_difference(const ElanusSimd* simd) {
  const Shape shape = kShapes[0];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  const ElanusIndexSearch search = search_lists(shape, queries, 5);
  for (const Case& c : cases()) {
    checked_case = c.name;
    ElanusIndex* const alone = build(simd, shape, c.spec, bytes, kRows, 1);
    ElanusIndex* const together = build(simd, shape, c.spec, bytes, kRows, 3);
    CHECK(run(alone, search) == run(together, search));
    elanus_index_release(alone);
    elanus_index_release(together);
  }
}

// What an index of one instruction set has written, all others search with nearly the same result: sums of floats may
// differ in their last bits.
void instruction_sets_agree(const std::string& path) {
  for (const Shape& shape : {kShapes[0], kShapes[3]}) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    const ElanusIndexSearch search = search_lists(shape, queries, 10);
    for (const Case& c : cases()) {
      ElanusIndex* const built = build(elanus_simd_find("portable"), shape, c.spec, bytes, kRows, 1);
      CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
      const Hits expected = run(built, search);
      for (const ElanusSimd* const simd : instruction_sets()) {
        checked_case = std::string(c.name) + ", " + elanus_simd_name(simd);
        ElanusIndex* index = nullptr;
        CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &index) == ELANUS_OK);
        const Hits found = run(index, search);
        uint32_t same = 0;
        for (uint32_t i = 0; i < kQueries * kK; ++i) {
          same += found.rows[i] == expected.rows[i];
          CHECK(std::abs(found.scores[i] - expected.scores[i]) <= 1e-3f * (1 + std::abs(expected.scores[i])));
        }
        CHECK(found.counts == expected.counts && same >= kQueries * kK * 95 / 100);
        elanus_index_release(index);
      }
      elanus_index_release(built);
    }
  }
}

void few_rows_are_all_found(const ElanusSimd* simd, const std::string& path) {
  const Shape shape = kShapes[2];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  ElanusIndexSearch search = search_lists(shape, queries, 1);
  search.probes_max = ELANUS_LISTS_MAX;
  for (const uint32_t rows : {0u, 1u, 2u, 9u}) {
    for (const Case& c : cases()) {
      checked_case = std::string(c.name) + ", rows " + std::to_string(rows);
      ElanusIndex* const index = build(simd, shape, c.spec, bytes, rows, 2);
      const Hits hits = run(index, search);
      check_sound(hits, shape.metric, rows);
      CHECK(elanus_index_save(index, path.c_str(), 1) == ELANUS_OK);
      ElanusIndex* opened = nullptr;
      CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &opened) == ELANUS_OK);
      CHECK(run(opened, search) == hits);
      elanus_index_release(opened);
      elanus_index_release(index);
    }
  }
}

// Rows that are all alike, or not numbers, make lists as well.
void odd_rows_do_no_harm(const ElanusSimd* simd) {
  const Shape shape = kShapes[0];
  std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
  const size_t stride = bytes.size() / kRows;
  const ElanusIndexSearch search = search_lists(shape, queries, kLists);
  for (const Case& c : cases()) {
    checked_case = c.name;
    bytes = clustered(shape, kRows, 1);
    for (size_t row = 1; row < kRows; ++row) std::copy_n(bytes.begin(), stride, bytes.begin() + static_cast<ptrdiff_t>(row * stride));
    ElanusIndex* index = build(simd, shape, c.spec, bytes, kRows, 2);
    check_sound(run(index, search), shape.metric, kK);
    elanus_index_release(index);
    bytes = clustered(shape, kRows, 1);
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, 1e-42f, 0};
    for (size_t row = 0; row < kRows; row += 7) {
      for (size_t at = 0; at < stride; at += sizeof(float)) std::memcpy(&bytes[row * stride + at], &odd[row % 6], sizeof(float));
    }
    index = build(simd, shape, c.spec, bytes, kRows, 2);
    run(index, search);
    elanus_index_release(index);
  }
}

// What is known of lists beside their centroids makes searches quicker, and files of before do not have it.
void files_of_before_are_read(const ElanusSimd* simd, const std::string& path) {
  for (const Shape& shape : {kShapes[0], kShapes[1], kShapes[2]}) {
    const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
    const std::vector<uint8_t> queries = clustered(shape, kQueries, 2);
    const ElanusIndexSearch search = search_lists(shape, queries, kLists);
    ElanusIndex* const built = build(simd, shape, lists(ELANUS_IVF_FLAT, ELANUS_CODE_NONE), bytes, kRows, 1);
    CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
    Sections sections = sections_of(path);
    CHECK(std::erase_if(sections, [](const auto& section) { return section.first == "list spreads"; }) == 1);
    write_sections(path, elanus::IndexKind::kLists, sections);
    ElanusIndex* opened = nullptr;
    CHECK(elanus_index_open(simd, path.c_str(), nullptr, 0, &opened) == ELANUS_OK);
    const double of_before = recall(simd, shape, bytes, search, run(opened, search));
    const double of_now = recall(simd, shape, bytes, search, run(built, search));
    say("IVF_FLAT without spreads", shape, of_before);
    CHECK(of_before >= 0.99 && of_now >= of_before - 0.01);
    elanus_index_release(opened);
    elanus_index_release(built);
  }
}

// Refused, or a search in it stays where it must.
void lies_lead_nowhere(const ElanusSimd* simd, const std::string& path, uint32_t seed, uint32_t rounds) {
  std::mt19937 random(seed);
  constexpr uint32_t kFew = 400;
  const Shape shape = kShapes[0];
  const std::vector<uint8_t> bytes = clustered(shape, kRows, 1);
  // As long as any dimension may be.
  const std::vector<uint8_t> queries(size_t{4} * ELANUS_INT8_DIM_MAX * kQueries);
  ElanusIndexSearch searches[3];
  for (ElanusIndexSearch& search : searches) search = search_lists(shape, queries, 3);
  searches[1].probes_max = ELANUS_LISTS_MAX;
  searches[2].inner = 1;
  uint32_t opened = 0;
  for (const Case& c : cases()) {
    checked_case = c.name;
    ElanusIndex* const built = build(simd, shape, c.spec, bytes, kFew, 1);
    CHECK(elanus_index_save(built, path.c_str(), 1) == ELANUS_OK);
    elanus_index_release(built);
    const Sections sound = sections_of(path);
    for (uint32_t round = 0; round < rounds; ++round) {
      Sections sections = sound;
      tell_lies(random, kFew, &sections);
      write_sections(path, elanus::IndexKind::kLists, sections);
      ElanusIndex* index = nullptr;
      const ElanusStatus status = elanus_index_open(simd, path.c_str(), nullptr, 0, &index);
      CHECK(status == ELANUS_OK || status == ELANUS_FILE_DAMAGED || status == ELANUS_INVALID_ARGUMENT);
      if (status != ELANUS_OK) continue;
      ++opened;
      for (const ElanusIndexSearch& search : searches) {
        Hits hits;
        CHECK(elanus_index_search_run(index, &search, hits.view()) == ELANUS_OK);
        for (uint32_t q = 0; q < kQueries; ++q) {
          for (uint32_t i = 0; i < hits.counts[q]; ++i) CHECK(hits.rows[q * kK + i] < elanus_index_info(index).rows);
        }
      }
      ElanusWork* const work = elanus_work_new();
      elanus_index_verify(index, work);
      elanus_work_free(work);
      elanus_index_release(index);
    }
  }
  CHECK(opened > 0 && opened < rounds * cases().size());
}

void refuses_what_there_is_not(const ElanusSimd* simd) {
  const std::vector<uint8_t> bytes = clustered(kShapes[0], kRows, 1);
  const ElanusRows block = {bytes.data(), bytes.size(), kRows, 0};
  std::vector<ElanusIndexSpec> wrong = {product(5, 8, ELANUS_CODE_NONE),  product(0, 8, ELANUS_CODE_NONE),
                                        product(12, 13, ELANUS_CODE_NONE), rabitq(0, ELANUS_CODE_NONE),
                                        rabitq(10, ELANUS_CODE_NONE),      scann(7, ELANUS_CODE_NONE),
                                        scann(12, ELANUS_CODE_SQ8),        scalar(ELANUS_CODE_FP16, ELANUS_CODE_NONE),
                                        lists(ELANUS_IVF_FLAT, ELANUS_CODE_SQ8), rabitq(1, ELANUS_CODE_SQ4U)};
  for (const uint32_t count : {0u, ELANUS_LISTS_MAX + 1u}) {
    wrong.push_back(lists(ELANUS_IVF_FLAT, ELANUS_CODE_NONE));
    wrong.back().lists = count;
  }
  ElanusWork* const work = elanus_work_new();
  for (const ElanusIndexSpec& spec : wrong) {
    const ElanusIndexBuild build = {ELANUS_FLOAT32, ELANUS_L2, 24, spec, &block, 1, 1, 1};
    ElanusIndex* index = nullptr;
    CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_INVALID_ARGUMENT && index == nullptr);
  }
  elanus_work_cancel(work);
  const ElanusIndexSpec sound = scann(12, ELANUS_CODE_NONE);
  const ElanusIndexBuild build = {ELANUS_FLOAT32, ELANUS_L2, 24, sound, &block, 1, 2, 1};
  ElanusIndex* index = nullptr;
  CHECK(elanus_index_build(simd, &build, work, &index) == ELANUS_CANCELLED && index == nullptr);
  elanus_work_free(work);
}

}  // namespace

int main(int count, char** arguments) {
  const auto seed = static_cast<uint32_t>(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 20'261'121);
  std::printf("inverted lists, seed %u: ", seed);
  std::fflush(stdout);
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  TemporaryDirectory directory;
  const std::string path = directory.file("index");
  what_is_near_is_found(simd);
  goes_on_until_there_is_enough(simd);
  ranges_are_nested(simd);
  queries_may_have_few_bits(simd);
  few_vectors_are_compared(simd);
  threads_make_no_difference(simd);
  instruction_sets_agree(path);
  few_rows_are_all_found(simd, path);
  odd_rows_do_no_harm(simd);
  files_of_before_are_read(simd, path);
  lies_lead_nowhere(simd, path, seed, 60);
  refuses_what_there_is_not(simd);
  std::printf("ok\n");
}
