#include "list_seeker.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "found_ranker.h"
#include "ordered_dot.h"
#include "parallel.h"

namespace elanus {
namespace {

// Rows whose estimates are so many times the usual error worse than the last one wanted are not compared further, by codes
// that only rule rows out and by those that are refined.
constexpr float kScreenErrors = 3;
constexpr float kRefinedErrors = 2.5f;
// Rows that others precede by so many deviations of what residuals err by are not compared by their vectors.
constexpr double kResidualDeviations = 3;
// Where codes only rule rows out, there are no more than so many times those wanted.
constexpr size_t kPickedFactorMax = 16;
constexpr size_t kPickedMin = 256;
// Hits behind others may be in any list: so many times the rows that have been asked for so far are looked at.
constexpr uint64_t kRowsPerHit = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Blocks of codes are asked for so many before their turn.
constexpr uint32_t kBlocksAhead = 2;

void prefetch(const uint8_t* bytes, size_t size) {
  for (size_t at = 0; at < size; at += 64) __builtin_prefetch(bytes + at);
}

}  // namespace

struct ListSeeker::Scratch : LayoutScratch {
  CentroidScratch centroids;
  std::vector<bool> is_seen;  // by list; only where a search looks further
  std::vector<NearList> further;
  std::vector<float> rank_of_list;  // of the lists that were looked through
  std::vector<ResidualPlace> places;
  std::vector<IndexHit> found;  // `row` is the position
  std::unique_ptr<Scorer> scorer;

