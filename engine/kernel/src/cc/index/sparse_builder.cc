#include "sparse_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "../sparse.h"
#include "parallel.h"
#include "sparse_vocabulary.h"

namespace elanus {
namespace {

// Rows that are looked at, and blocks that are encoded, between two looks at the clock.
constexpr size_t kRowsAtOnce = 4096;
constexpr size_t kBlocksAtOnce = 64;
// Of a build's time, about, what is over when rows have been checked, counted and encoded.
constexpr float kCheckedAt = 0.05f;
constexpr float kCountedAt = 0.3f;
constexpr float kEncodedAt = 0.85f;

bool has_frequencies(const SparseVector& row) {
  for (size_t i = 0; i < row.pairs; ++i) {
    if (!(sparse_pair_at(row, i).value > 0)) return false;
  }
  return true;
}

// A posting while its block is encoded: sorted by term, then by row.
struct Posting {
  uint64_t place;  // term * kSparseBlockRows + row
  float value;

  uint32_t term() const { return static_cast<uint32_t>(place / kSparseBlockRows); }
  uint32_t row() const { return static_cast<uint32_t>(place % kSparseBlockRows); }
  bool operator<(const Posting& other) const { return place < other.place; }
};

// That a term is in a block.
struct Presence {
  uint32_t term;
  uint8_t impact;
};

// Some blocks, one behind the other.
struct EncodedBlocks {
  std::vector<uint8_t> bytes;
  std::vector<size_t> block_ends;
  std::vector<Presence> presences;
  std::vector<size_t> presence_ends;  // by block
};

void append(std::vector<uint8_t>& bytes, const void* from, size_t size) {
  const auto* const begin = static_cast<const uint8_t*>(from);
  bytes.insert(bytes.end(), begin, begin + size);
}

class Builder {
 public:
  Builder(const ElanusSparseBuild& build, WorkControl* control, SparsePostings* out)
      : build_(build), control_(control), out_(*out), is_bm25_(build.metric == ELANUS_BM25) {}

  ElanusStatus build() {
    out_.metric = build_.metric;
    ElanusStatus status = cut_rows();
    if (status == ELANUS_OK) status = check_rows();
    if (status == ELANUS_OK) status = count_terms();
    if (status == ELANUS_OK) status = encode_blocks();
    if (status == ELANUS_OK) status = join_blocks();
    if (status == ELANUS_OK) status = make_lists();
    return status;
  }

 private:
  bool is_cancelled() const { return is_set(&control_->cancelled); }
  void tell(float done) { control_->done.store(done, std::memory_order_relaxed); }

  ElanusStatus cut_rows() {
    uint64_t total = 0;
    for (size_t b = 0; b < build_.block_count; ++b) total += build_.blocks[b].rows;
    if (total > ELANUS_INDEX_ROWS_MAX) return ELANUS_INVALID_ARGUMENT;
    rows_.reserve(total);
    for (size_t b = 0; b < build_.block_count; ++b) {
      const ElanusSparseRows& block = build_.blocks[b];
      for (uint32_t row = 0; row < block.rows; ++row) {
        SparseVector vector;
        if (!sparse_vector_at(block.bytes, block.bytes_size, block.offsets, row, &vector)) return ELANUS_CORRUPT_INPUT;
        rows_.push_back(vector);
      }
    }
    out_.rows = static_cast<uint32_t>(total);
    return ELANUS_OK;
  }

