// Short codes of an index' vectors, by which its graph is built and walked: 8 bits a dimension, in fewer dimensions
// where those hold nearly all that vectors differ in (as LeanVec does, arXiv 2312.16335).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../aligned.h"
#include "../simd/simd.h"
#include "dense_rows.h"
#include "huge_array.h"
#include "index_file.h"
#include "prefetch.h"
#include "row_reader.h"

namespace elanus {

// How records of codes lie in memory: each in as few cache lines as it can, or with as few bytes between them as can be.
enum class RecordGaps { kToLines, kNone };

// How vectors become coordinates: the mean is taken off, what is left is turned to its principal axes if that pays,
// and brought to about the same size whatever the vectors' own.
struct CodeModel {
  ElanusVectorType type{};
  ElanusMetric metric{};
  uint32_t dim = 0;       // of vectors
  uint32_t code_dim = 0;  // of codes
  float gain = 1;
  AlignedVector<float> mean;  // padded_floats(dim)
  AlignedVector<float> axes;  // code_dim of padded_floats(dim), or none: the dimensions themselves

  // Learns from a sample of `rows`, which may be none. The same for the same rows, seed and instruction set.
  static CodeModel learn(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, uint64_t seed,
                         uint32_t threads, const std::atomic<bool>* cancelled);
  // The same for codes that lie without gaps, whose records have no more than so many bytes where few axes keep the order
  // of neighbours: the fewest that do it well.
  static CodeModel learn_short(const ElanusSimd& simd, const DenseRows& rows, ElanusMetric metric, size_t record_bytes_max,
                               uint64_t seed, uint32_t threads, const std::atomic<bool>* cancelled);

  // Of a row's code.
  size_t record_bytes(RecordGaps gaps) const;

  // Sections "code model", "code mean" and, if there are any, "code axes". What is read is a copy.
  void write(IndexFileWriter& writer) const;
  static FileFault read(const IndexFile& file, CodeModel* model);
};

// A query, or a row in the role of one.
struct WalkQuery {
  AlignedVector<uint8_t> code;
  int32_t sum = 0;
  float factor = 0;
};

// One code a row. Codes compare by ranks that are about those of the vectors, up to a factor, and to a term that depends
// on the query only: fit to order rows, not to be shown.
class WalkCodes {
 public:
  WalkCodes(const ElanusSimd& simd, CodeModel model, RecordGaps gaps = RecordGaps::kToLines);

  const CodeModel& model() const { return model_; }
  uint32_t rows() const { return rows_; }
  size_t record_bytes() const { return record_bytes_; }
  size_t memory_bytes() const { return records_.bytes(); }

  // REQUIRES: there are no codes yet.
  void encode(const DenseRows& rows, uint32_t threads, const std::atomic<bool>* cancelled);

  // The model's sections and "codes".
  void write(IndexFileWriter& writer) const;
  // A view of the file, which must outlive it; the model was read before.
  FileFault read(const IndexFile& file, uint32_t rows);

  // Makes what was record from[i] record i. REQUIRES: the codes are not a view; `from` holds each row once.
  void put_in_order(const std::vector<uint32_t>& from);

  void prepare(const uint8_t* query, WalkQuery* out) const;
  void prepare_row(uint32_t row, WalkQuery* out) const;

  void prefetch(uint32_t row) const {
    const size_t bytes = record_bytes_;
    const uint8_t* const record = records_.data() + row * bytes;
    for (size_t at = 0; at < bytes; at += 64) prefetch_line(record + at);
  }
  // Of records without gaps, which begin anywhere.
  void prefetch_whole(uint32_t row) const {
    prefetch(row);
    prefetch_line(record_of(row) + record_bytes_ - 1);
  }
  // ranks[i] of rows[i]; both arrays have room for `count` rounded up to kRowTile.
  void score(const WalkQuery& query, const uint32_t* rows, size_t count, float* ranks) const;
  // The factor that makes differences of ranks about those of the vectors' own.
  float unit() const {
    const float unit = 1 / (model_.gain * model_.gain);
    return model_.metric == ELANUS_COSINE ? unit / 2 : unit;
  }
  // What a row adds to its rank in every comparison: two rows are as far apart as the rank of one, when the other is
  // the query, plus the other's addend.
  float addend(uint32_t row) const { return factors_of(row).addend; }

 private:
  // Behind each code.
  struct Factors {
    float addend;
    float scale;
  };

  const uint8_t* record_of(uint32_t row) const { return records_.data() + size_t{row} * record_bytes_; }
  Factors factors_of(uint32_t row) const {
    Factors factors;
    __builtin_memcpy(&factors, record_of(row) + model_.code_dim, sizeof factors);
    return factors;
  }
  void code_run(const DenseRows& rows, uint32_t begin, uint32_t end);
  void project(float* vectors, size_t count, float* coordinates) const;

  const ElanusSimd& simd_;
  CodeModel model_;
  RowReader reader_;
  size_t record_bytes_ = 0;
  uint32_t rows_ = 0;
  HugeArray<uint8_t> records_;
};

// What walks compare with.
struct CodeScorer {
  const WalkCodes& codes;
  const WalkQuery& query;

  double lines() const { return static_cast<double>((codes.record_bytes() + 63) / 64); }
  size_t bytes() const { return codes.record_bytes(); }
  float unit() const { return codes.unit(); }
  void prefetch(uint32_t row) const { codes.prefetch(row); }
  void score(const uint32_t* rows, size_t count, float* ranks) const { codes.score(query, rows, count, ranks); }
};

}  // namespace elanus
