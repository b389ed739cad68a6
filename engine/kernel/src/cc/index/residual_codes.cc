#include "residual_codes.h"

#include <algorithm>

#include "ordered_dot.h"
#include "parallel.h"

namespace elanus {
namespace {

constexpr char kName[] = "residual";
constexpr char kAddedSection[] = "residual added";
constexpr size_t kRowsAtOnce = 64;
constexpr size_t kListsAtOnce = 4;

class Residuals : public VectorSource {
 public:
  Residuals(const OrderedRows& rows, const ListCentroids& centroids, const ListOrder& order, uint32_t dim)
      : rows_(rows), centroids_(centroids), list_of_position_(order.rows()), dim_(dim) {
    for (uint32_t list = 0; list < order.lists(); ++list)
      std::fill(list_of_position_.begin() + order.begin(list), list_of_position_.begin() + order.end(list), list);
  }
  uint32_t rows() const override { return rows_.rows(); }
  void read(uint32_t position, float* out) const override {
    rows_.read(position, out);
    const float* const centroid = centroids_.at(list_of_position_[position]);
    for (uint32_t d = 0; d < dim_; ++d) out[d] -= centroid[d];
  }

 private:
  const OrderedRows& rows_;
  const ListCentroids& centroids_;
  std::vector<uint32_t> list_of_position_;
  const uint32_t dim_;
};

}  // namespace

// With the code r of a row's residual, c its centroid, m the mean and q the query:
//   L2   |q - c - r|^2 = |q - c|^2 + (|r|^2 + 2 <r, c - m>) - 2 <r, q - m>
//   IP   -<q, c + r> = -<q, c> - <r, m> - <r, q - m>
// so that one scorer, made ready once, serves all lists.
ResidualCodes ResidualCodes::encode(const QuantizerSpec& spec, const ElanusSimd& simd, ElanusMetric metric,
                                    const DenseRows& rows, const ListCentroids& centroids, const ListOrder& order,
                                    const float* mean, const Training& training) {
  ResidualCodes coded;
  coded.metric_ = metric;
  const RowReader reader(simd, rows.type, metric, rows.dim);
  const OrderedRows ordered(reader, rows, order);
  coded.codes_ = CodedRows::encode(spec, simd, Residuals(ordered, centroids, order, rows.dim), training);
  coded.added_.resize(order.rows());
  parallel_for(training.threads, order.lists(), kListsAtOnce, training.cancelled, [&](size_t begin, size_t end) {
    std::vector<float> beside(rows.dim);
    std::vector<float> residual(rows.dim);
    for (auto list = static_cast<uint32_t>(begin); list < end; ++list) {
      const float* const centroid = centroids.at(list);
      for (uint32_t d = 0; d < rows.dim; ++d) beside[d] = metric == ELANUS_L2 ? centroid[d] - mean[d] : mean[d];
      for (uint32_t position = order.begin(list); position < order.end(list); ++position) {
        coded.quantizer().decode(coded.codes_.code_of(position), residual.data());
        const float product = ordered_dot(residual.data(), beside.data(), rows.dim);
        coded.added_[position] =
            metric == ELANUS_L2 ? square_length(residual.data(), rows.dim) + 2 * product : -product;
      }
    }
  });
  return coded;
}

void ResidualCodes::write(IndexFileWriter& writer) const {
  codes_.write(kName, writer);
  writer.add(kAddedSection, added_.data(), added_.size());
}

FileFault ResidualCodes::read(const ElanusSimd& simd, const IndexFile& file, ElanusMetric metric, uint32_t dim,
                              uint32_t rows, ResidualCodes* codes) {
  codes->metric_ = metric;
  const FileFault fault = CodedRows::read(kName, simd, file, rows, &codes->codes_);
  if (fault.failed()) return fault;
  const QuantizerSpec& spec = codes->quantizer().spec();
  if (spec.dim != dim || spec.metric != ELANUS_IP) return file.damaged("its codes are of other vectors");
  const auto* const added = file.array<float>(kAddedSection, rows);
  if (added == nullptr) return file.damaged("its codes are not as many as they must be");
  codes->added_ = HugeArray<float>::borrow(added, rows);
  return {};
}

void ResidualCodes::rank(Scorer& scorer, const ResidualPlace* places, size_t count, float* ranks) const {
  const uint8_t* codes[kRowsAtOnce];
  const float factor = metric_ == ELANUS_L2 ? 2 : 1;
  for (size_t first = 0; first < count; first += kRowsAtOnce) {
    const size_t here = std::min(count - first, kRowsAtOnce);
    for (size_t i = 0; i < here; ++i) {
      codes[i] = codes_.code_of(places[first + i].position);
      __builtin_prefetch(codes[i]);
    }
    scorer.score(codes, here, ranks + first);
    for (size_t i = first; i < first + here; ++i)
      ranks[i] = places[i].rank_of_centroid + added_[places[i].position] + factor * ranks[i];
  }
}

}  // namespace elanus
