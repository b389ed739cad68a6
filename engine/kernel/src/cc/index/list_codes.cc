#include "list_codes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "neighbour_coder.h"
#include "parallel.h"
#include "row_reader.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "list code";
constexpr char kValuesSection[] = "list values";
constexpr char kBlocksSection[] = "list blocks";
constexpr size_t kDigitsAt = 2 * kBlockNeighbours * sizeof(float);
constexpr size_t kListsAtOnce = 4;

// What the head section holds.
struct Head {
  uint32_t kind;  // NeighbourCodeKind
  uint32_t places;
  uint32_t values;  // of the code, which stand behind those of the mean
  float error;
};

// To so many evenly spaced numbers from the least to the largest, as RaBitQ has it.
void round_to_bits(uint32_t bits, AlignedVector<float>& numbers) {
  const auto [least, largest] = std::minmax_element(numbers.begin(), numbers.end());
  const float base = *least;
  const float step = (*largest - base) / static_cast<float>((1u << bits) - 1);
  if (!(step > 0)) return;
  for (float& number : numbers) number = base + step * std::round((number - base) / step);
}

}  // namespace

ListCodes::ListCodes(ElanusMetric metric, AlignedVector<float> mean, NeighbourCode code)
    : metric_(metric), mean_(std::move(mean)) {
  set_code(std::move(code));
}

void ListCodes::set_code(NeighbourCode code) {
  code_ = std::move(code);
  block_bytes_ = kDigitsAt + size_t{16} * code_.places();
}

NeighbourBlock ListCodes::block_at(size_t block) const {
  const uint8_t* const bytes = blocks_.data() + block * block_bytes_;
  const auto* const floats = reinterpret_cast<const float*>(bytes);
  return {floats, floats + kBlockNeighbours, bytes + kDigitsAt};
}

void ListCodes::encode(const ElanusSimd& simd, const DenseRows& rows, const ListCentroids& centroids,
                       const ListOrder& order, uint32_t threads, const std::atomic<bool>* cancelled) {
  blocks_.resize(order.blocks() * block_bytes_);
  parallel_for(threads, order.lists(), kListsAtOnce, cancelled, [&](size_t begin, size_t end) {
    for (size_t list = begin; list < end; ++list)
      encode_list(simd, rows, centroids.at(static_cast<uint32_t>(list)), order, static_cast<uint32_t>(list));
  });
}

void ListCodes::encode_list(const ElanusSimd& simd, const DenseRows& rows, const float* centroid, const ListOrder& order,
                            uint32_t list) {
  const RowReader reader(simd, rows.type, metric_, rows.dim);
  NeighbourCoder coder(simd.walk, code_, metric_);
  AlignedVector<float> vector(rows.dim);
  for (uint32_t d = 0; d < rows.dim; ++d) vector[d] = centroid[d] - mean_[d];
  coder.begin(centroid, vector.data());
  uint32_t position = order.begin(list);
  for (uint32_t block = order.first_block(list); position < order.end(list); ++block) {
    uint8_t* const bytes = blocks_.data() + block * block_bytes_;
    auto* const added = reinterpret_cast<float*>(bytes);
    const NeighbourSlots slots = {added, added + kBlockNeighbours, bytes + kDigitsAt};
    for (size_t slot = 0; slot < kBlockNeighbours; ++slot) {
      NeighbourCoder::clear(slots, slot);
      if (position == order.end(list)) continue;
      reader.read(rows.at(order.row(position++)), vector.data());
      coder.code(vector.data(), slots, slot);
    }
  }
}

void ListCodes::write(IndexFileWriter& writer) const {
  const AlignedVector<float>& values = code_.values();
  const Head head = {static_cast<uint32_t>(code_.kind()), code_.places(), static_cast<uint32_t>(values.size()), error_};
  writer.add(kHeadSection, &head, 1);
  writer.begin(kValuesSection);
  writer.append(mean_.data(), mean_.size() * sizeof(float));
  writer.append(values.data(), values.size() * sizeof(float));
  writer.add(kBlocksSection, blocks_.data(), blocks_.size());
}

FileFault ListCodes::read(const IndexFile& file, ElanusMetric metric, uint32_t dim, const ListOrder& order,
                          ListCodes* codes) {
  const Head* const head = file.array<Head>(kHeadSection, 1);
  if (head == nullptr) return file.damaged("it has no codes of its lists");
  const auto* const values = file.array<float>(kValuesSection, size_t{dim} + head->values);
  NeighbourCode code;
  if (values == nullptr || !NeighbourCode::restore(static_cast<NeighbourCodeKind>(head->kind), dim, head->places,
                                                   values + dim, head->values, &code))
    return file.damaged("the codes of its lists cannot be read");
  *codes = ListCodes(metric, AlignedVector<float>(values, values + dim), std::move(code));
  codes->error_ = head->error;
  const size_t size = order.blocks() * codes->block_bytes_;
  const auto* const blocks = file.array<uint8_t>(kBlocksSection, size);
  if (blocks == nullptr) return file.damaged("the codes of its lists are not as many as its rows");
  codes->blocks_ = HugeArray<uint8_t>::borrow(blocks, size);
  return {};
}

void ListCodes::prepare(const WalkLoops& loops, ScanQuery* query, uint32_t query_bits) const {
  const size_t dim = code_.dim();
  query->centred.resize(dim);
  query->turned.resize(code_.coordinates());
  query->table_bytes.resize(size_t{16} * code_.places());
  for (size_t d = 0; d < dim; ++d) query->centred[d] = query->query[d] - mean_[d];
  code_.turn(loops, query->centred.data(), query->turned.data());
  if (query_bits > 0 && code_.kind() == NeighbourCodeKind::kSigns) round_to_bits(query_bits, query->turned);
  query->tables.bytes = query->table_bytes.data();
  code_.fill_tables(loops, query->turned.data(), &query->tables);
}

}  // namespace elanus
