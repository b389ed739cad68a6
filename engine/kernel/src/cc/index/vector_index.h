// What all vector indexes have in common.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "allowed_rows.h"
#include "elanus/index.h"
#include "elanus/kernel.h"
#include "index_file.h"
#include "stored_rows.h"

namespace elanus {

struct SearchScratch;
struct SparsePostings;

// A hit by rank: smaller is better, as in top_k.h.
struct IndexHit {
  float rank;
  uint32_t row;

  bool operator<(const IndexHit& other) const { return rank != other.rank ? rank < other.rank : row < other.row; }
};

// Which hits count: those with lowest <= rank <= highest.
struct HitRange {
  float lowest;
  float highest;

  bool has(const IndexHit& hit) const { return hit.rank >= lowest && hit.rank <= highest; }
};

// What of a search is for sparse indexes only.
struct SparseOptions {
  size_t query_bytes = 0;
  ElanusBm25 bm25{};  // BM25 only
};

// How many lists a search looks through: see ElanusIndexSearch.
struct ListProbes {
  uint32_t least = 1;
  uint32_t most = 1;
  uint32_t empty_max = 0;
  uint32_t query_bits = 0;
};

// As ElanusSearchWay.
enum class Way { kCheapest, kWalk, kShortScan, kLongScan, kVectors };

// One query. All pointers are borrowed for the call.
struct IndexSearch {
  const uint8_t* query;  // as the index' vectors
  uint32_t k;
  uint32_t ef;     // at least k
  float refine_k;  // of layouts that refine
  AllowedRows allowed;
  HitRange range;
  const std::atomic<bool>* cancelled;  // may be nullptr
  SparseOptions sparse;
  ListProbes lists = {};
  bool by_share = false;  // of bands of hashes
  Way way = Way::kCheapest;

  // Whether hits that do not count, because they are too near, stand before those that do.
  bool skips() const { return range.lowest > -std::numeric_limits<float>::infinity(); }
};

// What `search` returns, of two.
struct HitsOfBoth {
  const std::vector<IndexHit>& one;
  const std::vector<IndexHit>& other;
};

class VectorIndex {
 public:
  virtual ~VectorIndex() = default;

  virtual uint32_t rows() const = 0;
  virtual ElanusVectorType type() const = 0;
  virtual ElanusMetric metric() const = 0;
  virtual uint32_t dim() const = 0;
  virtual ElanusIndexLayout layout() const = 0;
  virtual size_t memory_bytes() const = 0;

  // The hits, best first; each once, none with NaN. Valid until the scratch is used again. Throws std::bad_alloc.
  // Void when cancelled.
  virtual const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const = 0;
  // Two searches that differ in their queries only. Faster than one after the other where both walk.
  virtual HitsOfBoth search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                                 SearchScratch& of_other) const {
    const std::vector<IndexHit>& hits = search(one, of_one);
    return {hits, search(other, of_other)};
  }

  // Of a sparse index.
  virtual const SparsePostings* sparse_postings() const { return nullptr; }

  // Every section; the caller finishes the file. Layouts without vectors of their own have none to leave out.
  virtual void write(IndexFileWriter& writer, VectorPlace vectors) const = 0;
  virtual IndexKind kind() const = 0;

  // What the index is a view of; nullptr when it was built in memory.
  virtual const IndexFile* file() const = 0;
  // Whether every link leads to a row. Searches do without: a link that does not, they pass over. False when cancelled.
  virtual bool links_are_sound(const std::atomic<bool>* cancelled) const = 0;
};

}  // namespace elanus
