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
  count_ = metric == ELANUS_HAMMING ? simd.bits.xor_count : simd.bits.and_count;
  query_bits_ = simd.bits.square_norm(query, bytes_);
  query_.assign((bytes_ + kQueryPadding - 1) / kQueryPadding * kQueryPadding, 0);
  std::memcpy(query_.data(), query, bytes_);
}

void BitRanks::rank(const uint8_t* rows, const uint32_t* bits_set, size_t count, float* ranks) const {
  const uint8_t* at[kRowsAtOnce];
  const uint8_t* soon[kRowsAtOnce];
  for (size_t first = 0; first < count; first += kRowsAtOnce) {
    const size_t here = std::min(count - first, kRowsAtOnce);
    const size_t padded = (here + kRowTile - 1) / kRowTile * kRowTile;
    const uint8_t* const begin = rows + first * bytes_;
    for (size_t i = 0; i < here; ++i) {
      at[i] = begin + i * bytes_;
      soon[i] = at[i] + kAheadBytes;
    }
    std::fill(at + here, at + padded, at[here - 1]);
    std::fill(soon + here, soon + padded, soon[here - 1]);
    float* const out = ranks + first;
    count_({.queries = query_.data(),
            .query_stride = query_.size(),
            .query_count = 1,
            .query_sums = nullptr,
            .rows = at,
            .soon = soon,
            .soon_bytes = bytes_,
            .row_count = padded,
            .dim = bytes_,
            .scores = out,
            .score_stride = kRowsAtOnce});
    for (size_t i = 0; i < here; ++i) {
      int32_t bits;
      std::memcpy(&bits, &out[i], sizeof bits);
      if (metric_ == ELANUS_HAMMING) {
        out[i] = static_cast<float>(bits);
        continue;
      }
      // As Scanner does it, in scan.cc.
      const double either = query_bits_ + static_cast<double>(bits_set[first + i]) - bits;
      out[i] = either == 0 ? 0.0f : static_cast<float>(1 - bits / either);
    }
  }
}

void count_bits(const ElanusSimd& simd, uint32_t dim, const uint8_t* rows, size_t count, uint32_t* bits_set) {
  const size_t bytes = dim / 8;
  for (size_t i = 0; i < count; ++i)
    bits_set[i] = static_cast<uint32_t>(simd.bits.square_norm(rows + i * bytes, bytes));
}

}  // namespace elanus
