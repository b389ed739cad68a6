#include "principal_axes.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr int kRounds = 8;
constexpr size_t kRowsPerRun = 24;

// A matrix whose rows stand padded_floats(width) apart.
struct Matrix {
  const float* values;
  size_t rows;
  size_t width;

  const float* row(size_t i) const { return values + i * padded_floats(width); }
};

// out[i][j] = left[i] * right[j], rows of `out` `out_stride` apart, which is at least right.rows rounded up to
// kRowTile.
void multiply_transposed(const ElanusSimd& simd, const Matrix& left, const Matrix& right, float* out,
                         size_t out_stride) {
  const size_t tiles = (right.rows + kRowTile - 1) / kRowTile * kRowTile;
  std::vector<const uint8_t*> rows(tiles);
  for (size_t j = 0; j < tiles; ++j)
    rows[j] = reinterpret_cast<const uint8_t*>(right.row(j < right.rows ? j : right.rows - 1));
  simd.float32.dot({.queries = reinterpret_cast<const uint8_t*>(left.values),
                    .query_stride = padded_floats(left.width) * sizeof(float),
                    .query_count = left.rows,
                    .query_sums = nullptr,
                    .rows = rows.data(),
                    .soon = rows.data(),
                    .soon_bytes = 0,
                    .row_count = tiles,
                    .dim = left.width,
                    .scores = out,
                    .score_stride = out_stride});
}

// All pairs, by several threads.
AlignedVector<float> product(const ElanusSimd& simd, const Matrix& left, const Matrix& right, uint32_t threads,
                             const std::atomic<bool>* cancelled) {
  const size_t stride = padded_floats(right.rows);
  AlignedVector<float> out(left.rows * stride);
  parallel_for(threads, left.rows, kRowsPerRun, cancelled, [&](size_t begin, size_t end) {
    multiply_transposed(simd, {left.row(begin), end - begin, left.width}, right, out.data() + begin * stride, stride);
    for (size_t i = begin; i < end; ++i) std::fill_n(out.data() + i * stride + right.rows, stride - right.rows, 0.0f);
  });
  return out;
}

double squared_length(const float* vector, size_t size) {
  double sum = 0;
  for (size_t i = 0; i < size; ++i) sum += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
  return sum;
}

// Takes so much of each of `others` off `row`, four at a time: the row itself is read and written less often.
// REQUIRES: `row` is none of them.
void subtract(const Matrix& others, const float* shares, float* __restrict row) {
  size_t j = 0;
  for (; j + 4 <= others.rows; j += 4) {
    const float* const a = others.row(j);
    const float* const b = others.row(j + 1);
    const float* const c = others.row(j + 2);
    const float* const d = others.row(j + 3);
    for (size_t i = 0; i < others.width; ++i)
      row[i] -= shares[j] * a[i] + shares[j + 1] * b[i] + (shares[j + 2] * c[i] + shares[j + 3] * d[i]);
  }
  for (; j < others.rows; ++j) {
    for (size_t i = 0; i < others.width; ++i) row[i] -= shares[j] * others.row(j)[i];
  }
}

// Makes each row orthogonal to those before it and one long. What is left of a row of which most went is full of rounding:
// then it is done twice, which is enough. A row with nothing of its own becomes zero.
void orthonormalise(const ElanusSimd& simd, float* values, size_t rows, size_t width) {
  AlignedVector<float> shares(padded_floats(rows));
  for (size_t i = 0; i < rows; ++i) {
    float* const row = values + i * padded_floats(width);
    const Matrix others = {values, i, width};
    const double before = squared_length(row, width);
    double square = before;
    for (int pass = 0; pass < 2 && i > 0; ++pass) {
      const double had = square;
      multiply_transposed(simd, {row, 1, width}, others, shares.data(), shares.size());
      subtract(others, shares.data(), row);
      square = squared_length(row, width);
      if (square > had / 2) break;
    }
    const double scale = square > before * 1e-10 && square > 1e-30 ? 1 / std::sqrt(square) : 0;
    for (size_t d = 0; d < width; ++d) row[d] = static_cast<float>(static_cast<double>(row[d]) * scale);
  }
}

// Iteration puts the axes in about this order only.
void sort_by_square(PrincipalAxes* found) {
  std::vector<size_t> order(found->count());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return found->squares[a] > found->squares[b]; });
  const PrincipalAxes unsorted = *found;
  const size_t stride = padded_floats(found->dim);
  for (size_t i = 0; i < order.size(); ++i) {
    found->squares[i] = unsorted.squares[order[i]];
    std::copy_n(unsorted.axis(order[i]), stride, found->axes.data() + i * stride);
  }
}

}  // namespace

PrincipalAxes find_principal_axes(const ElanusSimd& simd, const float* columns, size_t dim, size_t samples,
                                  size_t count, uint64_t seed, uint32_t threads,
                                  const std::atomic<bool>* cancelled) {
  const Matrix transposed = {columns, dim, samples};
  const AlignedVector<float> covariance = product(simd, transposed, transposed, threads, cancelled);
  const Matrix square = {covariance.data(), dim, dim};
  const size_t stride = padded_floats(dim);
  PrincipalAxes found;
  found.dim = dim;
  found.axes.assign(count * stride, 0);
  SplitMix random(seed);
  for (size_t i = 0; i < count; ++i) {
    for (size_t d = 0; d < dim; ++d)
      found.axes[i * stride + d] = static_cast<float>(random.next() >> 40) / 0x1p24f - 0.5f;
  }
  for (int round = 0; round < kRounds && !is_set(cancelled); ++round) {
    found.axes = product(simd, {found.axes.data(), count, dim}, square, threads, cancelled);
    orthonormalise(simd, found.axes.data(), count, dim);
  }
  const auto per_sample = 1 / static_cast<double>(samples);
  for (size_t d = 0; d < dim; ++d) found.square += static_cast<double>(square.row(d)[d]) * per_sample;
  const AlignedVector<float> images =
      product(simd, {found.axes.data(), count, dim}, square, threads, cancelled);
  for (size_t i = 0; i < count; ++i) {
    double sum = 0;
    for (size_t d = 0; d < dim; ++d)
      sum += static_cast<double>(found.axes[i * stride + d]) * static_cast<double>(images[i * stride + d]);
    found.squares.push_back(std::max(0.0, sum * per_sample));
  }
  sort_by_square(&found);
  return found;
}

AlignedVector<float> to_columns(const float* vectors, size_t count, size_t dim) {
  const size_t stride = padded_floats(count);
  AlignedVector<float> columns(dim * stride);
  for (size_t i = 0; i < count; ++i) {
    for (size_t d = 0; d < dim; ++d) columns[d * stride + i] = vectors[i * dim + d];
  }
  return columns;
}

double PrincipalAxes::share(size_t axis_count) const {
  const double held = std::accumulate(squares.begin(), squares.begin() + static_cast<ptrdiff_t>(axis_count), 0.0);
  return square > 0 ? held / square : 0;
}

}  // namespace elanus