  ElanusStatus check_rows() {
    std::vector<float> lengths(rows_.size());
    std::atomic<bool> are_sound = true;
    parallel_for(build_.threads, rows_.size(), kRowsAtOnce, &control_->cancelled, [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        lengths[row] = sparse_sum(rows_[row]);
        const bool is_fit = is_sound(rows_[row]) && (!is_bm25_ || has_frequencies(rows_[row]));
        if (!is_fit || !std::isfinite(lengths[row])) are_sound = false;
      }
    });
    if (is_cancelled()) return ELANUS_CANCELLED;
    if (!are_sound) return ELANUS_CORRUPT_INPUT;
    for (const float length : lengths) out_.total_length += static_cast<double>(length);
    if (is_bm25_) {
      const double average = rows_.empty() ? 1 : std::max(1.0, out_.total_length / static_cast<double>(rows_.size()));
      out_.bm25 = {build_.bm25.k1, build_.bm25.b, average};
      out_.lengths.resize(size_t{out_.blocks()} * kSparseBlockRows);
      std::copy(lengths.begin(), lengths.end(), out_.lengths.data());
    }
    tell(kCheckedAt);
    return ELANUS_OK;
  }

  // What a term's maximum is about. Rounded to float32 later, upwards: an impact is never too small.
  double weight_of(size_t row, float value) const {
    if (!is_bm25_) return std::abs(static_cast<double>(value));
    const auto [k1, b, average] = out_.bm25;
    const double norm = k1 * (1 - b) + k1 * b * static_cast<double>(out_.lengths[row]) / average;
    return static_cast<double>(value) / (static_cast<double>(value) + norm);
  }

  ElanusStatus count_terms() {
    std::vector<uint32_t> frequencies;
    std::vector<double> maxima;
    for (size_t row = 0; row < rows_.size(); ++row) {
      if (row % kRowsAtOnce == 0) {
        if (is_cancelled()) return ELANUS_CANCELLED;
        tell(kCheckedAt + (kCountedAt - kCheckedAt) * static_cast<float>(row) / static_cast<float>(rows_.size()));
      }
      for (size_t i = 0; i < rows_[row].pairs; ++i) {
        const SparsePair pair = sparse_pair_at(rows_[row], i);
        const uint32_t term = vocabulary_.add(pair.dimension);
        if (term == frequencies.size()) {
          frequencies.push_back(0);
          maxima.push_back(0);
        }
        ++frequencies[term];
        maxima[term] = std::max(maxima[term], weight_of(row, pair.value));
      }
    }
    const std::vector<uint32_t> old = vocabulary_.sort();
    out_.dimensions.resize(old.size());
    out_.frequencies.resize(old.size());
    out_.maxima.resize(old.size());
    std::copy(vocabulary_.dimensions().begin(), vocabulary_.dimensions().end(), out_.dimensions.data());
    for (size_t term = 0; term < old.size(); ++term) {
      out_.frequencies[term] = frequencies[old[term]];
      const auto near = static_cast<float>(maxima[old[term]]);
      out_.maxima[term] = static_cast<double>(near) < maxima[old[term]] ? std::nextafter(near, HUGE_VALF) : near;
    }
    return ELANUS_OK;
  }

  // At least 1, so that a block that has a term never looks as if it had not.
  uint8_t impact_of(uint32_t term, double weight) const {
    const auto highest = static_cast<double>(out_.maxima[term]);
    if (highest == 0) return 1;
    const double impact = std::ceil(weight / highest * kSparseImpactMax * (1 + 1e-12));
    return static_cast<uint8_t>(std::clamp(impact, 1.0, static_cast<double>(kSparseImpactMax)));
  }

  ElanusStatus encode_blocks() {
    runs_.resize((size_t{out_.blocks()} + kBlocksAtOnce - 1) / kBlocksAtOnce);
    std::atomic<size_t> done = 0;
    parallel_for(build_.threads, out_.blocks(), kBlocksAtOnce, &control_->cancelled, [&](size_t begin, size_t end) {
      EncodedBlocks& run = runs_[begin / kBlocksAtOnce];
      std::vector<Posting> postings;
      for (size_t block = begin; block < end; ++block) encode_block(block, postings, run);
      tell(kCountedAt + (kEncodedAt - kCountedAt) * static_cast<float>(++done) / static_cast<float>(runs_.size()));
    });
    return is_cancelled() ? ELANUS_CANCELLED : ELANUS_OK;
  }

