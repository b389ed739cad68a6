#include "hash_bands.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../min_hash.h"
#include "../xxhash64.h"
#include "huge_array.h"
#include "parallel.h"
#include "search_scratch.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "hash bands";
constexpr char kHashesSection[] = "band hashes";
constexpr char kRowsSection[] = "band rows";

// What the head section holds.
struct Head {
  uint32_t dim;
  uint32_t rows;
  uint32_t hash_bytes;
  uint32_t bands;
};

// For each band the rows in the order of a hash of their part of the vector, equal ones by number.
struct Bands {
  HugeArray<uint32_t> hashes;  // bands * rows
  HugeArray<uint32_t> rows;
};

uint32_t hash_of_band(const uint8_t* band, size_t bytes) { return static_cast<uint32_t>(XxHash64::of(band, bytes)); }

class HashBands : public VectorIndex {
 public:
  HashBands(const Head& head, StoredRows vectors, Bands bands, std::shared_ptr<const IndexFile> file)
      : head_(head),
        hashes_({head.hash_bytes, head.bands}, head.dim),
        shares_({head.hash_bytes, 0}, head.dim),
        vectors_(std::move(vectors)),
        bands_(std::move(bands)),
        file_(std::move(file)) {}

  uint32_t rows() const override { return head_.rows; }
  ElanusVectorType type() const override { return ELANUS_BINARY; }
  ElanusMetric metric() const override { return ELANUS_MHJACCARD; }
  uint32_t dim() const override { return head_.dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_HASH_BANDS; }
  size_t memory_bytes() const override {
    return vectors_.memory_bytes() + bands_.hashes.bytes() + bands_.rows.bytes();
  }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override;

  void write(IndexFileWriter& writer, VectorPlace place) const override {
    writer.add(kHeadSection, &head_, 1);
    writer.add(kHashesSection, bands_.hashes.data(), bands_.hashes.size());
    writer.add(kRowsSection, bands_.rows.data(), bands_.rows.size());
    vectors_.write(writer, place);
  }
  IndexKind kind() const override { return IndexKind::kHashBands; }
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override;

 private:
  const Head head_;
  const MinHashes hashes_;
  const MinHashes shares_;
  const StoredRows vectors_;
  const Bands bands_;
  const std::shared_ptr<const IndexFile> file_;
};

const std::vector<IndexHit>& HashBands::search(const IndexSearch& search, SearchScratch& scratch) const {
  HitCollector& hits = scratch.hits;
  hits.reset(search.k, search.range);
  scratch.visited.reset(head_.rows);
  uint64_t compared = 0;
  const DenseRows vectors = vectors_.view(head_.rows);
  const size_t bytes = hashes_.band_bytes();
  for (uint32_t band = 0; band < head_.bands && !is_set(search.cancelled); ++band) {
    const uint8_t* const wanted = search.query + band * bytes;
    const uint32_t hash = hash_of_band(wanted, bytes);
    const uint32_t* const begin = bands_.hashes.data() + size_t{band} * head_.rows;
    const uint32_t* const end = begin + head_.rows;
    const uint32_t* const rows = bands_.rows.data() + size_t{band} * head_.rows;
    // Of rows that score the same the first are wanted, in which order they stand.
    uint32_t found = 0;
    for (const uint32_t* at = std::lower_bound(begin, end, hash); at != end && *at == hash; ++at) {
      if (is_set(search.cancelled) || (!search.by_share && found == search.k)) break;
      const uint32_t row = rows[at - begin];
      if (row >= head_.rows || !search.allowed.has(row)) continue;
      const uint8_t* const vector = vectors.at(row);
      ++compared;
      if (std::memcmp(vector + band * bytes, wanted, bytes) != 0) continue;
      const IndexHit hit = {search.by_share ? -shares_.share(search.query, vector) : -1.0f, row};
      found += search.range.has(hit);
      if (scratch.visited.insert(row)) hits.offer(hit);
    }
  }
  scratch.effort.walk(compared, 0);
  scratch.effort.compare(compared, search.by_share ? vectors.stride : bytes);
  return hits.sorted();
}

