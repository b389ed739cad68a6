#include "sparse_postings.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace elanus {
namespace {

constexpr uint64_t kPrefetchedBytesMax = 16 * 1024;
constexpr char kHeadSection[] = "sparse";
constexpr char kDimensionsSection[] = "dimensions";
constexpr char kFrequenciesSection[] = "frequencies";
constexpr char kMaximaSection[] = "maxima";
constexpr char kListStartsSection[] = "list starts";
constexpr char kListsSection[] = "lists";
constexpr char kListBytesSection[] = "list bytes";
constexpr char kBlockStartsSection[] = "block starts";
constexpr char kBlockBytesSection[] = "block bytes";
constexpr char kLengthsSection[] = "lengths";

// What the head section holds.
struct Head {
  uint32_t metric;
  uint32_t rows;
  uint32_t terms;
  uint32_t zero;
  uint64_t lists;
  uint64_t list_bytes;
  uint64_t block_bytes;
  double total_length;
  double k1;
  double b;
  double average_length;
};

template <class T>
bool borrow(const IndexFile& file, const char* section, size_t count, HugeArray<T>* array) {
  const T* const values = file.array<T>(section, count);
  if (values == nullptr) return false;
  *array = HugeArray<T>::borrow(values, count);
  return true;
}

}  // namespace

size_t SparsePostings::memory_bytes() const {
  return dimensions.bytes() + frequencies.bytes() + maxima.bytes() + list_starts.bytes() + lists.bytes() +
         list_bytes.bytes() + block_starts.bytes() + block_bytes.bytes() + lengths.bytes();
}

uint32_t SparsePostings::find(uint32_t dimension) const {
  const uint32_t* const begin = dimensions.data();
  const uint32_t* const end = begin + dimensions.size();
  const uint32_t* const at = std::lower_bound(begin, end, dimension);
  return at == end || *at != dimension ? terms() : static_cast<uint32_t>(at - begin);
}

void SparsePostings::prefetch_block(uint32_t block) const {
  if (block >= blocks()) return;
  const uint64_t begin = block_starts[block];
  if (begin > block_bytes.size()) return;
  const uint64_t size = std::min<uint64_t>(block_starts[block + 1] - begin, kPrefetchedBytesMax);
  for (uint64_t at = 0; at < size; at += 64) __builtin_prefetch(block_bytes.data() + begin + at);
  if (metric == ELANUS_BM25) __builtin_prefetch(lengths.data() + size_t{block} * kSparseBlockRows);
}

bool SparsePostings::read_block(uint32_t block, SparseBlock* out) const {
  const uint64_t begin = block_starts[block];
  const uint64_t end = block_starts[block + 1];
  if (begin > end || end > block_bytes.size() || begin % kSparseBlockAlignment != 0) return false;
  if (end - begin < sizeof(SparseBlockHead)) return false;
  const uint8_t* at = block_bytes.data() + begin;
  SparseBlockHead head;
  std::memcpy(&head, at, sizeof head);
  if ((head.value_bytes != 1 && head.value_bytes != sizeof(float)) || sparse_block_bytes(head) > end - begin)
    return false;
  at += sizeof head;
  out->segments = reinterpret_cast<const SparseSegment*>(at);
  out->segment_count = head.segments;
  out->term_count = head.terms;
  at += head.segments * sizeof(SparseSegment);
  out->value_starts = reinterpret_cast<const uint32_t*>(at);
  at += (size_t{head.terms} + kSparseTermGroup - 1) / kSparseTermGroup * sizeof(uint32_t);
  out->terms = reinterpret_cast<const uint16_t*>(at);
  out->masks = out->terms + head.terms;
  out->values = out->masks + head.terms;
  out->value_count = head.values;
  out->are_bytes = head.value_bytes == 1;
  out->lengths = metric == ELANUS_BM25 ? lengths.data() + size_t{block} * kSparseBlockRows : nullptr;
  return true;
}

void SparsePostings::write(IndexFileWriter& writer) const {
  const Head head = {static_cast<uint32_t>(metric), rows,         terms(), 0,      lists.size(),
                     list_bytes.size(),             block_bytes.size(), total_length, bm25.k1, bm25.b,
                     bm25.average_length};
  writer.add(kHeadSection, &head, 1);
  writer.add(kDimensionsSection, dimensions.data(), dimensions.size());
  writer.add(kFrequenciesSection, frequencies.data(), frequencies.size());
  writer.add(kMaximaSection, maxima.data(), maxima.size());
  writer.add(kListStartsSection, list_starts.data(), list_starts.size());
  writer.add(kListsSection, lists.data(), lists.size());
  writer.add(kListBytesSection, list_bytes.data(), list_bytes.size());
  writer.add(kBlockStartsSection, block_starts.data(), block_starts.size());
  writer.add(kBlockBytesSection, block_bytes.data(), block_bytes.size());
  if (metric == ELANUS_BM25) writer.add(kLengthsSection, lengths.data(), lengths.size());
}

FileFault SparsePostings::open(std::shared_ptr<const IndexFile> file, SparsePostings* postings) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || (head->metric != ELANUS_IP && head->metric != ELANUS_BM25) ||
      head->rows > ELANUS_INDEX_ROWS_MAX || !std::isfinite(head->total_length))
    return file->damaged("it does not say what it is an index of");
  postings->metric = static_cast<ElanusMetric>(head->metric);
  postings->rows = head->rows;
  postings->total_length = head->total_length;
  postings->bm25 = {head->k1, head->b, head->average_length};
  const bool is_bm25 = postings->metric == ELANUS_BM25;
  if (is_bm25 && !Bm25::is_valid(postings->bm25)) return file->damaged("its rows were weighed as none can be");
  const size_t blocks = postings->blocks();
  const bool has_all = borrow(*file, kDimensionsSection, head->terms, &postings->dimensions) &&
                       borrow(*file, kFrequenciesSection, head->terms, &postings->frequencies) &&
                       borrow(*file, kMaximaSection, head->terms, &postings->maxima) &&
                       borrow(*file, kListStartsSection, size_t{head->terms} + 1, &postings->list_starts) &&
                       borrow(*file, kListsSection, head->lists, &postings->lists) &&
                       borrow(*file, kListBytesSection, head->list_bytes, &postings->list_bytes) &&
                       borrow(*file, kBlockStartsSection, blocks + 1, &postings->block_starts) &&
                       borrow(*file, kBlockBytesSection, head->block_bytes, &postings->block_bytes) &&
                       (!is_bm25 || borrow(*file, kLengthsSection, blocks * kSparseBlockRows, &postings->lengths));
  if (!has_all) return file->damaged("it has not the rows and terms that it must");
  postings->file = std::move(file);
  return {};
}

}  // namespace elanus
