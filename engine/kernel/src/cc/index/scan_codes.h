// Very short codes of all rows, in their order, by which a scan rules out most rows without looking at them: blocks of
// 32 rows, coded as if they were neighbours of the mean, all estimated at once by table look-up (RaBitQ's fast scan,
// arXiv 2405.12497).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "../simd/simd.h"
#include "dense_rows.h"
#include "huge_array.h"
#include "neighbour_code.h"
#include "vector_index.h"

namespace elanus {

// A query as a scan compares it, one thread's working memory.
struct ScanQuery {
  AlignedVector<float> query;  // as a RowReader gives it
  AlignedVector<float> centred;
  AlignedVector<float> turned;
  AlignedVector<uint8_t> table_bytes;
  DigitTables tables{};
  float rank_of_mean = 0;
  float error = 0;  // of estimates, as a rule
};

// Of many rows those that may be among the k best although their ranks are estimates, in no order.
class RowPool {
 public:
  // Keeps the rows that are no more than `beyond` worse than the k-th best, and no more than the `most` best.
  // REQUIRES: 1 <= k <= most.
  void reset(size_t k, float beyond, size_t most);
  // Keeps all rows that rank below `bound`.
  void reset(float bound);
  // Only what ranks below this may enter.
  float bound() const { return bound_; }
  void offer(float rank, uint32_t row) {
    entries_.push_back({rank, row});
    if (has_best() && (best_.size() < k_ || rank < best_.back())) note_best(rank);
    if (entries_.size() >= crowded_) shrink();
  }
  // In no order; the caller may change it.
  std::vector<IndexHit>& rows() {
    shrink();
    return entries_;
  }

 private:
  // Of so few the k best are always known; of more only after a look at all entries.
  static constexpr size_t kBestMax = 32;
  bool has_best() const { return k_ <= kBestMax; }
  void note_best(float rank);
  // Lets go of what has become too bad.
  void shrink();
  void drop_beyond(size_t first);

  std::vector<IndexHit> entries_;
  std::vector<float> best_;  // the ranks of the k best, best first
  size_t k_ = 1;
  size_t most_ = 1;
  size_t crowded_ = 0;
  float beyond_ = 0;
  float bound_ = 0;
};

class ScanCodes {
 public:
  // Of no rows.
  explicit ScanCodes(ElanusMetric metric = ELANUS_L2) : metric_(metric) {}

  // Learns from `rows`, which may be none, how such vectors are coded; codes none yet. The same for the same rows,
  // seed and instruction set. Void when cancelled.
  static ScanCodes learn(const ElanusSimd& simd, ElanusMetric metric, const DenseRows& rows, uint64_t seed,
                         uint32_t threads, const std::atomic<bool>* cancelled);

  // The same code, of no rows.
  ScanCodes of_no_rows() const;

  uint32_t rows() const { return rows_; }
  size_t dim() const { return code_.dim(); }
  size_t memory_bytes() const { return blocks_.bytes() + code_.memory_bytes(); }
  // How many bytes of 32 rows a scan reads.
  size_t block_bytes() const { return block_bytes_; }

  // REQUIRES: there are no codes yet.
  void encode(const ElanusSimd& simd, const DenseRows& rows, uint32_t threads, const std::atomic<bool>* cancelled);

  // Lets every estimate of a row come out larger by so much. REQUIRES: the codes were made here, not read.
  void add_to_ranks(const float* beside);

  // Sections "scan code", "scan values" and "scan blocks".
  void write(IndexFileWriter& writer) const;
  // A view of the file, which must outlive it.
  static FileFault read(const IndexFile& file, ElanusMetric metric, uint32_t dim, uint32_t rows, ScanCodes* codes);

  // Makes ready for `query->query`.
  void prepare(const WalkLoops& loops, ScanQuery* query) const;
  // Fills estimates[i] for each row, for a query that is ready. REQUIRES: room for whole blocks, on a 64-byte border.
  void estimate_all(const WalkLoops& loops, const ScanQuery& query, float* estimates) const;
  // Offers the allowed ones of the first `rows` rows to the pool of each query. Void when cancelled.
  struct Task {
    const ScanQuery& query;
    RowPool& pool;
  };
  void scan(const WalkLoops& loops, const Task* tasks, size_t task_count, const AllowedRows& allowed, uint32_t rows,
            const std::atomic<bool>* cancelled) const;

 private:
  void scan_block(const WalkLoops& loops, const Task& task, size_t block, uint32_t wanted) const;
  static size_t blocks_of(uint32_t rows) { return (size_t{rows} + kBlockNeighbours - 1) / kBlockNeighbours; }
  void set_code(NeighbourCode code);
  void code_run(const ElanusSimd& simd, const DenseRows& rows, size_t begin, size_t end);
  NeighbourBlock block_at(size_t block) const;

  ElanusMetric metric_ = ELANUS_L2;
  uint32_t rows_ = 0;
  size_t block_bytes_ = 0;
  float error_ = 0;  // of the product of a row and a query of length 1, both less the mean
  AlignedVector<float> mean_;
  NeighbourCode code_;
  // Each block: 32 added and 32 factors, float, then the digits, 16 bytes a place.
  HugeArray<uint8_t> blocks_;
};

}  // namespace elanus
