// Makes the records of rows whose graph is known.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "code_choice.h"
#include "fast_records.h"
#include "neighbour_coder.h"
#include "parallel.h"
#include "random.h"

namespace elanus {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr size_t kRowsAtOnce = 256;
// A row that stands in a crowd of copies of itself is linked to so many of them: more would be a way to nowhere.
constexpr size_t kCopiesMax = 4;
constexpr uint32_t kRowsPerEntry = 16;
constexpr size_t kEntriesMax = 1 << 16;

// The shares of the work, by the time that they take.
constexpr float kChosen = 0.1f;
constexpr float kLinked = 0.7f;
constexpr float kFilled = 0.85f;

// Whole blocks, except where there are fewer rows.
size_t entries_wanted(uint32_t rows) {
  const size_t wanted = std::clamp<size_t>(rows / kRowsPerEntry, kBlockNeighbours, kEntriesMax);
  return std::min<size_t>(rows, wanted / kBlockNeighbours * kBlockNeighbours);
}

// So that the first of them are from all over.
std::vector<uint32_t> shuffled(std::vector<uint32_t> numbers, uint64_t seed) {
  SplitMix random(seed_of_part(seed, 3));
  for (size_t i = numbers.size(); i > 1; --i) std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

}  // namespace

// One thread's working memory.
class FastRecordsBuilder {
 public:
  FastRecordsBuilder(const ElanusSimd& simd, const DenseRows& rows, FastRecords* records)
      : loops_(simd.walk),
        rows_(rows),
        records_(*records),
        reader_(simd, rows.type, records->metric(), rows.dim),
        row_(rows.dim),
        centred_(rows.dim),
        neighbour_(rows.dim),
        turned_row_(code().coordinates()),
        coder_(loops_, code(), records->metric()),
        table_bytes_(size_t{16} * code().places()) {}

  // Writes those links of the row that are of use, and returns how many they are.
  size_t choose_links(uint32_t row, const uint32_t* from, size_t count, uint32_t* links) const {
    size_t chosen = 0;
    size_t copies = 0;
    for (size_t i = 0; i < count && from[i] != kNoRow && chosen < records_.layout().degree(); ++i) {
      if (is_copy(row, from[i]) && ++copies > kCopiesMax) continue;
      links[chosen++] = from[i];
    }
    return chosen;
  }

  // Codes the row, and its links in `links` from the place `begin` on; those before are coded already.
  void code_row(uint32_t row, const uint32_t* links, size_t begin) {
    uint8_t* const record = record_of(row);
    read(row);
    coder_.begin(row_.data(), centred_.data());
    if (begin == 0) records_.row_code().encode(loops_, row_.data(), record);
    for (size_t place = begin; place < records_.layout().degree(); ++place) {
      const uint8_t* const block = records_.block_of(record, place / kBlockNeighbours);
      code_link(const_cast<uint8_t*>(block), place % kBlockNeighbours, row, links[place]);
    }
  }

  // Codes rows as neighbours of the mean.
  void code_entries(const std::vector<uint32_t>& rows) {
    const size_t blocks = (rows.size() + kBlockNeighbours - 1) / kBlockNeighbours;
    records_.entries_.resize(blocks * records_.block_bytes_);
    std::fill(centred_.begin(), centred_.end(), 0.0f);
    coder_.begin(records_.row_code().mean(), centred_.data());
    for (size_t place = 0; place < blocks * kBlockNeighbours; ++place) {
      uint8_t* const block = records_.entries_.data() + place / kBlockNeighbours * records_.block_bytes_;
      code_link(block, place % kBlockNeighbours, rows[0], place < rows.size() ? rows[place] : kNoRow);
    }
  }

  // Fills the places from `used` on with the nearest, by estimate, of the links' links.
  void fill_links(uint32_t row, uint32_t* links, size_t used) {
    const size_t wanted = records_.layout().degree() - used;
    read(row);
    prepare();
    found_.clear();
    float bound = kInfinity;
    for (size_t i = 0; i < used; ++i) {
      const uint8_t* const record = records_.record_of(links[i]);
      const float rank = records_.row_code().rank(loops_, coded_row_, record);
      for (size_t b = 0; b < records_.layout().blocks; ++b)
        bound = offer_block(records_.block_of(record, b), rank, bound, wanted, row, links, used);
    }
    for (size_t i = 0; i < found_.size(); ++i) links[used + i] = found_[i].row;
  }

 private:
  struct Found {
    float rank;
    uint32_t row;
  };

  const NeighbourCode& code() const { return records_.neighbour_code(); }
  bool is_copy(uint32_t a, uint32_t b) const { return std::memcmp(rows_.at(a), rows_.at(b), rows_.stride) == 0; }
  uint8_t* record_of(uint32_t row) { return records_.bytes_.data() + row * records_.record_bytes_; }

  void read(uint32_t row) {
    reader_.read(rows_.at(row), row_.data());
    const float* const mean = records_.row_code().mean();
    for (uint32_t d = 0; d < rows_.dim; ++d) centred_[d] = row_[d] - mean[d];
  }

