#include "coded_rows.h"

#include <string>
#include <vector>

#include "parallel.h"

namespace elanus {
namespace {

constexpr size_t kRowsAtOnce = 256;
static_assert(kHugeSlack >= kCodeSlack && kSectionSlack >= kCodeSlack);

// A QuantizerSpec at rest.
struct StoredSpec {
  uint32_t kind;
  uint32_t dim;
  uint32_t metric;
  uint32_t subspaces;
  uint32_t bits;
  uint32_t stages;

  static StoredSpec of(const QuantizerSpec& spec) {
    return {static_cast<uint32_t>(spec.kind), spec.dim,  static_cast<uint32_t>(spec.metric),
            spec.subspaces,                   spec.bits, spec.stages};
  }
  // Whether there is such a quantizer.
  bool read(QuantizerSpec* spec) const {
    if (metric > ELANUS_COSINE) return false;
    *spec = {static_cast<QuantizerKind>(kind), dim, static_cast<ElanusMetric>(metric), subspaces, bits, stages};
    return is_valid_quantizer(*spec);
  }
};

std::string section_name(std::string_view name, std::string_view part) {
  return std::string(name) + " " + std::string(part);
}

}  // namespace

CodedRows CodedRows::encode(const QuantizerSpec& spec, const ElanusSimd& simd, const VectorSource& rows,
                            const Training& training) {
  CodedRows coded;
  coded.quantizer_ = Quantizer::make(spec, simd);
  Quantizer& quantizer = *coded.quantizer_;
  quantizer.train(rows, training);
  coded.code_bytes_ = quantizer.code_bytes();
  coded.codes_.resize(rows.rows() * coded.code_bytes_);
  parallel_for(training.threads, rows.rows(), kRowsAtOnce, training.cancelled, [&](size_t begin, size_t end) {
    std::vector<float> row(spec.dim);
    for (size_t i = begin; i < end; ++i) {
      rows.read(static_cast<uint32_t>(i), row.data());
      quantizer.encode(row.data(), coded.codes_.data() + i * coded.code_bytes_);
    }
  });
  return coded;
}

void CodedRows::write(std::string_view name, IndexFileWriter& writer) const {
  const std::vector<float>& learnt = quantizer_->learnt();
  const StoredSpec spec = StoredSpec::of(quantizer_->spec());
  writer.add(section_name(name, "quantizer"), &spec, 1);
  writer.add(section_name(name, "learnt"), learnt.data(), learnt.size());
  writer.add(section_name(name, "codes"), codes_.data(), codes_.size());
}

FileFault CodedRows::read(std::string_view name, const ElanusSimd& simd, const IndexFile& file, uint32_t rows,
                          CodedRows* coded) {
  const auto* const stored = file.array<StoredSpec>(section_name(name, "quantizer"), 1);
  QuantizerSpec spec;
  if (stored == nullptr || !stored->read(&spec)) return file.damaged("it has no quantizer that there is");
  coded->quantizer_ = Quantizer::make(spec, simd);
  coded->code_bytes_ = coded->quantizer_->code_bytes();
  const auto* const learnt = file.array<float>(section_name(name, "learnt"), coded->quantizer_->learnt_count());
  const size_t code_count = rows * coded->code_bytes_;
  const auto* const codes = file.array<uint8_t>(section_name(name, "codes"), code_count);
  if (learnt == nullptr || codes == nullptr) return file.damaged("its codes are not as many as they must be");
  coded->quantizer_->learn(learnt);
  coded->codes_ = HugeArray<uint8_t>::borrow(codes, code_count);
  return {};
}

}  // namespace elanus
