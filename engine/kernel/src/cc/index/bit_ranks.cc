#include "bit_ranks.h"

#include <algorithm>
#include <cstring>

namespace elanus {
namespace {

constexpr size_t kRowsAtOnce = 12 * kRowTile;
// So far ahead of what is compared memory is asked for.
constexpr size_t kAheadBytes = 8192;

}  // namespace

void BitRanks::begin(const ElanusSimd& simd, ElanusMetric metric, uint32_t dim, const uint8_t* query) {
  metric_ = metric;
  bytes_ = dim / 8;
  loops_ = &simd.bits;
  query_bits_ = simd.bits.square_norm(query, bytes_);
  query_.assign((bytes_ + kQueryPadding - 1) / kQueryPadding * kQueryPadding, 0);
  std::memcpy(query_.data(), query, bytes_);
}

void BitRanks::rank(const uint8_t* rows, const uint32_t* bits_set, size_t count, float* ranks,
                    const uint8_t* then) const {
  const size_t ranked = metric_ == ELANUS_HAMMING ? count / kRowTile * kRowTile : 0;
  rank_tiles(rows, ranked, ranks, then);
  for (size_t first = ranked; first < count; first += kRowsAtOnce) {
    const size_t here = std::min(count - first, kRowsAtOnce);
    const uint8_t* const begin = rows + first * bytes_;
    const uint8_t* const soon = begin + kAheadBytes < rows + count * bytes_ ? begin + kAheadBytes : then;
    rank_few(begin, bits_set == nullptr ? nullptr : bits_set + first, here, ranks + first, soon);
  }
}

// By HAMMING. REQUIRES: count is a multiple of kRowTile.
void BitRanks::rank_tiles(const uint8_t* rows, size_t count, float* ranks, const uint8_t* then) const {
  const size_t ahead = std::min(kAheadBytes / bytes_ / kRowTile * kRowTile, count);
  const size_t inside = count - ahead;
  const size_t skipped = inside * bytes_;
  loops_->rank_run({query_.data(), rows, rows + ahead * bytes_, bytes_, inside}, ranks);
  loops_->rank_run({query_.data(), rows + skipped, then, bytes_, ahead}, ranks + inside);
}

// REQUIRES: count <= kRowsAtOnce.
void BitRanks::rank_few(const uint8_t* rows, const uint32_t* bits_set, size_t count, float* ranks,
                        const uint8_t* soon) const {
  const uint8_t* at[kRowsAtOnce];
  const uint8_t* asked[kRowsAtOnce];
  const size_t padded = (count + kRowTile - 1) / kRowTile * kRowTile;
  for (size_t i = 0; i < count; ++i) {
    at[i] = rows + i * bytes_;
    asked[i] = soon + i * bytes_;
  }
  std::fill(at + count, at + padded, at[count - 1]);
  std::fill(asked + count, asked + padded, asked[count - 1]);
  const ScoreTile score = metric_ == ELANUS_HAMMING ? loops_->xor_count : loops_->and_count;
  score({.queries = query_.data(),
         .query_stride = query_.size(),
         .query_count = 1,
         .query_sums = nullptr,
         .rows = at,
         .soon = asked,
         .soon_bytes = bytes_,
         .row_count = padded,
         .dim = bytes_,
         .scores = ranks,
         .score_stride = kRowsAtOnce});
  as_ranks(bits_set, count, ranks);
}

// Puts ranks in the place of numbers of bits.
void BitRanks::as_ranks(const uint32_t* bits_set, size_t count, float* counts) const {
  const auto bits_at = [counts](size_t i) {
    int32_t bits;
    std::memcpy(&bits, &counts[i], sizeof bits);
    return bits;
  };
  if (metric_ == ELANUS_HAMMING) {
    for (size_t i = 0; i < count; ++i) counts[i] = static_cast<float>(bits_at(i));
    return;
  }
  // As Scanner does it, in scan.cc.
  for (size_t i = 0; i < count; ++i) {
    const double either = query_bits_ + static_cast<double>(bits_set[i]) - bits_at(i);
    counts[i] = either == 0 ? 0.0f : static_cast<float>(1 - bits_at(i) / either);
  }
}

AlignedVector<uint32_t> arrange_bits(const uint8_t* rows, size_t row_bytes, size_t count) {
  const size_t words = words_of_row(row_bytes);
  AlignedVector<uint32_t> arranged(blocks_of(count) * words * kBlockRows, 0);
  for (size_t row = 0; row < count; ++row) {
    uint32_t* const block = arranged.data() + row / kBlockRows * words * kBlockRows;
    for (size_t w = 0; w < words; ++w)
      std::memcpy(block + w * kBlockRows + row % kBlockRows, rows + row * row_bytes + 4 * w, std::min<size_t>(4, row_bytes - 4 * w));
  }
  return arranged;
}

void count_bits(const ElanusSimd& simd, uint32_t dim, const uint8_t* rows, size_t count, uint32_t* bits_set) {
  const size_t bytes = dim / 8;
  for (size_t i = 0; i < count; ++i)
    bits_set[i] = static_cast<uint32_t>(simd.bits.square_norm(rows + i * bytes, bytes));
}

}  // namespace elanus
