// Quantizers: how far a decoded vector is from what was encoded, that scorers measure the distance to just that, and
// that neither threads nor strange vectors make a difference.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "../src/cc/half.h"
#include "../src/cc/index/narrow.h"
#include "../src/cc/index/quantizer.h"
#include "check.h"
#include "float_vectors.h"

namespace {

using namespace elanus;

using Random = std::mt19937;
constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

// Every strange vector there is, among others.
Vectors wild(size_t dim, uint32_t seed) {
  const float values[] = {0,     -0.0f, 1,      -1,    1e-40f, -1e-45f, 3e38f,  -3e38f,
                          1e20f, 1e-30f, 65504, 65520, 2e-8f,  INFINITY, -INFINITY, NAN};
  Random random(seed);
  Vectors vectors(64, dim);
  for (size_t i = 0; i < 64; ++i) {
    for (size_t d = 0; d < dim; ++d) {
      const size_t kinds = i < 16 ? 4 : i < 32 ? 13 : std::size(values);
      vectors.at(i)[d] = i == 0 ? 0 : i % 8 == 1 ? values[i / 8] : values[random() % kinds];
    }
  }
  return vectors;
}

std::string name_of(const QuantizerSpec& spec) {
  return "kind " + std::to_string(static_cast<uint32_t>(spec.kind)) + ", dim " + std::to_string(spec.dim) +
         ", metric " + std::to_string(spec.metric) + ", subspaces " + std::to_string(spec.subspaces) + ", bits " +
         std::to_string(spec.bits) + ", stages " + std::to_string(spec.stages);
}

std::vector<QuantizerSpec> all_specs() {
  std::vector<QuantizerSpec> specs;
  for (const ElanusMetric metric : {ELANUS_L2, ELANUS_IP}) {
    for (const QuantizerKind kind : {QuantizerKind::kSq4Uniform, QuantizerKind::kSq6, QuantizerKind::kSq8,
                                     QuantizerKind::kBFloat16, QuantizerKind::kFloat16, QuantizerKind::kFloat32}) {
      for (const uint32_t dim : {1u, 3u, 16u, 30u, 100u}) specs.push_back({kind, dim, metric, 0, 0, 0});
    }
    for (const uint32_t bits : {1u, 4u, 5u, 7u, 8u, 10u}) {
      specs.push_back({QuantizerKind::kProduct, 30, metric, 6, bits, 1});
      specs.push_back({QuantizerKind::kProductResidual, 30, metric, 3, bits, 3});
    }
    specs.push_back({QuantizerKind::kProduct, 12, metric, 12, 8, 1});
    specs.push_back({QuantizerKind::kProduct, 40, metric, 1, 6, 1});
    specs.push_back({QuantizerKind::kProductResidual, 40, metric, 1, 4, 16});
    specs.push_back({QuantizerKind::kProductResidual, 8, metric, 2, 8, 1});
  }
  return specs;
}

// Codes one behind the other, with no more room behind the last than scorers are promised.
struct Codes {
  std::vector<uint8_t> bytes;
  std::vector<const uint8_t*> pointers;

