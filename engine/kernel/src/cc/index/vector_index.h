// What all vector indexes have in common.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "elanus/index.h"
#include "elanus/kernel.h"
#include "index_file.h"

namespace elanus {

struct SearchScratch;

// A hit by rank: smaller is better, as in top_k.h.
struct IndexHit {
  float rank;
  uint32_t row;

  bool operator<(const IndexHit& other) const { return rank != other.rank ? rank < other.rank : row < other.row; }
};

// Which hits count: those with lowest <= rank <= highest that come after `after`.
struct HitRange {
  float lowest;
  float highest;
  IndexHit after;

  bool has(const IndexHit& hit) const { return hit.rank >= lowest && hit.rank <= highest && after < hit; }
};

// One query. All pointers are borrowed for the call.
struct IndexSearch {
  const uint8_t* query;  // as the index' vectors
  uint32_t k;
  uint32_t ef;                // at least k
  float refine_k;             // of layouts that refine
  const uint8_t* allowed;     // one bit a row, least significant first; nullptr: all rows
  uint32_t allowed_count;     // how many bits are set; rows() without a bitmap
  HitRange range;
  const std::atomic<bool>* cancelled;  // may be nullptr
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

  // Adds rows behind those that are there, while others search. ELANUS_INVALID_ARGUMENT where the layout cannot.
  // REQUIRES: nobody else adds.
  virtual ElanusStatus add(const uint8_t* bytes, uint32_t rows, uint32_t threads);

  // Every section; the caller finishes the file.
  virtual void write(IndexFileWriter& writer) const = 0;
  virtual IndexKind kind() const = 0;
};

}  // namespace elanus
