// The rows of an index as one code each.
#pragma once

#include <atomic>
#include <memory>
#include <string_view>

#include "huge_array.h"
#include "index_file.h"
#include "prefetch.h"
#include "quantizer.h"

namespace elanus {

class CodedRows {
 public:
  // Trains a quantizer with the rows and encodes them. Void when cancelled.
  // REQUIRES: is_valid_quantizer(spec). Throws std::bad_alloc.
  static CodedRows encode(const QuantizerSpec& spec, const ElanusSimd& simd, const VectorSource& rows,
                          const Training& training);

  // As sections whose names begin with `name`.
  void write(std::string_view name, IndexFileWriter& writer) const;
  // A view of the file, which it must not outlive. Reads what was learnt, not the codes: any bytes are codes.
  static FileFault read(std::string_view name, const ElanusSimd& simd, const IndexFile& file, uint32_t rows,
                        CodedRows* coded);

  const Quantizer& quantizer() const { return *quantizer_; }
  const uint8_t* code_of(uint32_t row) const { return codes_.data() + row * code_bytes_; }
  size_t memory_bytes() const { return codes_.bytes() + quantizer_->learnt().size() * sizeof(float); }

 private:
  std::unique_ptr<Quantizer> quantizer_;
  size_t code_bytes_ = 0;
  HugeArray<uint8_t> codes_;
};

// Compares one query with coded rows, as walks do.
class CodedRowsScorer {
 public:
  // `query` has as many floats as the quantizer has dimensions.
  CodedRowsScorer(const CodedRows& rows, const float* query) : rows_(rows), scorer_(rows.quantizer().scorer()) {
    scorer_->prepare(query);
  }

  // Differences of its ranks are those of ranks by vectors.
  float unit() const { return 1; }
  // Of a code, in cache lines.
  double lines() const { return static_cast<double>(bytes()) / 64; }
  size_t bytes() const { return rows_.quantizer().code_bytes(); }

  void prefetch(uint32_t row) const {
    const uint8_t* const code = rows_.code_of(row);
    const uint8_t* const end = code + rows_.quantizer().code_bytes();
    for (const uint8_t* at = code; at < end; at += 64) prefetch_line(at);
    prefetch_line(end - 1);
  }

  // ranks[i] of rows[i].
  void score(const uint32_t* rows, size_t count, float* ranks) const {
    constexpr size_t kAtOnce = 64;
    const uint8_t* codes[kAtOnce];
    for (size_t first = 0; first < count; first += kAtOnce) {
      const size_t here = count - first < kAtOnce ? count - first : kAtOnce;
      for (size_t i = 0; i < here; ++i) codes[i] = rows_.code_of(rows[first + i]);
      scorer_->score(codes, here, ranks + first);
    }
  }

 private:
  const CodedRows& rows_;
  const std::unique_ptr<Scorer> scorer_;
};

}  // namespace elanus