  void encode_block(size_t block, std::vector<Posting>& postings, EncodedBlocks& run) {
    postings.clear();
    const size_t first = block * kSparseBlockRows;
    const size_t end = std::min(first + kSparseBlockRows, rows_.size());
    bool are_bytes = true;
    for (size_t row = first; row < end; ++row) {
      for (size_t i = 0; i < rows_[row].pairs; ++i) {
        const SparsePair pair = sparse_pair_at(rows_[row], i);
        postings.push_back({uint64_t{vocabulary_.find(pair.dimension)} * kSparseBlockRows + (row - first), pair.value});
        are_bytes &= pair.value >= 0 && pair.value <= 255 && std::floor(pair.value) == pair.value &&
                     !std::signbit(pair.value);
      }
    }
    std::sort(postings.begin(), postings.end());
    encode_postings(first, postings, are_bytes, run);
    run.bytes.resize((run.bytes.size() + kSparseBlockAlignment - 1) / kSparseBlockAlignment * kSparseBlockAlignment);
    run.block_ends.push_back(run.bytes.size());
    run.presence_ends.push_back(run.presences.size());
  }

  void encode_postings(size_t first_row, const std::vector<Posting>& postings, bool are_bytes, EncodedBlocks& run) {
    std::vector<SparseSegment> segments;
    std::vector<uint32_t> value_starts;
    std::vector<uint16_t> terms;
    std::vector<uint16_t> masks;
    for (size_t at = 0; at < postings.size();) {
      const uint32_t term = postings[at].term();
      if (terms.size() % kSparseTermGroup == 0) value_starts.push_back(static_cast<uint32_t>(at));
      if (segments.empty() || term - segments.back().base > 0xffff) segments.push_back({term, 0});
      terms.push_back(static_cast<uint16_t>(term - segments.back().base));
      segments.back().end = static_cast<uint32_t>(terms.size());
      uint32_t mask = 0;
      double weight = 0;
      for (; at < postings.size() && postings[at].term() == term; ++at) {
        mask |= 1u << postings[at].row();
        weight = std::max(weight, weight_of(first_row + postings[at].row(), postings[at].value));
      }
      masks.push_back(static_cast<uint16_t>(mask));
      run.presences.push_back({term, impact_of(term, weight)});
    }
    const SparseBlockHead head = {static_cast<uint32_t>(terms.size()), static_cast<uint32_t>(postings.size()),
                                  static_cast<uint32_t>(segments.size()),
                                  static_cast<uint32_t>(are_bytes ? 1 : sizeof(float))};
    append(run.bytes, &head, sizeof head);
    append(run.bytes, segments.data(), segments.size() * sizeof(SparseSegment));
    append(run.bytes, value_starts.data(), value_starts.size() * sizeof(uint32_t));
    append(run.bytes, terms.data(), terms.size() * sizeof(uint16_t));
    append(run.bytes, masks.data(), masks.size() * sizeof(uint16_t));
    for (const Posting& posting : postings) {
      if (are_bytes)
        run.bytes.push_back(static_cast<uint8_t>(posting.value));
      else
        append(run.bytes, &posting.value, sizeof posting.value);
    }
  }

  ElanusStatus join_blocks() {
    uint64_t bytes = 0;
    for (const EncodedBlocks& run : runs_) bytes += run.bytes.size();
    out_.block_bytes.resize(bytes);
    out_.block_starts.resize(size_t{out_.blocks()} + 1);
    uint64_t at = 0;
    size_t block = 0;
    for (EncodedBlocks& run : runs_) {
      if (!run.bytes.empty()) std::memcpy(out_.block_bytes.data() + at, run.bytes.data(), run.bytes.size());
      for (const size_t end : run.block_ends) out_.block_starts[++block] = at + end;
      at += run.bytes.size();
      run.bytes = {};
    }
    return is_cancelled() ? ELANUS_CANCELLED : ELANUS_OK;
  }