bool HashBands::links_are_sound(const std::atomic<bool>* cancelled) const {
  for (uint32_t band = 0; band < head_.bands; ++band) {
    if (is_set(cancelled)) return false;
    const size_t first = size_t{band} * head_.rows;
    const uint32_t* const hashes = bands_.hashes.data() + first;
    if (!std::is_sorted(hashes, hashes + head_.rows)) return false;
    for (size_t at = first; at < first + head_.rows; ++at) {
      if (bands_.rows[at] >= head_.rows) return false;
    }
  }
  return true;
}

}  // namespace

bool is_valid_hash_bands(const ElanusIndexBuild& build) {
  const ElanusMinHash options = {build.spec.hash_bytes, build.spec.bands};
  return build.type == ELANUS_BINARY && build.metric == ELANUS_MHJACCARD && build.dim % 8 == 0 &&
         build.dim <= ELANUS_DIM_MAX && options.bands >= 1 && is_valid_min_hash(options, build.dim);
}

std::unique_ptr<VectorIndex> build_hash_bands(StoredRows vectors, const ElanusIndexBuild& build,
                                              WorkControl* control) {
  const std::atomic<bool>* const cancelled = &control->cancelled;
  const Head head = {build.dim, vectors.rows(), build.spec.hash_bytes, build.spec.bands};
  const DenseRows view = vectors.view(head.rows);
  const size_t bytes = MinHashes({head.hash_bytes, head.bands}, head.dim).band_bytes();
  Bands bands;
  bands.hashes.resize(size_t{head.bands} * head.rows);
  bands.rows.resize(size_t{head.bands} * head.rows);
  std::atomic<uint32_t> bands_done = 0;
  parallel_for(build.threads, head.bands, 1, cancelled, [&](size_t band, size_t) {
    // The hash above, the row below.
    std::vector<uint64_t> pairs(head.rows);
    for (uint32_t row = 0; row < head.rows; ++row)
      pairs[row] = uint64_t{hash_of_band(view.at(row) + band * bytes, bytes)} << 32 | row;
    std::sort(pairs.begin(), pairs.end());
    for (uint32_t i = 0; i < head.rows; ++i) {
      bands.hashes[band * head.rows + i] = static_cast<uint32_t>(pairs[i] >> 32);
      bands.rows[band * head.rows + i] = static_cast<uint32_t>(pairs[i]);
    }
    // Another thread's larger number may be overwritten for a moment: it tells, it decides nothing.
    control->done.store(static_cast<float>(++bands_done) / static_cast<float>(head.bands), std::memory_order_relaxed);
  });
  if (is_set(cancelled)) return nullptr;
  control->done.store(1, std::memory_order_relaxed);
  return std::make_unique<HashBands>(head, std::move(vectors), std::move(bands), nullptr);
}

FileFault open_hash_bands(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                          std::unique_ptr<VectorIndex>* index) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || head->dim == 0 || head->dim % 8 != 0 || head->dim > ELANUS_DIM_MAX ||
      head->rows > ELANUS_INDEX_ROWS_MAX || head->bands == 0 ||
      !is_valid_min_hash({head->hash_bytes, head->bands}, head->dim))
    return file->damaged("it does not say what it is an index of");
  const size_t count = size_t{head->bands} * head->rows;
  const auto* const hashes = file->array<uint32_t>(kHashesSection, count);
  const auto* const rows = file->array<uint32_t>(kRowsSection, count);
  if (hashes == nullptr || rows == nullptr) return file->damaged("it has not the rows and bands that it must");
  StoredRows stored(simd, ELANUS_BINARY, ELANUS_MHJACCARD, head->dim);
  const FileFault fault = stored.read(*file, head->rows, vectors);
  if (fault.failed()) return fault;
  Bands bands;
  bands.hashes = HugeArray<uint32_t>::borrow(hashes, count);
  bands.rows = HugeArray<uint32_t>::borrow(rows, count);
  *index = std::make_unique<HashBands>(*head, std::move(stored), std::move(bands), std::move(file));
  return {};
}

}  // namespace elanus
