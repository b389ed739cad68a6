#include "packed_links.h"

#include <vector>

#include "parallel.h"

namespace elanus {
namespace {

// Nodes that are packed before they are written.
constexpr uint32_t kNodesAtOnce = 4096;
constexpr uint32_t kNodesBetweenLooks = 4096;

}  // namespace

void PackedLinks::write(const Graph& graph, IndexFileWriter& writer) {
  const uint32_t bits = bits_of(graph.rows);
  const size_t size = node_bytes(graph.rows, graph.degree);
  const uint64_t none = (uint64_t{1} << bits) - 1;
  std::vector<uint8_t> packed;
  for (uint32_t first = 0; first < graph.rows; first += kNodesAtOnce) {
    const uint32_t here = std::min(kNodesAtOnce, graph.rows - first);
    // A link is put in by eight bytes, which reach beyond the last.
    packed.assign(here * size + sizeof(uint64_t), 0);
    for (uint32_t node = 0; node < here; ++node) {
      const uint32_t* const links = graph.links_of(first + node);
      for (size_t i = 0; i < graph.degree; ++i) {
        uint8_t* const to = packed.data() + node * size + i * bits / 8;
        uint64_t word;
        std::memcpy(&word, to, sizeof word);
        word |= (links[i] < graph.rows ? links[i] : none) << i * bits % 8;
        std::memcpy(to, &word, sizeof word);
      }
    }
    writer.append(packed.data(), here * size);
  }
}

bool PackedLinks::are_sound(const std::atomic<bool>* cancelled) const {
  const uint64_t none = (uint64_t{1} << bits_) - 1;
  for (uint32_t node = 0; node < rows_; ++node) {
    if (node % kNodesBetweenLooks == 0 && is_set(cancelled)) return false;
    const uint8_t* const links = bytes_ + node * node_bytes_;
    for (size_t at = 0; at < size_t{degree_} * bits_; at += bits_) {
      uint64_t word;
      std::memcpy(&word, links + at / 8, sizeof word);
      const uint64_t link = word >> at % 8 & none;
      if (link >= rows_ && link != none) return false;
    }
  }
  return true;
}

}  // namespace elanus