  void prepare() {
    records_.row_code().prepare(loops_, row_.data(), centred_.data(), &coded_row_);
    code().turn(loops_, centred_.data(), turned_row_.data());
    tables_.bytes = table_bytes_.data();
    code().fill_tables(loops_, turned_row_.data(), &tables_);
  }

  void code_link(uint8_t* block, size_t slot, uint32_t row, uint32_t link) {
    auto* const links = reinterpret_cast<uint32_t*>(block);
    auto* const added = reinterpret_cast<float*>(block) + kBlockNeighbours;
    const NeighbourSlots slots = {added, added + kBlockNeighbours, block + records_.digits_at_};
    links[slot] = row;
    NeighbourCoder::clear(slots, slot);
    if (link == kNoRow) return;
    reader_.read(rows_.at(link), neighbour_.data());
    if (coder_.code(neighbour_.data(), slots, slot)) links[slot] = link;
  }

  float offer_block(const uint8_t* block, float rank, float bound, size_t wanted, uint32_t row, const uint32_t* links,
                    size_t used) {
    alignas(64) float estimates[kBlockNeighbours];
    uint32_t below = loops_.estimate(records_.codes_of(block), tables_, rank, bound, estimates);
    for (; below != 0; below &= below - 1) {
      const auto i = static_cast<size_t>(__builtin_ctz(below));
      const uint32_t found = FastRecords::links_of(block)[i];
      if (!(estimates[i] < bound) || found == row || std::find(links, links + used, found) != links + used ||
          is_copy(row, found))
        continue;
      offer({estimates[i], found}, wanted);
      if (found_.size() == wanted) bound = found_.back().rank;
    }
    return bound;
  }

  void offer(const Found& offered, size_t wanted) {
    const auto same = std::find_if(found_.begin(), found_.end(), [&](const Found& f) { return f.row == offered.row; });
    if (same != found_.end()) {
      if (!(offered.rank < same->rank)) return;
      found_.erase(same);
    }
    const auto at = std::upper_bound(found_.begin(), found_.end(), offered.rank,
                                     [](float wanted_rank, const Found& f) { return wanted_rank < f.rank; });
    found_.insert(at, offered);
    if (found_.size() > wanted) found_.pop_back();
  }

  const WalkLoops& loops_;
  const DenseRows& rows_;
  FastRecords& records_;
  RowReader reader_;
  AlignedVector<float> row_;
  AlignedVector<float> centred_;
  AlignedVector<float> neighbour_;
  AlignedVector<float> turned_row_;
  NeighbourCoder coder_;
  AlignedVector<uint8_t> table_bytes_;
  CodedQuery coded_row_;
  DigitTables tables_{};
  std::vector<Found> found_;
};

FastRecords FastRecords::make(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, const Graph& graph,
                              uint64_t seed, uint32_t threads, WorkControl* control, float done_after) {
  const float done_before = control->done.load();
  const auto advance = [&](float share) { control->done.store(done_before + share * (done_after - done_before)); };

  if (rows.rows == 0) {
    advance(1);
    return FastRecords(metric);
  }
  const RowReader reader(simd, rows.type, metric, rows.dim);
  const AlignedVector<float> mean = mean_of(reader, rows, seed_of_part(seed, 0));
  FastCodes codes = choose_codes(simd, metric, rows, graph, mean.data(), seed_of_part(seed, 1),
                                 threads, &control->cancelled);
  const uint32_t blocks = fast_blocks(graph.degree);
  FastRecords records(metric, std::move(codes.row_code), std::move(codes.neighbour_code), blocks, rows.rows,
                      {}, {});
  records.bytes_.resize(rows.rows * records.record_bytes_);
  FastRecordsBuilder(simd, rows, &records)
      .code_entries(shuffled(sample_numbers(rows.rows, entries_wanted(rows.rows), seed_of_part(seed, 2)), seed));
  advance(kChosen);

  const size_t degree = records.layout().degree();
  HugeArray<uint32_t> links;
  links.resize(rows.rows * degree);
  std::vector<uint32_t> used(rows.rows);
  const auto for_rows = [&](const auto& each) {
    parallel_for(threads, rows.rows, kRowsAtOnce, &control->cancelled, [&](size_t begin, size_t end) {
      FastRecordsBuilder builder(simd, rows, &records);
      for (size_t row = begin; row < end; ++row) each(builder, static_cast<uint32_t>(row), &links[row * degree]);
    });
  };
  for_rows([&](FastRecordsBuilder& builder, uint32_t row, uint32_t* row_links) {
    used[row] = static_cast<uint32_t>(builder.choose_links(row, graph.links_of(row), graph.degree, row_links));
    std::fill(row_links + used[row], row_links + degree, kNoRow);
    builder.code_row(row, row_links, 0);
  });
  advance(kLinked);
  for_rows([&](FastRecordsBuilder& builder, uint32_t row, uint32_t* row_links) {
    if (used[row] < degree) builder.fill_links(row, row_links, used[row]);
  });
  advance(kFilled);
  for_rows([&](FastRecordsBuilder& builder, uint32_t row, uint32_t* row_links) {
    if (used[row] < degree) builder.code_row(row, row_links, used[row]);
  });
  advance(1);
  return records;
}

}  // namespace elanus
