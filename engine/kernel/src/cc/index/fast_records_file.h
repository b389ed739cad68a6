// The records of the fast layout at rest. Drawn in docs/formats/vector-index.md.
#pragma once

#include "fast_records.h"
#include "index_file.h"

namespace elanus {

// What the section "fast graph" holds.
struct FastRecordsHead {
  uint32_t type;    // ElanusVectorType
  uint32_t metric;  // ElanusMetric
  uint32_t dim;
  uint32_t rows;
  uint32_t entry_blocks;
  uint32_t blocks;
  uint32_t row_directions;
  uint32_t neighbour_code;  // NeighbourCodeKind
  uint32_t places;
  uint32_t row_code_values;
  uint32_t neighbour_code_values;
  float stretch;  // 0 in files of before: 1

  ElanusVectorType vector_type() const { return static_cast<ElanusVectorType>(type); }
  ElanusMetric vector_metric() const { return static_cast<ElanusMetric>(metric); }
  float walk_stretch() const { return stretch == 0 ? 1 : stretch; }
};
static_assert(sizeof(FastRecordsHead) == 48);

// Sections "fast graph", "row code", "neighbour code", "entries" and "records".
void write_fast_records(const FastRecords& records, float stretch, const DenseRows& rows, IndexFileWriter& writer);

// As a view of the file. Checks that its parts fit each other.
FileFault read_fast_records(const IndexFile& file, FastRecordsHead* head, FastRecords* records);

}  // namespace elanus
