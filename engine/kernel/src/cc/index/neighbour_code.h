// How a node's neighbours are coded beside their links: each by the direction in which it lies, in digits of
// 4 bits. With a factor a code, the product of a code and a query estimates that of the neighbour and the query.
//
// There are three kinds. Signs are RaBitQ (Gao and Long, arXiv 2405.12497): the direction is turned at random, and each
// digit is the signs of four coordinates; good for any data. Levels use what the data is like: coordinates along the
// principal directions of the edges, a digit each. Where the vectors fill only a few dimensions of those that they
// are written in, a fifth of the bits estimates three times better.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "../simd/walk_loops.h"
#include "digit_products.h"
#include "principal_axes.h"

namespace elanus {

// Numbers at rest: never to be used for another kind.
enum class NeighbourCodeKind : uint32_t { kSigns = 1, kLevels = 2, kProducts = 3 };

// The levels of a coordinate that is normally distributed about 0 with variance 1 (Lloyd and Max).
extern const float kNormalLevels[16];

class NeighbourCode {
 public:
  NeighbourCode() = default;
  static NeighbourCode signs(uint32_t dim, uint64_t seed);
  // REQUIRES: 1 <= places <= number of directions.
  static NeighbourCode levels(const PrincipalAxes& directions, uint32_t places);
  // `centroids` as learn_digit_products gives them. REQUIRES: `places` divides `dim`.
  static NeighbourCode products(uint32_t dim, uint32_t places, const std::vector<float>& centroids);
  // One that was kept. False when the values do not make a code.
  static bool restore(NeighbourCodeKind kind, uint32_t dim, uint32_t places, const float* values, size_t value_count,
                      NeighbourCode* code);

  NeighbourCodeKind kind() const { return kind_; }
  uint32_t dim() const { return dim_; }
  // A multiple of kDigitPlaceGroup. A neighbour takes half a byte for each.
  uint32_t places() const { return places_; }
  // Coordinates of a turned vector, those of padding among them.
  size_t coordinates() const { return coordinates_; }
  // All that a code is made of beside its kind, dimension and places.
  const AlignedVector<float>& values() const { return values_; }
  size_t memory_bytes() const { return (values_.capacity() + squares_.capacity()) * sizeof(float); }

  // Turns a vector, of `dim` numbers, into `coordinates`. The turn is linear and lengthens nothing.
  void turn(const WalkLoops& loops, const float* vector, float* turned) const;
  // The digits of a turned vector of length 1, one a byte, and the coordinates that they stand for.
  void encode(const WalkLoops& loops, const float* turned, uint8_t* digits, float* coded) const;
  // Makes ready for a turned query, which is overwritten.
  void fill_tables(const WalkLoops& loops, float* turned, DigitTables* tables) const;

 private:
  NeighbourCode(NeighbourCodeKind kind, uint32_t dim, uint32_t places);
  // REQUIRES: kind() is kProducts.
  DigitProducts as_products() const;
  void square_products();
  void encode_products(const WalkLoops& loops, const float* turned, uint8_t* digits, float* coded) const;

  // Signs: how each coordinate is multiplied before each of kRounds transforms.
  // Products: how many places there are before padding, filled up to kDigitCentroids, then the centroids.
  // Levels: the unit of each place, then the directions, transposed: `coordinates` numbers for each dimension.
  NeighbourCodeKind kind_ = NeighbourCodeKind::kSigns;
  uint32_t dim_ = 0;
  uint32_t places_ = 0;
  size_t coordinates_ = 0;
  AlignedVector<float> values_;
  // Products: the squared lengths of the centroids.
  AlignedVector<float> squares_;
};

}  // namespace elanus
