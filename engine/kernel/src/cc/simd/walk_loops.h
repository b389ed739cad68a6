// What a walk over a FastGraph asks of an instruction set. Every loop gives the same bits on every machine: sums are
// of integers, or of floats in one order without fused operations. So a walk takes the same way everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace elanus {

// Neighbours that are coded, and estimated, together.
inline constexpr size_t kBlockNeighbours = 32;
// Codes of neighbours are digits of 4 bits; their places come in groups that fill a cache line.
inline constexpr size_t kDigitPlaceGroup = 4;
// Codes of rows are padded with anything to a multiple of so many bytes, queries for them with zeroes.
inline constexpr size_t kRowCodePadding = 64;

// One block of a record, all of it on 64-byte borders. The digits at one place are 16 bytes: those of neighbour i in
// the low half of byte i, those of neighbour i + 16 in its high half.
struct NeighbourBlock {
  const float* added;
  const float* factors;
  const uint8_t* digits;
};

// What each digit at each place contributes to the product of a code and a query: 16 bytes a place, on a 64-byte
// border. Bytes that sum up to s stand for base + step * s.
struct DigitTables {
  uint8_t* bytes;
  uint32_t places;  // a multiple of kDigitPlaceGroup; the bytes of those beyond the code's own are zero
  bool are_small;   // no byte is above kSmallByteMax: some of them add up to one, and estimates take less time
  float base;
  float step;
};
inline constexpr size_t kSmallBytesPerSum = 4;
inline constexpr uint8_t kSmallByteMax = 255 / kSmallBytesPerSum;

// Of each part of a vector, all of one size, the digit says which of so many centroids stands for it.
inline constexpr size_t kDigitCentroids = 16;
struct DigitProducts {
  const float* centroids;  // for each dimension what the centroids of its part have there, on a 64-byte border
  const float* squares;    // for each place the squared lengths of its centroids, on a 64-byte border
  size_t dim;
  size_t places;  // divides dim

  size_t part() const { return dim / places; }
};

struct WalkLoops {
  // Fills estimates[i] with (distance + added[i]) + factors[i] * (base + step * s[i]) for the neighbours of a block,
  // on a 64-byte border. Returns which of them are below `bound`, the first one's in the lowest bit.
  uint32_t (*estimate)(const NeighbourBlock& block, const DigitTables& tables, float distance, float bound,
                       float* estimates);

  // Products of a row's code, which is 128 more than the numbers it stands for, and the two halves of a query.
  // REQUIRES: size is a multiple of kRowCodePadding, at most 2^15.
  void (*multiply_code)(const uint8_t* code, const int8_t* high, const int8_t* low, size_t size, int32_t* products);

  // Fills the tables of a code whose digits are each the signs of four numbers, lowest bit first, 1 for positive, with
  // small bytes. `query` holds 4 * places numbers.
  void (*fill_sign_tables)(const float* query, DigitTables* tables);
  // Fills the tables of a code whose digits each choose one of 16 levels, ascending and symmetrical about 0, for
  // their place. `query` holds `places` numbers, already multiplied with the place's unit.
  void (*fill_level_tables)(const float* query, const float* levels, DigitTables* tables);
  // Fills the tables of a code by products for a query of `dim` numbers; those beyond its last place with zeroes. Bytes
  // are small unless each part is one number: of more the digits err far more than they do.
  void (*fill_product_tables)(const DigitProducts& products, const float* query, DigitTables* tables);
  // The digits whose centroids together have the largest cosine with the vector, nearly. Any numbers give digits.
  void (*choose_products)(const DigitProducts& products, const float* vector, uint8_t* digits);

  // The unscaled fast Walsh-Hadamard transform, in place. REQUIRES: size is a power of two, at least 16.
  void (*hadamard)(float* values, size_t size);

  // out[c] = sum of vector[r] * columns[r * count + c]. REQUIRES: count is a multiple of 16.
  void (*project)(const float* vector, size_t dim, const float* columns, size_t count, float* out);
};

}  // namespace elanus
