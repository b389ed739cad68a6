// How far a walk by short codes has to go to find what a walk by better ones finds, found out on a few rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "fast_records.h"
#include "graph.h"
#include "walk_codes.h"

namespace elanus {

// Longer walks than this many times `ef` are never asked for.
inline constexpr float kStretchMax = 16;

// Where neighbours differ along many axes and by little, estimates tell them apart badly: a walk of the fast layout finds
// less than HNSW's at the same `ef`. How much longer it must be for the same is the same for all `ef`, about.
class WalkTrial {
 public:
  // Asks a sample of the rows for their nearest, by walks through `graph` that compare by `codes` as the compact layout's
  // do, and that never stand on the row itself. Void when cancelled.
  // REQUIRES: the rows outlive it.
  WalkTrial(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const WalkCodes& codes,
            const Graph& graph, uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

  // The least number of times `ef` that a walk over the records has to keep in view to find as much, from 1 to kStretchMax.
  // The same for the same rows and seed, whatever the number of threads. Void when cancelled.
  float stretch_of(const FastRecords& records, uint32_t threads, const std::atomic<bool>* cancelled) const;

 private:
  // A row in the role of a query.
  struct Probe {
    uint32_t row;
    float tenth;     // the rank of its tenth neighbour
    uint32_t found;  // how many of the ten the walk has found
  };

  Probe probe(const WalkCodes& codes, const Graph& graph, uint32_t row) const;
  bool is_enough(const FastRecords& records, float stretch, uint32_t threads, const std::atomic<bool>* cancelled) const;

  const ElanusSimd& simd_;
  ElanusMetric metric_;
  const DenseRows& rows_;
  std::vector<Probe> probes_;
};

}  // namespace elanus
