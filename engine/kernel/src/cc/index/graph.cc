#include "graph.h"

#include <algorithm>

#include "parallel.h"

namespace elanus {

namespace {

// Numbers between two looks at `cancelled`.
constexpr size_t kSoundAtOnce = size_t{1} << 16;

// Whether all are below `end`, or are kNoRow where that may be. Without a branch, so that it is done in vectors.
bool all_below(const uint32_t* numbers, size_t count, size_t end, bool may_be_none,
               const std::atomic<bool>* cancelled) {
  for (size_t first = 0; first < count; first += kSoundAtOnce) {
    if (is_set(cancelled)) return false;
    bool sound = true;
    const size_t here = std::min(count, first + kSoundAtOnce);
    for (size_t i = first; i < here; ++i) sound &= (numbers[i] < end) | (may_be_none & (numbers[i] == kNoRow));
    if (!sound) return false;
  }
  return true;
}

}  // namespace

bool Graph::places_are_sound(const std::atomic<bool>* cancelled) const {
  if (!is_placed()) return true;
  for (uint32_t row = 0; row < rows; ++row) {
    if (row % kSoundAtOnce == 0 && is_set(cancelled)) return false;
    if (node_of_row[row] >= rows || row_of_node[node_of_row[row]] != row) return false;
  }
  return true;
}

bool Graph::is_sound(const std::atomic<bool>* cancelled) const {
  if (!all_below(links.data(), size_t{rows} * degree, rows, true, cancelled)) return false;
  size_t nodes_below = rows;
  for (const GraphLayer& layer : layers) {
    const size_t nodes = layer.rows.size();
    if (!all_below(layer.rows.data(), nodes, rows, false, cancelled) ||
        !all_below(layer.below.data(), nodes, nodes_below, false, cancelled) ||
        !all_below(layer.links.data(), layer.links.size(), nodes, true, cancelled))
      return false;
    nodes_below = nodes;
  }
  return places_are_sound(cancelled);
}

size_t Graph::memory_bytes() const {
  size_t bytes = links.bytes() + row_of_node.bytes() + node_of_row.bytes();
  for (const GraphLayer& layer : layers)
    bytes += layer.rows.bytes() + layer.below.bytes() + layer.links.bytes();
  return bytes;
}

}  // namespace elanus
