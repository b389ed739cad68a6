// What an index of inverted lists is made of: IVF_FLAT, IVF_SQ8, IVF_PQ, IVF_RABITQ and SCANN differ in which parts they
// have.
#pragma once

#include <cstdint>
#include <optional>

#include "coded_rows.h"
#include "list_centroids.h"
#include "list_codes.h"
#include "list_order.h"
#include "residual_codes.h"
#include "stored_rows.h"

namespace elanus {

// What hits are ranked by in the end. Numbers at rest.
enum class FinalRanks : uint32_t {
  kCodes = 0,    // by the codes that they were found by
  kVectors = 1,  // as exact search does
  kRefined = 2,  // by codes of their own
};

struct ListParts {
  ListParts(const ElanusSimd& simd, ElanusVectorType type, ElanusMetric metric, uint32_t dim)
      : simd(simd),
        type(type),
        metric(metric),
        dim(dim),
        reader(simd, type, metric, dim),
        centroids(simd, metric == ELANUS_IP ? ELANUS_IP : ELANUS_L2, dim),
        codes(metric) {}

  const ElanusSimd& simd;
  const ElanusVectorType type;
  const ElanusMetric metric;
  const uint32_t dim;
  const RowReader reader;

  ListOrder order;
  ListCentroids centroids;
  // The codes that lists are scanned by.
  ListCodes codes;
  // Whether they only rule out what other ranks would rule out; else they are the index' own.
  bool codes_screen = true;
  std::optional<ResidualCodes> residuals;
  FinalRanks final_ranks = FinalRanks::kCodes;
  std::optional<StoredRows> vectors;  // kVectors
  std::optional<CodedRows> refined;   // kRefined; by position

  uint32_t rows() const { return order.rows(); }
};

}  // namespace elanus