  // Calls `visit(block in its chapter, presence)` in the order of the blocks, `chapter_ended(chapter)` after each
  // chapter.
  template <class Visit, class Ended>
  void for_each_presence(const Visit& visit, const Ended& chapter_ended) const {
    size_t block = 0;
    for (const EncodedBlocks& run : runs_) {
      size_t at = 0;
      for (const size_t end : run.presence_ends) {
        const auto chapter = static_cast<uint32_t>(block / kSparseChapterBlocks);
        for (; at < end; ++at) visit(static_cast<uint32_t>(block % kSparseChapterBlocks), run.presences[at]);
        if (++block % kSparseChapterBlocks == 0 || block == out_.blocks()) chapter_ended(chapter);
      }
    }
  }

  ElanusStatus make_lists() {
    struct TermList {
      uint32_t term;
      SparseList list;
    };
    const size_t terms = out_.dimensions.size();
    std::vector<uint32_t> blocks(terms, 0);  // of the chapter that is being counted
    std::vector<uint32_t> met;
    std::vector<TermList> lists;
    std::vector<uint32_t> starts(terms + 1, 0);
    for_each_presence(
        [&](uint32_t, const Presence& presence) {
          if (blocks[presence.term]++ == 0) met.push_back(presence.term);
        },
        [&](uint32_t chapter) {
          for (const uint32_t term : met) {
            lists.push_back({term, {0, static_cast<uint16_t>(chapter), static_cast<uint16_t>(blocks[term])}});
            blocks[term] = 0;
            ++starts[term + 1];
          }
          met.clear();
        });
    if (lists.size() > 0xffffffff) return ELANUS_INVALID_ARGUMENT;
    for (size_t term = 0; term < terms; ++term) starts[term + 1] += starts[term];
    out_.list_starts.resize(terms + 1);
    std::copy(starts.begin(), starts.end(), out_.list_starts.data());
    out_.lists.resize(lists.size());
    for (const TermList& of : lists) out_.lists[starts[of.term]++] = of.list;
    return is_cancelled() ? ELANUS_CANCELLED : fill_lists();
  }

  ElanusStatus fill_lists() {
    uint64_t units = 0;
    for (size_t i = 0; i < out_.lists.size(); ++i) {
      SparseList& list = out_.lists[i];
      if (units > 0xffffffff) return ELANUS_INVALID_ARGUMENT;
      list.at = static_cast<uint32_t>(units);
      units += (list.bytes() + kSparseListAlignment - 1) / kSparseListAlignment;
    }
    out_.list_bytes.resize(units * kSparseListAlignment);
    // Of each term, the list that is being filled and how many blocks it has already.
    std::vector<uint32_t> current(out_.list_starts.data(), out_.list_starts.data() + out_.dimensions.size());
    std::vector<uint16_t> filled(out_.dimensions.size(), 0);
    for_each_presence(
        [&](uint32_t block, const Presence& presence) {
          const SparseList& list = out_.lists[current[presence.term]];
          uint8_t* const bytes = out_.list_bytes.data() + list.at * kSparseListAlignment;
          uint16_t& count = filled[presence.term];
          if (list.has_all()) {
            bytes[block] = presence.impact;
          } else {
            const auto number = static_cast<uint16_t>(block);
            std::memcpy(bytes + count * sizeof number, &number, sizeof number);
            bytes[list.blocks * sizeof number + count] = presence.impact;
          }
          if (++count < list.blocks) return;
          ++current[presence.term];
          count = 0;
        },
        [](uint32_t) {});
    tell(1);
    return is_cancelled() ? ELANUS_CANCELLED : ELANUS_OK;
  }

  const ElanusSparseBuild& build_;
  WorkControl* const control_;
  SparsePostings& out_;
  const bool is_bm25_;
  std::vector<SparseVector> rows_;
  SparseVocabulary vocabulary_;
  std::vector<EncodedBlocks> runs_;
};

}  // namespace

ElanusStatus build_sparse_postings(const ElanusSparseBuild& build, WorkControl* control, SparsePostings* postings) {
  return Builder(build, control, postings).build();
}

}  // namespace elanus
