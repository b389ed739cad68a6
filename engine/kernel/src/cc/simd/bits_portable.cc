// Bit-counting loops for every machine.
#include "bits.h"
#include "loops.h"

namespace elanus {
namespace {

ELANUS_INLINE uint64_t load(const uint8_t* bytes) {
  uint64_t v;
  memcpy(&v, bytes, sizeof v);
  return v;
}

struct AndCount {
  using Acc = uint64_t;
  using Query = uint64_t;
  using Row = uint64_t;
  using Out = int32_t;
  static constexpr size_t kElements = 8;
  static constexpr size_t kRowStep = 8;
  static constexpr size_t kQueryStep = 8;
  static constexpr size_t kRows = 4;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE uint64_t zero() { return 0; }
  static ELANUS_INLINE uint64_t query(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE uint64_t row(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE uint64_t row_tail(const uint8_t* bytes, size_t size) {
    return load(Tail<8>(bytes, size).bytes);
  }
  static ELANUS_INLINE uint64_t accumulate(uint64_t acc, uint64_t query, uint64_t row) {
    return acc + static_cast<uint64_t>(__builtin_popcountll(query & row));
  }
  template <size_t R>
  static ELANUS_INLINE void reduce(const uint64_t* acc, int32_t* out) {
    for (size_t r = 0; r < R; ++r) out[r] = static_cast<int32_t>(acc[r]);
  }
};

struct XorCount : AndCount {
  static ELANUS_INLINE uint64_t accumulate(uint64_t acc, uint64_t query, uint64_t row) {
    return acc + static_cast<uint64_t>(__builtin_popcountll(query ^ row));
  }
};

double square_norm(const uint8_t* row, size_t bytes) {
  uint64_t count = 0;
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8) count += static_cast<uint64_t>(__builtin_popcountll(load(row + at)));
  if (at < bytes) count += static_cast<uint64_t>(__builtin_popcountll(load(Tail<8>(row + at, bytes - at).bytes)));
  return static_cast<double>(count);
}

}  // namespace

const BitLoops kBitsPortable = {score_tile<AndCount>,     score_tile<XorCount>, square_norm, rank_run<XorCount>,
                                rank_stretches<XorCount>, rank_blocks,          find_at_most};

}  // namespace elanus
