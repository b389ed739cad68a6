// What indexes with vectors on disk have in common, and what one of kind kDiskGraph is in memory.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "block_reader.h"
#include "coded_rows.h"
#include "disk_graph.h"
#include "disk_nodes.h"
#include "row_reader.h"
#include "search_scratch.h"
#include "vector_index.h"

namespace elanus {

// A search that skips what is too near looks so many times further.
inline constexpr uint32_t kDiskGraphWiden = 4;

// What the head section holds.
struct DiskGraphHead {
  uint32_t type;
  uint32_t metric;
  uint32_t dim;
  uint32_t rows;
  uint32_t degree;
  uint32_t entries;
  uint32_t kept;  // of the units, the first so many, which stay in memory once they were read

  ElanusVectorType vector_type() const { return static_cast<ElanusVectorType>(type); }
  ElanusMetric rank_metric() const { return static_cast<ElanusMetric>(metric); }
  size_t vector_bytes() const { return dense_bytes(vector_type(), dim); }
  // Whether there may be such an index; files may say anything.
  bool is_plausible() const;
};

// Walks begin at the nearest of so many rows, evenly spread, which their codes choose; and at so many of these.
inline constexpr uint32_t kDiskGraphEntriesMax = 1024;
inline constexpr size_t kDiskGraphEntriesTaken = 4;

// The units that one search has come by, and where each is: in a buffer of its own, or among those that are kept.
class UnitsSeen {
 public:
  static constexpr uint32_t kKept = 0xffffffff;

  void reset(size_t units) {
    if (epochs_.size() < units) {
      epochs_.assign(units, 0);
      buffers_.resize(units);
      epoch_ = 0;
    }
    if (++epoch_ == 0) {
      std::fill(epochs_.begin(), epochs_.end(), uint16_t{0});
      epoch_ = 1;
    }
    count_ = 0;
  }

  bool has(uint64_t unit) const { return epochs_[unit] == epoch_; }
  // REQUIRES: has(unit).
  uint32_t buffer_of(uint64_t unit) const { return buffers_[unit]; }

  // Gives it the next buffer. False when it was seen before.
  bool add(uint64_t unit) {
    if (has(unit)) return false;
    epochs_[unit] = epoch_;
    buffers_[unit] = count_++;
    return true;
  }
  // The next buffers are the first ones again: what they held is known no more, though it was seen.
  void reuse_buffers() { count_ = 0; }
  // REQUIRES: !has(unit).
  void add_kept(uint64_t unit) {
    epochs_[unit] = epoch_;
    buffers_[unit] = kKept;
  }

 private:
  std::vector<uint16_t> epochs_;
  std::vector<uint32_t> buffers_;
  uint16_t epoch_ = 0;
  uint32_t count_ = 0;
};

struct DiskScratch : LayoutScratch {
  BlockReader reader;
  UnitsSeen units;
  // Of units, kBuffersPerChunk in each: what was read stays where it is while more is read.
  std::vector<std::unique_ptr<uint8_t, void (*)(void*)>> chunks;
  size_t chunk_bytes = 0;
  AlignedVector<float> query;
  std::vector<uint32_t> standing;  // nodes whose links are to be followed
  std::vector<uint64_t> wanted;    // units that are to be read
  DiskGraphReads reads;

  static constexpr size_t kBuffersPerChunk = 64;

  uint8_t* buffer(uint32_t number, size_t unit_bytes) {
    if (unit_bytes * kBuffersPerChunk > chunk_bytes) {
      chunks.clear();
      chunk_bytes = unit_bytes * kBuffersPerChunk;
    }
    const size_t chunk = number / kBuffersPerChunk;
    while (chunks.size() <= chunk) {
      auto* const memory = static_cast<uint8_t*>(std::aligned_alloc(kBlockBytes, chunk_bytes));
      if (memory == nullptr) throw std::bad_alloc();
      chunks.emplace_back(memory, std::free);
    }
    return chunks[chunk].get() + number % kBuffersPerChunk * unit_bytes;
  }

  static DiskScratch& of(SearchScratch& scratch) {
    if (scratch.disk == nullptr) scratch.disk = std::make_unique<DiskScratch>();
    return static_cast<DiskScratch&>(*scratch.disk);
  }
};

// What an index is in memory and in its file.
struct DiskGraphParts {
  DiskGraphHead head{};
  RowReader reader;
  CodedRows codes;
  std::vector<uint32_t> entries;

  NodeShape shape() const { return {head.vector_bytes(), head.degree}; }

  // The query as codes are compared with it.
  void read_query(const uint8_t* query, AlignedVector<float>* out) const {
    out->resize(head.dim);
    reader.read(query, out->data());
  }
};

// Begins a walk: offers the entries that are nearest. REQUIRES: beam and set of the scratch are empty.
template <class Scorer>
void enter_at_nearest(const std::vector<uint32_t>& entries, const Scorer& scorer, SearchScratch& scratch) {
  scratch.found.reset(kDiskGraphEntriesTaken);
  float ranks[64];
  for (size_t first = 0; first < entries.size(); first += std::size(ranks)) {
    const size_t here = std::min(std::size(ranks), entries.size() - first);
    scorer.score(entries.data() + first, here, ranks);
    for (size_t i = 0; i < here; ++i) scratch.found.offer(ranks[i], entries[first + i]);
  }
  for (const Beam::Entry& entry : scratch.found) {
    if (scratch.visited.insert(entry.node())) scratch.beam.offer(entry.rank, entry.node());
  }
}

// Ranks are those of vectors; which rows are ranked, who derives from it decides.
class DiskGraph : public VectorIndex {
 public:
  DiskGraph(const ElanusSimd& simd, const DiskGraphHead& head) : simd_(simd), head_(head) {}

  uint32_t rows() const override { return head_.rows; }
  ElanusVectorType type() const override { return head_.vector_type(); }
  ElanusMetric metric() const override { return head_.rank_metric(); }
  uint32_t dim() const override { return head_.dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_DISK; }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.hits.reset(search.k, search.range);
    const uint32_t allowed = search.allowed.count(rows());
    if (rows() == 0 || allowed == 0) return scratch.hits.sorted();
    DiskScratch& own = DiskScratch::of(scratch);
    scratch.exact.begin(simd_, type(), metric(), dim(), search.query);
    for (uint64_t ef = std::max(search.ef, search.k);; ef *= kDiskGraphWiden) {
      scratch.hits.reset(search.k, search.range);
      const auto view = static_cast<uint32_t>(std::min<uint64_t>(ef, rows()));
      find(search, view, own, scratch);
      if (!search.skips() || view == rows() || scratch.hits.size() >= search.k || is_set(search.cancelled))
        return scratch.hits.sorted();
    }
  }

 protected:
  // Offers about the `ef` nearest allowed rows, by their vectors.
  virtual void find(const IndexSearch& search, uint32_t ef, DiskScratch& own, SearchScratch& scratch) const = 0;

  const ElanusSimd& simd_;
  const DiskGraphHead head_;
};

// All sections of a file.
inline void write_copy(const IndexFile& file, IndexFileWriter& writer) {
  for (const IndexFile::Section& section : file.sections()) {
    writer.begin(section.name);
    writer.append(section.bytes, section.size);
  }
}

// The index whose nodes are read from the section at `nodes_at` of its file.
std::unique_ptr<VectorIndex> make_disk_graph_of_file(const ElanusSimd& simd, DiskGraphParts parts,
                                                     std::shared_ptr<const IndexFile> file,
                                                     std::unique_ptr<const BlockFile> blocks, const uint32_t* places,
                                                     uint64_t nodes_at);

}  // namespace elanus