  static Scratch& of(SearchScratch& scratch) {
    if (scratch.lists == nullptr) scratch.lists = std::make_unique<Scratch>();
    return static_cast<Scratch&>(*scratch.lists);
  }
};

ListSeeker::ListSeeker(const ListParts& parts, const IndexSearch& search, SearchScratch& scratch)
    : parts_(parts), search_(search), scratch_(scratch), own_(Scratch::of(scratch)), takes_all_(search.skips()) {
  ScanQuery& query = scratch_.scan_query;
  query.query.resize(parts_.dim);
  parts_.reader.read(search_.query, query.query.data());
  parts_.codes.prepare(parts_.simd.walk, &query, search_.lists.query_bits);
  query_square_ = square_length(query.query.data(), parts_.dim);
  query_length_ = std::sqrt(query_square_);
  own_.rank_of_list.resize(parts_.order.lists());
  if (parts_.vectors)
    scratch_.exact.begin(parts_.simd, parts_.type, parts_.metric, parts_.dim, search_.query);
  if (!parts_.residuals) return;
  own_.scorer = parts_.residuals->scorer();
  own_.scorer->prepare(scratch_.scan_query.centred.data());
}

void ListSeeker::run() {
  const float* const query = scratch_.scan_query.query.data();
  const std::vector<NearList>& lists = parts_.centroids.nearest(query, search_.lists.least, own_.centroids);
  look_through(lists, 0, lists.size());
  if (!has_enough()) look_further();
  own_.scorer.reset();
  scratch_.effort.visited += rows_looked_at_;
  scratch_.effort.compare(rows_looked_at_, parts_.codes.block_bytes() / kBlockNeighbours);
}

bool ListSeeker::has_enough() const {
  if (is_set(search_.cancelled)) return true;
  if (takes_all_ && rows_looked_at_ < kRowsPerHit * search_.ef) return false;
  return scratch_.hits.size() >= search_.k;
}

// On from the lists that have been looked through in any case.
void ListSeeker::look_further() {
  const size_t done = own_.centroids.lists.size();
  const size_t most = takes_all_ ? parts_.order.lists() : std::min<size_t>(search_.lists.most, parts_.order.lists());
  if (done >= most) return;
  own_.is_seen.assign(parts_.order.lists(), false);
  for (const NearList& near : own_.centroids.lists) own_.is_seen[near.list] = true;
  const float* const query = scratch_.scan_query.query.data();
  own_.further = parts_.centroids.nearest(query, parts_.order.lists(), own_.centroids);
  std::erase_if(own_.further, [&](const NearList& near) { return own_.is_seen[near.list]; });
  const uint32_t empty_max = takes_all_ ? 0 : search_.lists.empty_max;
  const size_t end = most - done;
  for (size_t begin = 0, step = 0; begin < end; begin += step) {
    step = std::min(end - begin, empty_max > 0 ? empty_max : std::max(begin + done, size_t{1}));
    const size_t hits = scratch_.hits.size();
    look_through(own_.further, begin, begin + step);
    if (has_enough() || (empty_max > 0 && scratch_.hits.size() == hits)) return;
  }
}

void ListSeeker::look_through(const std::vector<NearList>& lists, size_t begin, size_t end) {
  if (begin == end) return;
  own_.places.clear();
  own_.found.clear();
  if (!takes_all_) open_pool(lists[begin + (end - begin) / 2]);
  for (size_t i = begin; i < end && !is_set(search_.cancelled); ++i) {
    if (!takes_all_ && is_too_far(lists[i])) continue;
    const uint32_t list = lists[i].list;
    own_.rank_of_list[list] = as_estimate(lists[i].rank, parts_.centroids.square(list));
    rows_looked_at_ += parts_.order.size(list);
    scan(list, i + 1 < end ? lists[i + 1].list : list);
  }
  if (is_set(search_.cancelled)) return;
  if (!takes_all_) keep_pool();
  scratch_.effort.compare(own_.found.size(), dense_bytes(parts_.type, parts_.dim));
  if (parts_.residuals) rank_by_residuals();
  offer_found();
}

void ListSeeker::open_pool(const NearList& usual_list) {
  const size_t wanted = wanted_by_codes();
  const float error = usual_error(usual_list);
  if (parts_.codes_screen)
    scratch_.pool.reset(search_.k, kScreenErrors * error, std::max(kPickedFactorMax * search_.k, kPickedMin));
  else if (parts_.final_ranks == FinalRanks::kCodes)
    scratch_.pool.reset(wanted, 0, wanted);
  else
    scratch_.pool.reset(search_.k, kRefinedErrors * error, wanted);
}

// How many of the rows that seem best by the codes that the index is named after are compared further, at most.
size_t ListSeeker::wanted_by_codes() const {
  if (parts_.final_ranks == FinalRanks::kCodes) return search_.k;
  const double wanted = std::ceil(static_cast<double>(search_.refine_k) * search_.k);
  return static_cast<size_t>(std::min<double>(wanted, std::max(parts_.rows(), search_.k)));
}

// The rank of a vector of this squared length as estimates want it: a distance or a negative product, while COSINE finds
// lists by distances.
float ListSeeker::as_estimate(float rank, float square) const {
  return parts_.metric == ELANUS_COSINE ? (rank - query_square_ - square) / 2 : rank;
}

// Of the estimates in a list.
float ListSeeker::usual_error(const NearList& list) const {
  const bool is_l2 = parts_.metric == ELANUS_L2;
  const float square = parts_.metric == ELANUS_IP ? query_square_ + parts_.centroids.square(list.list) + 2 * list.rank
                                                  : list.rank;
  return (is_l2 ? 2 : 1) * parts_.codes.error() * std::sqrt(std::max(square, 0.0f));
}

// Whether the list hardly has a row that could still count.
bool ListSeeker::is_too_far(const NearList& near) const {
  const ListSpreads& spreads = parts_.centroids.spreads();
  if (spreads.lengths.empty()) return false;
  const float best = parts_.centroids.rank_of_row(near.list, near.rank, query_length_, spreads.most);
  return as_estimate(best, 1) > scratch_.pool.bound();
}

void ListSeeker::scan(uint32_t list, uint32_t next) {
  alignas(64) float estimates[kBlockNeighbours];
  const ListOrder& order = parts_.order;
  const uint32_t next_first = order.first_block(next);
  const float rank = own_.rank_of_list[list];
  const uint32_t end = order.first_block(list + 1);
  uint32_t position = order.begin(list);
  for (uint32_t block = order.first_block(list); block < end; ++block, position += kBlockNeighbours) {
    const float bound = takes_all_ ? kInfinity : scratch_.pool.bound();
    // Those of this list, then those of the next: they begin anywhere, and cross pages that the machine does not.
    const uint32_t soon = block + kBlocksAhead;
    if (soon < end)
      parts_.codes.prefetch(soon);
    else if (next != list && next_first + (soon - end) < order.first_block(next + 1))
      parts_.codes.prefetch(next_first + (soon - end));
    uint32_t below = parts_.codes.estimate(parts_.simd.walk, scratch_.scan_query, block, rank, bound, estimates);
    for (; below != 0; below &= below - 1) {
      const auto i = static_cast<uint32_t>(std::countr_zero(below));
      // Damage may give a rank to an empty slot.
      if (position + i >= order.end(list)) break;
      if (!search_.allowed.are_all() && !search_.allowed.has(order.row(position + i))) continue;
      if (takes_all_)
        keep({estimates[i], position + i}, list);
      else
        scratch_.pool.offer(estimates[i], block * kBlockNeighbours + i);
    }
  }
}

// A row, by its position, to be compared further.
void ListSeeker::keep(const IndexHit& row, uint32_t list) {
  own_.found.push_back(row);
  if (parts_.residuals) own_.places.push_back({row.row, own_.rank_of_list[list]});
}

// What the pool has let in stands in slots.
void ListSeeker::keep_pool() {
  for (const IndexHit& hit : scratch_.pool.rows()) {
    const ListPlace place = parts_.order.place_of_slot(hit.row);
    keep({hit.rank, place.position}, place.list);
  }
}

void ListSeeker::rank_by_residuals() {
  std::vector<float>& ranks = scratch_.ranks;
  ranks.resize(own_.places.size());
  parts_.residuals->rank(*own_.scorer, own_.places.data(), own_.places.size(), ranks.data());
  for (size_t i = 0; i < ranks.size(); ++i) {
    // A rank that is no number would be without order.
    own_.found[i].rank = std::isnan(ranks[i]) ? kInfinity : ranks[i];
  }
  if (takes_all_ || parts_.final_ranks == FinalRanks::kCodes) return;
  const size_t wanted = wanted_by_codes();
  if (own_.found.size() <= wanted) return;
  const auto end = own_.found.begin() + static_cast<ptrdiff_t>(wanted);
  std::nth_element(own_.found.begin(), end, own_.found.end());
  own_.found.erase(end, own_.found.end());
}

void ListSeeker::offer_found() {
  switch (parts_.final_ranks) {
    case FinalRanks::kCodes:
      for (const IndexHit& hit : own_.found) offer(hit.rank, hit.row);
      return;
    case FinalRanks::kVectors:
      offer_by_vectors();
      return;
    case FinalRanks::kRefined:
      offer_by_refined();
  }
}

void ListSeeker::offer_by_vectors() {
  const DenseRows rows = parts_.vectors->view(parts_.rows());
  if (parts_.residuals && !takes_all_) return offer_doubtful(rows);
  scratch_.rows.clear();
  for (const IndexHit& hit : own_.found) {
    const uint32_t row = parts_.order.row(hit.row);
    if (row >= rows.rows) continue;
    // The first tile is not asked for by those before it.
    if (scratch_.rows.size() < kRowTile) prefetch(rows.at(row), rows.stride);
    scratch_.rows.push_back(row);
  }
  scratch_.ranks.resize(scratch_.rows.size() + kRowTile);
  scratch_.exact.rank(rows, scratch_.rows.data(), scratch_.rows.size(), scratch_.ranks.data());
  for (size_t i = 0; i < scratch_.rows.size(); ++i) scratch_.hits.offer({scratch_.ranks[i], scratch_.rows[i]});
}

// Residuals tell most rows apart, so that few vectors are compared.
void ListSeeker::offer_doubtful(const DenseRows& rows) {
  for (IndexHit& hit : own_.found) hit.row = parts_.order.row(hit.row);
  std::erase_if(own_.found, [&](const IndexHit& hit) { return hit.row >= rows.rows; });
  FoundRanker(rows, scratch_, own_.found, kResidualDeviations).rank_best(search_.k);
}

void ListSeeker::offer_by_refined() {
  const CodedRowsScorer scorer(*parts_.refined, scratch_.scan_query.query.data());
  scratch_.rows.clear();
  for (const IndexHit& hit : own_.found) {
    scratch_.rows.push_back(hit.row);
    scorer.prefetch(hit.row);
  }
  scratch_.ranks.resize(scratch_.rows.size());
  scorer.score(scratch_.rows.data(), scratch_.rows.size(), scratch_.ranks.data());
  for (size_t i = 0; i < scratch_.rows.size(); ++i) offer(scratch_.ranks[i], scratch_.rows[i]);
}

// A hit by the rank of its codes, which may be a little beyond what there is.
void ListSeeker::offer(float rank, uint32_t position) {
  const uint32_t row = parts_.order.row(position);
  if (row >= parts_.rows() || rank == kInfinity) return;
  if (parts_.metric == ELANUS_L2) rank = std::max(rank, 0.0f);
  if (parts_.metric == ELANUS_COSINE) rank = std::clamp(rank, -1.0f, 1.0f);
  scratch_.hits.offer({rank, row});
}

}  // namespace elanus
