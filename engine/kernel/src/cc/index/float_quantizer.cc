#include <algorithm>
#include <cstring>

#include "../aligned.h"
#include "../half.h"
#include "../simd/simd.h"
#include "narrow.h"
#include "quantizer_kinds.h"

namespace elanus {
namespace {

const FloatLoops& loops_of(const ElanusSimd& simd, QuantizerKind kind) {
  if (kind == QuantizerKind::kFloat16) return simd.float16;
  return kind == QuantizerKind::kBFloat16 ? simd.bfloat16 : simd.float32;
}

// Codes are vectors as exact searches compare them.
class FloatScorer : public Scorer {
 public:
  FloatScorer(ScoreTile score_tile, bool negate, size_t dim, size_t code_bytes)
      : score_tile_(score_tile),
        negate_(negate),
        dim_(dim),
        code_bytes_(code_bytes),
        query_((dim * sizeof(float) + kQueryPadding - 1) / kQueryPadding * kQueryPadding / sizeof(float)) {}

  void prepare(const float* query) override { std::copy_n(query, dim_, query_.begin()); }

  void score(const uint8_t* const* codes, size_t count, float* ranks) override {
    const size_t whole = count / kRowTile * kRowTile;
    if (whole > 0) score_rows(codes, whole, ranks);
    if (whole == count) return;
    const uint8_t* rest[kRowTile];
    float scores[kRowTile];
    for (size_t i = 0; i < kRowTile; ++i) rest[i] = codes[std::min(whole + i, count - 1)];
    score_rows(rest, kRowTile, scores);
    std::copy_n(scores, count - whole, ranks + whole);
  }

 private:
  void score_rows(const uint8_t* const* rows, size_t count, float* ranks) const {
    score_tile_({.queries = reinterpret_cast<const uint8_t*>(query_.data()),
                 .query_stride = query_.size() * sizeof(float),
                 .query_count = 1,
                 .query_sums = nullptr,
                 .rows = rows,
                 .soon = rows,
                 .soon_bytes = code_bytes_,
                 .row_count = count,
                 .dim = dim_,
                 .scores = ranks,
                 .score_stride = count});
    if (!negate_) return;
    for (size_t i = 0; i < count; ++i) ranks[i] = -ranks[i];
  }

  const ScoreTile score_tile_;
  const bool negate_;
  const size_t dim_;
  const size_t code_bytes_;
  AlignedVector<float> query_;
};

class FloatQuantizer : public Quantizer {
 public:
  using Quantizer::Quantizer;

  size_t code_bytes() const override { return dim() * element_bytes(); }
  void train(const VectorSource&, const Training&) override {}
  size_t learnt_count() const override { return 0; }

  void encode(const float* vector, uint8_t* code) const override {
    if (spec_.kind == QuantizerKind::kFloat32) {
      std::memcpy(code, vector, code_bytes());
      return;
    }
    const auto narrow = spec_.kind == QuantizerKind::kFloat16 ? float16_from_float : bfloat16_from_float;
    for (size_t d = 0; d < dim(); ++d) {
      const uint16_t half = narrow(vector[d]);
      std::memcpy(code + d * sizeof half, &half, sizeof half);
    }
  }

  void decode(const uint8_t* code, float* vector) const override { loops_of(simd_, spec_.kind).widen(code, dim(), vector); }

  std::unique_ptr<Scorer> scorer() const override {
    const FloatLoops& loops = loops_of(simd_, spec_.kind);
    const bool l2 = spec_.metric == ELANUS_L2;
    return std::make_unique<FloatScorer>(l2 ? loops.square_distance : loops.dot, !l2, dim(), code_bytes());
  }

 private:
  size_t element_bytes() const { return spec_.kind == QuantizerKind::kFloat32 ? sizeof(float) : sizeof(uint16_t); }
};

}  // namespace

std::unique_ptr<Quantizer> make_float_quantizer(const QuantizerSpec& spec, const ElanusSimd& simd) {
  return std::make_unique<FloatQuantizer>(spec, simd);
}

}  // namespace elanus
