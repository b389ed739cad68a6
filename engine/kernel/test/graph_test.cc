// A graph that is built has the links that it says, all of its rows can be walked to, and no thread has a part in it; and a
// beam keeps the nearest.
#include <algorithm>
#include <cstdio>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "../src/cc/index/beam.h"
#include "../src/cc/index/frontier.h"
#include "../src/cc/index/graph.h"
#include "../src/cc/index/visited.h"
#include "../src/cc/index/walk.h"
#include "../src/cc/index/walk_codes.h"
#include "check.h"
#include "float_vectors.h"

namespace {

using namespace elanus;

constexpr uint32_t kRows = 6000;
constexpr uint32_t kDim = 20;

Graph built(const WalkCodes& codes, uint32_t m, uint32_t threads) {
  WorkControl control;
  Graph graph;
  CHECK(build_graph(codes, {m, 40, 7, threads}, &control, 0.5f, &graph));
  CHECK(control.done == 0.5f);
  return graph;
}

void check_links(const Graph& graph, uint32_t m) {
  CHECK(graph.rows == kRows && graph.m == m && graph.degree == 2 * m);
  CHECK(graph.links.size() == size_t{kRows} * graph.degree && graph.is_sound(nullptr));
  for (uint32_t row = 0; row < kRows; ++row) {
    const uint32_t* const begin = graph.links_of(row);
    const uint32_t* const end = std::find(begin, begin + graph.degree, kNoRow);
    CHECK(std::all_of(end, begin + graph.degree, [](uint32_t link) { return link == kNoRow; }));
    CHECK(std::find(begin, end, row) == end);
    std::vector<uint32_t> links(begin, end);
    std::sort(links.begin(), links.end());
    CHECK(!links.empty() && std::adjacent_find(links.begin(), links.end()) == links.end());
  }
}

size_t rows_on_the_way_from(uint32_t first, const Graph& graph) {
  std::vector<bool> seen(kRows);
  std::vector<uint32_t> waiting = {first};
  seen[first] = true;
  size_t count = 0;
  while (!waiting.empty()) {
    const uint32_t* const links = graph.links_of(waiting.back());
    waiting.pop_back();
    ++count;
    for (size_t i = 0; i < graph.degree && links[i] != kNoRow; ++i) {
      if (seen[links[i]]) continue;
      seen[links[i]] = true;
      waiting.push_back(links[i]);
    }
  }
  return count;
}

void check_graphs() {
  const Vectors vectors = clustered(kRows, kDim, 3);
  const DenseRows rows = {ELANUS_FLOAT32,
                          kDim,
                          kDim * sizeof(float),
                          reinterpret_cast<const uint8_t*>(vectors.values().data()),
                          kRows,
                          nullptr};
  const ElanusSimd& simd = *elanus_simd_find(nullptr);
  WalkCodes codes(simd, CodeModel::learn(simd, rows, ELANUS_L2, 1, 1, nullptr));
  codes.encode(rows, 1, nullptr);
  for (const uint32_t m : {2u, 3u, 8u, 40u}) {
    const Graph graph = built(codes, m, 1);
    check_links(graph, m);
    CHECK(m < 8 || graph.layers.size() >= 2);
    // The nearest rows alone lead to no other cluster where there are few links.
    CHECK(m < 8 || rows_on_the_way_from(0, graph) > 0.99 * kRows);
    const Graph same = built(codes, m, 3);
    CHECK(std::equal(graph.links.data(), graph.links.data() + graph.links.size(), same.links.data()));
  }
}

void check_beam(size_t capacity, uint32_t offers) {
  std::minstd_rand random(static_cast<uint32_t>(capacity));
  Beam beam;
  beam.reset(capacity);
  std::vector<float> ranks;
  for (uint32_t node = 0; node < offers; ++node) {
    // Few values, so that many are equal.
    const float rank = static_cast<float>(random() % 500) - 250;
    beam.offer(rank, node);
    ranks.push_back(rank);
    if (node % 3 != 0) continue;
    uint32_t next = 0;
    float expected = 0;
    if (!beam.peek_next(&next, &expected)) continue;
    uint32_t expanded = 0;
    CHECK(beam.expand_next(&expanded) && expanded == next && ranks[expanded] == expected);
  }
  std::vector<float> found;
  for (const Beam::Entry& entry : beam) {
    CHECK(ranks[entry.node()] == entry.rank);
    found.push_back(entry.rank);
  }
  std::sort(ranks.begin(), ranks.end());
  ranks.resize(std::min(ranks.size(), capacity));
  CHECK(found == ranks);
}

// Runs of numbers, and single ones between them: each is new once, and what stands behind one that is none is not looked at.
void check_visited(uint32_t numbers, size_t run) {
  std::minstd_rand random(numbers);
  Visited visited;
  for (int turn = 0; turn < 3; ++turn) {
    visited.reset(numbers);
    std::set<uint32_t> model;
    for (size_t i = 0; i < 200; ++i) {
      std::vector<uint32_t> links(run);
      for (uint32_t& link : links) link = random() % (numbers + numbers / 20 + 1);
      std::vector<uint32_t> expected;
      for (const uint32_t link : links) {
        if (link >= numbers) break;
        if (model.insert(link).second) expected.push_back(link);
      }
      std::vector<uint32_t> fresh(run);
      fresh.resize(visited.insert_run(links.data(), run, numbers, fresh.data()));
      CHECK(fresh == expected);
      const uint32_t single = random() % numbers;
      CHECK(visited.insert(single) == model.insert(single).second);
    }
  }
}

// A frontier gives back what was offered, the nearest of what it has first, whatever comes in between.
void check_frontier(uint32_t offers, uint32_t taken_of_ten) {
  std::minstd_rand random(offers + taken_of_ten);
  Frontier frontier;
  std::set<std::pair<float, uint32_t>> model;
  uint32_t node = 0;
  float rank = 0;
  const auto take = [&] {
    CHECK(frontier.peek_next(&node, &rank) && rank == model.begin()->first);
    CHECK(frontier.take_next() == node && model.erase({rank, node}) == 1);
  };
  for (uint32_t offered = 0; offered < offers; ++offered) {
    const float new_rank = static_cast<float>(random() % 500) - 250;
    frontier.offer(new_rank, offered);
    model.insert({new_rank, offered});
    while (!model.empty() && random() % 10 < taken_of_ten) take();
  }
  while (!model.empty()) take();
  CHECK(!frontier.peek_next(&node));
  frontier.offer(1, 7);
  frontier.clear();
  CHECK(!frontier.peek_next(&node));
}

}  // namespace

int main() {
  check_graphs();
  for (const uint32_t taken_of_ten : {0u, 3u, 5u, 8u}) check_frontier(4000, taken_of_ten);
  for (const size_t run : {1u, 7u, 32u, 500u}) check_visited(3000, run);
  for (const size_t capacity : {1, 2, 15, 16, 17, 33, 200, 300, 5000}) check_beam(capacity, 4000);
  std::printf("ok: graphs, beams, frontiers\n");
}
