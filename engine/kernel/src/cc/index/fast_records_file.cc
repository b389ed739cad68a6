#include "fast_records_file.h"

#include <limits>

#include "walk_trial.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "fast graph";
constexpr char kRowCodeSection[] = "row code";
constexpr char kNeighbourCodeSection[] = "neighbour code";
constexpr char kEntriesSection[] = "entries";
constexpr char kRecordsSection[] = "records";
// Far more than any m asks for: what is larger is damage, and would make sizes overflow.
constexpr uint32_t kBlocksMax = 1 << 10;

bool is_sound(const FastRecordsHead& head) {
  const bool has_type = head.type == ELANUS_FLOAT32 || head.type == ELANUS_FLOAT16 || head.type == ELANUS_BFLOAT16 ||
                        head.type == ELANUS_INT8;
  return has_type && head.metric <= ELANUS_COSINE && head.dim >= 1 && head.dim <= ELANUS_INT8_DIM_MAX &&
         head.rows <= kIndexRowsMax && (head.rows == 0 || (head.entry_blocks >= 1 && head.blocks >= 1)) &&
         head.blocks <= kBlocksMax && head.walk_stretch() >= 1 && head.walk_stretch() <= kStretchMax;
}

}  // namespace

void write_fast_records(const FastRecords& records, float stretch, const DenseRows& rows, IndexFileWriter& writer) {
  const RowCode& row_code = records.row_code();
  const NeighbourCode& neighbour_code = records.neighbour_code();
  const FastRecordsHead head = {
      .type = static_cast<uint32_t>(rows.type),
      .metric = static_cast<uint32_t>(records.metric()),
      .dim = rows.dim,
      .rows = records.rows(),
      .entry_blocks = static_cast<uint32_t>(records.entry_blocks()),
      .blocks = records.layout().blocks,
      .row_directions = row_code.directions(),
      .neighbour_code = static_cast<uint32_t>(neighbour_code.kind()),
      .places = neighbour_code.places(),
      .row_code_values = static_cast<uint32_t>(row_code.values().size()),
      .neighbour_code_values = static_cast<uint32_t>(neighbour_code.values().size()),
      .stretch = stretch,
  };
  writer.add(kHeadSection, &head, 1);
  if (records.rows() == 0) return;
  writer.add(kRowCodeSection, row_code.values().data(), row_code.values().size());
  writer.add(kNeighbourCodeSection, neighbour_code.values().data(), neighbour_code.values().size());
  writer.add(kEntriesSection, records.entries().data(), records.entries().size());
  writer.add(kRecordsSection, records.bytes().data(), records.bytes().size());
}

FileFault read_fast_records(const IndexFile& file, FastRecordsHead* head, FastRecords* records) {
  const auto* const found = file.array<FastRecordsHead>(kHeadSection, 1);
  if (found == nullptr || !is_sound(*found)) return file.damaged("it does not say what it is an index of");
  *head = *found;
  const ElanusMetric metric = head->vector_metric();
  if (head->rows == 0) {
    *records = FastRecords(metric);
    return {};
  }
  const auto* const row_values = file.array<float>(kRowCodeSection, head->row_code_values);
  const auto* const neighbour_values = file.array<float>(kNeighbourCodeSection, head->neighbour_code_values);
  RowCode row_code;
  NeighbourCode neighbour_code;
  if (row_values == nullptr || neighbour_values == nullptr ||
      !RowCode::restore(metric, head->dim, head->row_directions, row_values, head->row_code_values, &row_code) ||
      !NeighbourCode::restore(static_cast<NeighbourCodeKind>(head->neighbour_code), head->dim, head->places,
                              neighbour_values, head->neighbour_code_values, &neighbour_code))
    return file.damaged("its codes cannot be read");
  const FastLayout layout = {row_code.bytes(), head->blocks, neighbour_code.places()};
  const size_t size = head->rows * layout.record_bytes();
  const auto* const bytes = file.array<uint8_t>(kRecordsSection, size);
  const size_t entries_size = head->entry_blocks * layout.block_bytes();
  const auto* const entries = file.array<uint8_t>(kEntriesSection, entries_size);
  if (bytes == nullptr || entries == nullptr) return file.damaged("its records are of another size");
  *records = FastRecords(metric, std::move(row_code), std::move(neighbour_code), head->blocks, head->rows,
                         HugeArray<uint8_t>::borrow(entries, entries_size), HugeArray<uint8_t>::borrow(bytes, size));
  return {};
}

}  // namespace elanus
