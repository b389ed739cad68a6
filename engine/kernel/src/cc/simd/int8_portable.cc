// Int8 loops in the compiler's own vectors, for every machine.
#include "loops.h"
#include "tile.h"

namespace elanus {
namespace {

typedef int8_t Bytes __attribute__((vector_size(8)));
typedef int16_t Words __attribute__((vector_size(16)));
typedef int32_t Sums __attribute__((vector_size(32)));

ELANUS_INLINE Words load(const uint8_t* bytes) {
  Bytes v;
  memcpy(&v, bytes, sizeof v);
  return __builtin_convertvector(v, Words);
}

struct Dot {
  using Acc = Sums;
  using Query = Words;
  using Row = Words;
  using Out = int32_t;
  static constexpr size_t kElements = 8;
  static constexpr size_t kRowStep = 8;
  static constexpr size_t kQueryStep = 8;
  static constexpr size_t kRows = 4;
  static constexpr size_t kQueries = 2;
  static ELANUS_INLINE Sums zero() { return Sums{}; }
  static ELANUS_INLINE Words query(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE Words row(const uint8_t* bytes) { return load(bytes); }
  static ELANUS_INLINE Words row_tail(const uint8_t* bytes, size_t size) { return load(Tail<8>(bytes, size).bytes); }
  // A product is at most 2^14, so it fits 16 bits.
  static ELANUS_INLINE Sums accumulate(Sums acc, Words query, Words row) {
    return acc + __builtin_convertvector(query * row, Sums);
  }
  template <size_t R>
  static ELANUS_INLINE void reduce(const Sums* acc, int32_t* out) {
    for (size_t r = 0; r < R; ++r) {
      int32_t sum = 0;
      for (size_t i = 0; i < 8; ++i) sum += acc[r][i];
      out[r] = sum;
    }
  }
};

double square_norm(const uint8_t* row, size_t dim) {
  int32_t sum = 0;
  for (size_t i = 0; i < dim; ++i) {
    const int32_t element = static_cast<int8_t>(row[i]);
    sum += element * element;
  }
  return sum;
}

}  // namespace

const Int8Loops kInt8Portable = {score_tile<Dot>, square_norm};

}  // namespace elanus
