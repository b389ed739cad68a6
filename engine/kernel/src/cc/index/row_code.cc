#include "row_code.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "ordered_dot.h"

namespace elanus {
namespace {

constexpr size_t kColumnPadding = 16;

size_t padded(size_t size, size_t to) { return (size + to - 1) / to * to; }

// A coded query's numbers, each 128 * high + low: low from -64 to 63, high from -127 to 127.
constexpr float kQueryMax = 127 * 128;

float largest(const float* vector, size_t size) {
  float found = 0;
  for (size_t i = 0; i < size; ++i) found = std::max(found, std::abs(vector[i]));
  return found;
}

// To the nearest, within +-`most`, which is below 2^14; what is not a number becomes the least. Unlike lrint it needs
// no call.
int round_within(float number, float most) {
  constexpr int kShift = 1 << 14;
  return static_cast<int>(std::min(std::max(-most, number), most) + (kShift + 0.5f)) - kShift;
}

// One that leaves no room for division by zero or by what is as good as zero.
float scale_of(float largest, float steps) {
  const float scale = largest / steps;
  return scale > 1e-37f && scale < 1e37f ? scale : 1;
}

}  // namespace

RowCode::RowCode(ElanusMetric metric, uint32_t dim, uint32_t directions)
    : metric_(metric), dim_(dim), directions_(directions), values_(dim + dim * column_count()) {}

RowCode::RowCode(ElanusMetric metric, uint32_t dim, const float* mean) : RowCode(metric, dim, 0u) {
  std::copy_n(mean, dim, values_.begin());
}

RowCode::RowCode(ElanusMetric metric, const float* mean, const PrincipalAxes& directions, uint32_t count)
    : RowCode(metric, static_cast<uint32_t>(directions.dim), count) {
  std::copy_n(mean, dim_, values_.begin());
  for (uint32_t d = 0; d < count; ++d) {
    for (uint32_t i = 0; i < dim_; ++i)
      values_[dim_ + i * column_count() + d] = directions.axis(d)[i];
  }
}

bool RowCode::restore(ElanusMetric metric, uint32_t dim, uint32_t count, const float* values, size_t value_count,
                      RowCode* code) {
  if (count > std::min(dim, kRowDirectionsMax)) return false;
  if (value_count != dim + dim * padded(count, kColumnPadding)) return false;
  if (!std::all_of(values, values + value_count, [](float value) { return std::isfinite(value); })) return false;
  *code = RowCode(metric, dim, count);
  std::copy_n(values, value_count, code->values_.begin());
  return true;
}

size_t RowCode::column_count() const { return padded(directions_, kColumnPadding); }

size_t RowCode::bytes() const { return padded(sizeof(RowCodeHead) + coordinates(), 64); }

float RowCode::square_along(const WalkLoops& loops, const float* centred) const {
  if (directions_ == 0) return square_length(centred, dim_);
  alignas(64) float along[kRowDirectionsMax + kColumnPadding];
  loops.project(centred, dim_, columns(), column_count(), along);
  return square_length(along, directions_);
}

void RowCode::encode(const WalkLoops& loops, const float* vector, uint8_t* code) const {
  thread_local AlignedVector<float> centred;
  thread_local AlignedVector<float> along;
  centred.resize(dim_);
  for (size_t i = 0; i < dim_; ++i) centred[i] = vector[i] - mean()[i];
  const float* numbers = centred.data();
  float left_out = 0;
  if (directions_ != 0) {
    along.resize(column_count());
    loops.project(numbers, dim_, columns(), column_count(), along.data());
    left_out = std::max(0.0f, square_length(numbers, dim_) - square_length(along.data(), directions_));
    numbers = along.data();
  }
  const float scale = scale_of(largest(numbers, coordinates()), 127);
  uint8_t* const bytes = code + sizeof(RowCodeHead);
  int32_t square = 0;
  for (size_t i = 0; i < coordinates(); ++i) {
    const int byte = round_within(numbers[i] / scale, 127);
    bytes[i] = static_cast<uint8_t>(byte + 128);
    square += byte * byte;
  }
  const RowCodeHead head{scale, metric_ == ELANUS_L2 ? static_cast<float>(square) * scale * scale + left_out : 0};
  std::memcpy(code, &head, sizeof head);
}

void RowCode::prepare(const WalkLoops& loops, const float* query, const float* centred, CodedQuery* coded) const {
  const size_t size = padded(coordinates(), kRowCodePadding);
  const float* numbers = metric_ == ELANUS_L2 ? centred : query;
  // L2: the squared length of the centred query, to which no code adds; else what the mean adds to every product.
  coded->constant = ordered_dot(numbers, metric_ == ELANUS_L2 ? numbers : mean(), dim_);
  alignas(64) float along[kRowDirectionsMax + kColumnPadding];
  if (directions_ != 0) {
    loops.project(numbers, dim_, columns(), column_count(), along);
    numbers = along;
  }
  const float scale = scale_of(largest(numbers, coordinates()), kQueryMax);
  const float inverse = 1 / scale;
  coded->high.assign(size, 0);
  coded->low.assign(size, 0);
  int32_t sum = 0;
  for (size_t i = 0; i < coordinates(); ++i) {
    const int number = round_within(numbers[i] * inverse, kQueryMax);
    const int high = (number + 64) >> 7;
    coded->high[i] = static_cast<int8_t>(high);
    coded->low[i] = static_cast<int8_t>(number - high * 128);
    sum += number;
  }
  coded->offset = int64_t{128} * sum;
  coded->scale = scale;
}

float RowCode::rank(const WalkLoops& loops, const CodedQuery& query, const uint8_t* code) const {
  RowCodeHead head;
  std::memcpy(&head, code, sizeof head);
  int32_t products[2];
  loops.multiply_code(code + sizeof head, query.high.data(), query.low.data(), query.high.size(), products);
  const int64_t product = (int64_t{products[0]} * 128 + products[1]) - query.offset;
  const float scaled = static_cast<float>(product) * (head.scale * query.scale);
  return metric_ == ELANUS_L2 ? (head.square + query.constant) - 2 * scaled : -(scaled + query.constant);
}

}  // namespace elanus
