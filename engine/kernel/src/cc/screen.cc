#include "screen.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace elanus {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Factors are floats, computed with a few roundings each.
constexpr double kFactorRounding = 1e-6;

}  // namespace

void Screen::begin(const ElanusSimd& simd, ElanusMetric metric, uint32_t dim, const uint8_t* queries, size_t stride,
                   uint32_t query_count) {
  simd_ = &simd;
  metric_ = metric;
  dim_ = dim;
  rounding_ = (dim + 16) * 0x1p-24;
  queries_.resize(query_count);
  code_stride_ = (dim + kQueryPadding - 1) / kQueryPadding * kQueryPadding;
  codes_.assign(code_stride_ * kParts * query_count, 0);
  code_sums_.resize(kParts * query_count);
  rest_.resize(dim);
  dots_.resize(kRowsMax * kParts * query_count);
  ready_ = true;
  for (uint32_t q = 0; q < query_count && ready_; ++q) ready_ = encode_query(queries + q * stride, q);
}

bool Screen::encode_query(const uint8_t* vector, uint32_t query) {
  Query& to = queries_[query];
  std::memcpy(rest_.data(), vector, dim_ * sizeof(float));
  double square = 0;
  for (const float x : rest_) square += static_cast<double>(x) * static_cast<double>(x);
  to.length = std::sqrt(square);
  for (size_t part = 0; part < kParts; ++part) {
    auto* const code = reinterpret_cast<int8_t*>(codes_.data() + (query * kParts + part) * code_stride_);
    const CodeFactors factors = simd_->encode(reinterpret_cast<const uint8_t*>(rest_.data()), dim_, code);
    if (std::isinf(factors.lost)) return false;
    code_sums_[query * kParts + part] = std::accumulate(code, code + dim_, 0);
    to.scale[part] = static_cast<double>(factors.scale);
    to.lost = static_cast<double>(factors.lost);
    for (uint32_t i = 0; i < dim_; ++i) rest_[i] -= factors.scale * static_cast<float>(code[i]);
  }
  // The subtraction above was rounded, too.
  to.lost += to.length * 0x1p-22;
  return true;
}

void Screen::score(const uint8_t* const* codes, const uint8_t* const* soon, size_t row_count) {
  simd_->int8.dot({.queries = codes_.data(),
                   .query_stride = code_stride_,
                   .query_count = kParts * queries_.size(),
                   .query_sums = code_sums_.data(),
                   .rows = codes,
                   .soon = soon,
                   .soon_bytes = dim_,
                   .row_count = row_count,
                   .dim = dim_,
                   .scores = dots_.data(),
                   .score_stride = kRowsMax});
}

template <class MayBeNear>
size_t Screen::keep_if(uint32_t query, const CodeFactors* const* factors, size_t count, uint32_t* kept,
                       const MayBeNear& may_be_near) const {
  const auto [coarse_scale, fine_scale] = queries_[query].scale;
  const int32_t* const coarse = dots_.data() + query * kParts * kRowsMax;
  const int32_t* const fine = coarse + kRowsMax;
  size_t kept_count = 0;
  for (size_t i = 0; i < count; ++i) {
    const double scale = static_cast<double>(factors[i]->scale);
    const double dot = scale * (coarse_scale * coarse[i] + fine_scale * fine[i]);
    kept[kept_count] = static_cast<uint32_t>(i);
    kept_count += may_be_near(dot, static_cast<double>(factors[i]->length), static_cast<double>(factors[i]->lost));
  }
  return kept_count;
}

// With row x = code c + what was lost e, and query q = codes + what was lost, |q - x| >= |q - c| - |e| and
// q.x <= q.c + |q||e|. Written so that NaN keeps a row.
size_t Screen::keep(uint32_t query, float threshold, const CodeFactors* const* factors, size_t count,
                    uint32_t* kept) const {
  const Query& q = queries_[query];
  const double worst = static_cast<double>(threshold);
  if (worst == kInfinity) return keep_if(query, factors, count, kept, [](double, double, double) { return true; });
  const double row_unknown = q.lost + q.length * (rounding_ + kFactorRounding);
  const double lost_unknown = q.length * (1 + rounding_) + std::numeric_limits<float>::min();
  switch (metric_) {
    case ELANUS_L2: {
      const double square = q.length * q.length;
      const double distance = std::sqrt(worst * (1 + 2 * rounding_));
      return keep_if(query, factors, count, kept, [&](double dot, double length, double lost) {
        const double squares = square + length * length;
        const double nearest = squares * (1 - kFactorRounding) - 2 * (dot + q.lost * length);
        return !(nearest > (distance + lost) * (distance + lost));
      });
    }
    case ELANUS_IP:
      return keep_if(query, factors, count, kept, [&](double dot, double length, double lost) {
        return !(dot + row_unknown * length + lost_unknown * lost < -worst);
      });
    default: {
      // COSINE: the row's own length is between length - lost and length + lost.
      const double sign = worst < 0 ? -1 : 1;
      const double cosine = -worst * (1 + sign * (rounding_ + kFactorRounding));
      return keep_if(query, factors, count, kept, [&](double dot, double length, double lost) {
        const double most = dot + row_unknown * length + lost_unknown * lost;
        return !(most < cosine * (length + sign * lost));
      });
    }
  }
}

}  // namespace elanus
