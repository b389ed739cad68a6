// One search of an index of lists.
#pragma once

#include <cstdint>
#include <vector>

#include "list_parts.h"
#include "search_scratch.h"
#include "vector_index.h"

namespace elanus {

class ListSeeker {
 public:
  // REQUIRES: there are rows. Everything outlives this.
  ListSeeker(const ListParts& parts, const IndexSearch& search, SearchScratch& scratch);

  // Fills `scratch.hits`, which is empty.
  void run();

 private:
  struct Scratch;

  void look_through(const std::vector<NearList>& lists, size_t begin, size_t end);
  void look_further();
  void open_pool(const NearList& usual_list);
  bool has_enough() const;
  float as_estimate(float rank, float row_square) const;
  float usual_error(const NearList& list) const;
  bool is_too_far(const NearList& list) const;
  size_t wanted_by_codes() const;
  void scan(uint32_t list, uint32_t next);
  void keep(const IndexHit& row, uint32_t list);
  void keep_pool();
  void rank_by_residuals();
  void offer_found();
  void offer_by_vectors();
  void offer_doubtful(const DenseRows& rows);
  void offer_by_refined();
  void offer(float rank, uint32_t position);

  const ListParts& parts_;
  const IndexSearch& search_;
  SearchScratch& scratch_;
  Scratch& own_;
  const bool takes_all_;
  float query_square_ = 0;
  float query_length_ = 0;
  uint64_t rows_looked_at_ = 0;
};

}  // namespace elanus
