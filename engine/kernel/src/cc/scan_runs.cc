// Rows that stand one behind the other, compared with one query: what is left to wait for is memory.
#include <algorithm>

#include "norms.h"
#include "scan.h"

namespace elanus {
namespace {

// So far ahead of what is compared memory is asked for.
constexpr size_t kBitsAhead = 8 * 1024;

}  // namespace

// Offers those of the rows to the one query whose ranks, the first `count` of `scores_`, are good enough.
template <class RowOf>
void Scanner::offer_best(uint32_t block, size_t count, const RowOf& row_of, const HitOrder& order) {
  TopK& top = top_[0];
  const size_t found = simd_->bits.find_at_most(scores_.data(), count, top.threshold(), kept_);
  for (size_t i = 0; i < found; ++i) {
    const float rank = scores_[kept_[i]];
    if (rank <= top.threshold() && rank >= range_.lowest) top.offer({rank, block, row_of(kept_[i])}, order);
  }
}

// All rows for one query, by HAMMING: nothing is done but to count bits and to compare the counts.
void Scanner::scan_bits(const RowRun& run, const HitOrder& order) {
  const uint8_t* const bytes = search_->blocks[run.block].bytes;
  const uint32_t end = run.end - (run.end - run.begin) % kRowTile;
  for (uint32_t first = run.begin; first < end; first += kPanelRows) {
    const size_t count = std::min<size_t>(end - first, kPanelRows);
    const uint8_t* const rows = bytes + first * row_bytes_;
    // What is asked for beyond the end harms nobody.
    simd_->bits.rank_run({queries_.data(), rows, rows + kBitsAhead, row_bytes_, count}, scores_.data());
    offer_best(run.block, count, [first](uint32_t i) { return first + i; }, order);
  }
  scan_rows({run.block, end, run.end}, order);
}

// Whether all rows are compared with one query, by factors that are known.
bool Scanner::can_scan_floats(const ElanusBlock& block) const {
  const bool has_factors = search_->metric != ELANUS_COSINE || block.inverse_norms != nullptr;
  return query_count_ == 1 && widen_ != nullptr && block.allowed == nullptr && has_factors;
}

// All rows for one query: those of eight stretches side by side.
void Scanner::scan_floats(const RowRun& run, const HitOrder& order) {
  constexpr uint32_t kStretches = kRowTile;
  constexpr uint32_t kRowsAtOnce = kPanelRows / kStretches;
  const ElanusBlock& block = search_->blocks[run.block];
  const uint32_t stretch = (run.end - run.begin) / kStretches;
  for (uint32_t first = run.begin; first < run.begin + stretch; first += kRowsAtOnce) {
    const uint32_t count = std::min(run.begin + stretch - first, kRowsAtOnce);
    score_run_({queries_.data(), block.bytes + first * row_bytes_, row_bytes_, stretch * row_bytes_, count, search_->dim},
               scores_.data());
    const auto row_of = [first, stretch](uint32_t i) { return first + i / kStretches + i % kStretches * stretch; };
    rank_run(block, first, stretch, count);
    offer_best(run.block, count * kStretches, row_of, order);
  }
  scan_rows({run.block, run.begin + stretch * kStretches, run.end}, order);
}

// Turns `scores_` of `count` rows of each stretch into ranks, as `rank` does. `first` is the first of these rows.
void Scanner::rank_run(const ElanusBlock& block, uint32_t first, uint32_t stretch, uint32_t count) {
  float* const scores = scores_.data();
  if (search_->metric == ELANUS_L2) return;
  if (search_->metric == ELANUS_IP) {
    for (size_t i = 0; i < kRowTile * count; ++i) scores[i] = -scores[i];
    return;
  }
  const float* const norms = block.inverse_norms + first;
  for (size_t i = 0; i < count; ++i) {
    float of_tile[kRowTile];
    for (size_t s = 0; s < kRowTile; ++s) of_tile[s] = norms[s * stretch + i];
    for (size_t s = 0; s < kRowTile; ++s) {
      float& score = scores[kRowTile * i + s];
      score = -clamp_cosine(score * of_tile[s]);
    }
  }
}

}  // namespace elanus