  Codes(const Quantizer& quantizer, const Vectors& vectors)
      : bytes(vectors.rows() * quantizer.code_bytes() + kCodeSlack) {
    for (size_t i = 0; i < vectors.rows(); ++i) {
      uint8_t* const code = bytes.data() + i * quantizer.code_bytes();
      quantizer.encode(vectors.at(i), code);
      pointers.push_back(code);
    }
  }
};

void halves_are_rounded_to_the_nearest() {
  for (uint32_t half = 0; half < 65'536; ++half) {
    const float from16 = float_from_float16(static_cast<uint16_t>(half));
    const float from_b = float_from_bfloat16(static_cast<uint16_t>(half));
    if (std::isfinite(from16)) CHECK(float16_from_float(from16) == half);
    if (std::isfinite(from_b)) CHECK(bfloat16_from_float(from_b) == half);
    CHECK(std::isnan(from16) == std::isnan(float_from_float16(float16_from_float(from16))));
    CHECK(std::isnan(from_b) == std::isnan(float_from_bfloat16(bfloat16_from_float(from_b))));
  }
  // Half way between two neighbours to the even one, and beside it to the nearer one.
  for (uint32_t half = 0; half < 0x7bff; ++half) {
    const float low = float_from_float16(static_cast<uint16_t>(half));
    const float high = float_from_float16(static_cast<uint16_t>(half + 1));
    const float middle = (low + high) / 2;
    CHECK(float16_from_float(middle) == half + half % 2);
    CHECK(float16_from_float(std::nextafter(middle, 0.0f)) == half);
    CHECK(float16_from_float(-std::nextafter(middle, INFINITY)) == (0x8000 | (half + 1)));
  }
  CHECK(bfloat16_from_float(1 + 1.0f / 256) == 0x3f80 && bfloat16_from_float(1 + 3.0f / 256) == 0x3f82);
  CHECK(bfloat16_from_float(std::numeric_limits<float>::max()) == 0x7f7f);
  CHECK(bfloat16_from_float(-INFINITY) == 0xff7f && float16_from_float(-1e9f) == 0xfbff);
}

// What a decoded dimension may be off by, for the kinds that code each dimension alone.
double allowed_error(const Quantizer& quantizer, size_t d, float value) {
  const double magnitude = std::abs(double{value});
  const std::vector<float>& learnt = quantizer.learnt();
  switch (quantizer.spec().kind) {
    case QuantizerKind::kFloat32:
      return 0;
    case QuantizerKind::kFloat16:
      return std::max(magnitude * 0x1p-11, 0x1p-25);
    case QuantizerKind::kBFloat16:
      return magnitude * 0x1p-8;
    default: {
      const double minimum = double{learnt[d]};
      const double step = double{learnt[quantizer.dim() + d]};
      return step / 2 + kEpsilon * (std::abs(minimum) + 256 * step);
    }
  }
}

void check_decoded(const Quantizer& quantizer, const Vectors& vectors) {
  const size_t dim = quantizer.dim();
  std::vector<float> decoded(dim);
  double error = 0;
  double square = 0;
  for (size_t i = 0; i < vectors.rows(); ++i) {
    // Exactly as long as a code is, so that the sanitizer sees what is read beyond it.
    std::vector<uint8_t> code(quantizer.code_bytes());
    quantizer.encode(vectors.at(i), code.data());
    quantizer.decode(code.data(), decoded.data());
    error += square_distance(decoded.data(), vectors.at(i), dim);
    square += dot(vectors.at(i), vectors.at(i), dim);
    if (quantizer.spec().bits != 0) continue;
    for (size_t d = 0; d < dim; ++d) {
      const double off = std::abs(double{decoded[d]} - double{vectors.at(i)[d]});
      CHECK(off <= allowed_error(quantizer, d, vectors.at(i)[d]));
    }
  }
  // Centroids promise nothing for one vector, but never make all worse than zero vectors would.
  CHECK(quantizer.spec().bits == 0 || error < square);
}

// The scorer's rank is off by no more than the rounding of as many additions as there are dimensions: a part of the
// squared lengths that were added up.
void check_scores(const QuantizerSpec& spec, const std::vector<float>& learnt, const Vectors& vectors,
                  const Vectors& queries) {
  const size_t dim = spec.dim;
  std::vector<float> decoded(dim);
  for (const ElanusSimd* const simd : instruction_sets()) {
    const std::unique_ptr<Quantizer> quantizer = Quantizer::make(spec, *simd);
    CHECK(quantizer->learnt_count() == learnt.size());
    quantizer->learn(learnt.data());
    const Codes codes(*quantizer, vectors);
    const std::unique_ptr<Scorer> scorer = quantizer->scorer();
    std::vector<float> ranks(vectors.rows());
    for (size_t q = 0; q < queries.rows(); ++q) {
      const float* const query = queries.at(q);
      scorer->prepare(query);
      scorer->score(codes.pointers.data(), ranks.size(), ranks.data());
      for (size_t i = 0; i < ranks.size(); ++i) {
        quantizer->decode(codes.pointers[i], decoded.data());
        const double lengths = dot(query, query, dim) + dot(decoded.data(), decoded.data(), dim);
        const double least = learnt.empty() || spec.bits != 0 ? 0 : dot(learnt.data(), learnt.data(), dim);
        const double expected = spec.metric == ELANUS_L2 ? square_distance(query, decoded.data(), dim)
                                                         : -dot(query, decoded.data(), dim);
        CHECK(std::abs(double{ranks[i]} - expected) <= 4 * kEpsilon * static_cast<double>(dim + 8) * (lengths + least));
      }
      // One by one and in any company a code has the same rank.
      for (const size_t i : {size_t{0}, size_t{5}, ranks.size() - 1}) {
        float alone;
        scorer->score(codes.pointers.data() + i, 1, &alone);
        CHECK(alone == ranks[i]);
      }
      scorer->score(codes.pointers.data(), 0, nullptr);
    }
  }
}

void codes_are_near_and_scored_as_what_they_decode_to() {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  for (const QuantizerSpec& spec : all_specs()) {
    checked_case = name_of(spec);
    CHECK(is_valid_quantizer(spec));
    const Vectors vectors = clustered(spec.bits == 0 ? 300 : 1500, spec.dim, 5);
    const std::unique_ptr<Quantizer> quantizer = Quantizer::make(spec, *simd);
    quantizer->train(vectors, {7, 1});
    check_decoded(*quantizer, vectors);
    const Vectors few = clustered(101, spec.dim, 5);
    check_scores(spec, quantizer->learnt(), few, clustered(3, spec.dim, 6));
  }
}

void more_bits_and_stages_are_nearer() {
  const Vectors vectors = clustered(3000, 24, 9);
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  const auto error_of = [&](QuantizerKind kind, uint32_t bits, uint32_t stages) {
    const std::unique_ptr<Quantizer> quantizer = Quantizer::make({kind, 24, ELANUS_L2, 6, bits, stages}, *simd);
    quantizer->train(vectors, {1, 2});
    const Codes codes(*quantizer, vectors);
    std::vector<float> decoded(24);
    double error = 0;
    for (size_t i = 0; i < vectors.rows(); ++i) {
      quantizer->decode(codes.pointers[i], decoded.data());
      error += square_distance(decoded.data(), vectors.at(i), 24);
    }
    return error;
  };
  double before = INFINITY;
  for (const uint32_t bits : {1u, 2u, 4u, 6u, 8u}) {
    const double error = error_of(QuantizerKind::kProduct, bits, 1);
    CHECK(error < 0.8 * before);
    before = error;
  }
  before = INFINITY;
  for (const uint32_t stages : {1u, 2u, 3u, 4u}) {
    const double error = error_of(QuantizerKind::kProductResidual, 4, stages);
    CHECK(error < 0.8 * before);
    before = error;
  }
}

void training_does_not_depend_on_threads() {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  for (const QuantizerSpec& spec : all_specs()) {
    checked_case = name_of(spec);
    if (spec.metric != ELANUS_L2 || (spec.bits > 7 && spec.dim > 12)) continue;
    const Vectors vectors = clustered(2500, spec.dim, 11);
    std::vector<float> first;
    for (const uint32_t threads : {1u, 2u, 5u}) {
      const std::unique_ptr<Quantizer> quantizer = Quantizer::make(spec, *simd);
      quantizer->train(vectors, {99, threads});
      if (threads == 1) first = quantizer->learnt();
      CHECK(quantizer->learnt() == first);
    }
    if (spec.bits != 4 || spec.stages != 1) continue;
    const std::unique_ptr<Quantizer> other = Quantizer::make(spec, *simd);
    other->train(vectors, {100, 1});
    CHECK(other->learnt() != first);
  }
}

bool all_finite(const float* values, size_t count) {
  return std::all_of(values, values + count, [](float value) { return std::isfinite(value); });
}

void strange_vectors_do_no_harm() {
  for (const ElanusSimd* const simd : instruction_sets()) {
    for (const QuantizerSpec& spec : all_specs()) {
      checked_case = name_of(spec);
      const Vectors vectors = wild(spec.dim, 3);
      const std::unique_ptr<Quantizer> quantizer = Quantizer::make(spec, *simd);
      quantizer->train(vectors, {3, 2});
      const Codes codes(*quantizer, vectors);
      const std::unique_ptr<Scorer> scorer = quantizer->scorer();
      std::vector<float> ranks(vectors.rows());
      std::vector<float> decoded(spec.dim);
      for (size_t i = 0; i < vectors.rows(); ++i) {
        scorer->prepare(vectors.at(i));
        scorer->score(codes.pointers.data(), ranks.size(), ranks.data());
        quantizer->decode(codes.pointers[i], decoded.data());
        if (spec.bits == 0 && all_finite(vectors.at(i), spec.dim)) CHECK(all_finite(decoded.data(), spec.dim));
      }
    }
  }
}

// All alike, zeroes or denormals: then each code stands for just that vector.
void vectors_of_one_place_are_kept() {
  const ElanusSimd* const simd = elanus_simd_find(nullptr);
  for (const float value : {0.0f, -2.5f, 1e-42f, 1e30f}) {
    for (const QuantizerSpec& spec : all_specs()) {
      checked_case = name_of(spec) + ", value " + std::to_string(value);
      Vectors vectors(300, spec.dim);
      for (size_t i = 0; i < 300; ++i) std::fill_n(vectors.at(i), spec.dim, value);
      const std::unique_ptr<Quantizer> quantizer = Quantizer::make(spec, *simd);
      quantizer->train(vectors, {3, 1});
      std::vector<uint8_t> code(quantizer->code_bytes());
      std::vector<float> decoded(spec.dim);
      quantizer->encode(vectors.at(7), code.data());
      quantizer->decode(code.data(), decoded.data());
      const bool narrow = spec.kind == QuantizerKind::kFloat16 || spec.kind == QuantizerKind::kBFloat16;
      for (const float d : decoded) CHECK(narrow || d == value);
    }
  }
}

void cancelled_training_ends() {
  const std::atomic<bool> cancelled = true;
  for (const QuantizerSpec& spec : all_specs()) {
    const Vectors vectors = clustered(500, spec.dim, 1);
    Quantizer::make(spec, *elanus_simd_find(nullptr))->train(vectors, {1, 2, &cancelled});
  }
}

void impossible_quantizers_are_refused() {
  const QuantizerSpec sound = {QuantizerKind::kProductResidual, 32, ELANUS_L2, 8, 8, 2};
  const auto refused = [&](auto change) {
    QuantizerSpec spec = sound;
    change(spec);
    return !is_valid_quantizer(spec);
  };
  CHECK(is_valid_quantizer(sound));
  CHECK(refused([](QuantizerSpec& spec) { spec.subspaces = 5; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.subspaces = 0; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.bits = 13; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.bits = 0; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.stages = 17; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.dim = 0; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.metric = ELANUS_JACCARD; }));
  CHECK(refused([](QuantizerSpec& spec) { spec.kind = static_cast<QuantizerKind>(77); }));
  CHECK(refused([](QuantizerSpec& spec) { spec.kind = QuantizerKind::kProduct; }));
}

}  // namespace

int main() {
  std::printf("quantizers: ");
  std::fflush(stdout);
  halves_are_rounded_to_the_nearest();
  codes_are_near_and_scored_as_what_they_decode_to();
  more_bits_and_stages_are_nearer();
  training_does_not_depend_on_threads();
  strange_vectors_do_no_harm();
  vectors_of_one_place_are_kept();
  cancelled_training_ends();
  impossible_quantizers_are_refused();
  std::printf("ok: %zu quantizers, %zu instruction sets\n", all_specs().size(), instruction_sets().size());
}
