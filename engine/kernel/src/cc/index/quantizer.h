// Short codes for vectors, and the distances between a query and what codes stand for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "code_loops.h"
#include "elanus/index.h"
#include "elanus/kernel.h"

namespace elanus {

// Numbers at rest: never to be used for another kind.
enum class QuantizerKind : uint32_t {
  kSq4Uniform = 1,  // 4 bits a dimension, all dimensions between one minimum and one maximum
  kSq6 = 2,         // 6 and 8 bits, each dimension between its own
  kSq8 = 3,
  kBFloat16 = 4,
  kFloat16 = 5,
  kFloat32 = 6,
  kProduct = 7,          // sub-spaces, in each the number of the nearest centroid
  kProductResidual = 8,  // the same, and centroids for what remains, several times
};

// The kind of a scalar code; none of ELANUS_CODE_NONE.
QuantizerKind scalar_kind(ElanusScalarCode code);

struct QuantizerSpec {
  QuantizerKind kind{};
  uint32_t dim = 0;
  // Distances are squared for ELANUS_L2, else minus the product: COSINE is the product of vectors of length 1, which
  // the caller makes.
  ElanusMetric metric{};
  // kProduct and kProductResidual only.
  uint32_t subspaces = 0;  // divides dim
  uint32_t bits = 0;       // of the number of a centroid: 1 to kProductBitsMax
  uint32_t stages = 0;     // 1 for kProduct, else 1 to kStagesMax
};

inline constexpr uint32_t kProductBitsMax = 12;
inline constexpr uint32_t kStagesMax = 16;

// Whether there is such a quantizer.
bool is_valid_quantizer(const QuantizerSpec& spec);

// Rows as float32, wherever and in whatever type they lie. May be read by several threads at once.
class VectorSource {
 public:
  virtual ~VectorSource() = default;
  virtual uint32_t rows() const = 0;
  virtual void read(uint32_t row, float* out) const = 0;
};

// How a quantizer learns.
struct Training {
  uint64_t seed;
  uint32_t threads;
  const std::atomic<bool>* cancelled = nullptr;
};

// Measures from one query. Belongs to one thread and must not outlive its quantizer.
class Scorer {
 public:
  virtual ~Scorer() = default;

  // Copies what it needs of the query, `dim` floats; to be called before `score`, and again for each query.
  virtual void prepare(const float* query) = 0;

  // The ranks of so many codes: the smaller the nearer, as in top_k.h. A rank depends on the code, the query and the
  // instruction set, on nothing else. NaN only where query or code is not finite or a sum is beyond the floats.
  // REQUIRES: each code is readable kCodeSlack bytes past its end.
  virtual void score(const uint8_t* const* codes, size_t count, float* ranks) = 0;
};

class Quantizer {
 public:
  Quantizer(const QuantizerSpec& spec, const ElanusSimd& simd) : spec_(spec), simd_(simd) {}
  virtual ~Quantizer() = default;

  // REQUIRES: is_valid_quantizer(spec).
  static std::unique_ptr<Quantizer> make(const QuantizerSpec& spec, const ElanusSimd& simd);

  const QuantizerSpec& spec() const { return spec_; }
  size_t dim() const { return spec_.dim; }

  // Bytes of every code.
  virtual size_t code_bytes() const = 0;

  // Learns from some or all of the rows what `encode` must know. The same for the same rows, seed and instruction
  // set, whatever the number of threads. Void when cancelled. REQUIRES: there are rows.
  virtual void train(const VectorSource& rows, const Training& training) = 0;

  // May be called by several threads at once, as may all the others below. Any vector has a code, also one that is
  // not like those learnt from, or not finite.
  virtual void encode(const float* vector, uint8_t* code) const = 0;
  // What the code stands for. Reads no byte beyond the code.
  virtual void decode(const uint8_t* code, float* vector) const = 0;
  // Measures the distance from a query to what a code stands for, with the loops of the instruction set.
  virtual std::unique_ptr<Scorer> scorer() const = 0;

  // What was learnt, to be kept in a file; nothing for kinds that learn nothing.
  const std::vector<float>& learnt() const { return learnt_; }
  virtual size_t learnt_count() const = 0;
  // Takes what another of the same spec has learnt: `learnt_count` floats, any at all.
  void learn(const float* values) {
    learnt_.assign(values, values + learnt_count());
    on_learnt();
  }

 protected:
  virtual void on_learnt() {}

  const QuantizerSpec spec_;
  const ElanusSimd& simd_;
  std::vector<float> learnt_;
};

}  // namespace elanus
