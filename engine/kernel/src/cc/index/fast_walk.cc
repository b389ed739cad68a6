#include "fast_walk.h"

#include <algorithm>
#include <limits>

#include "parallel.h"

namespace elanus {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr uint32_t kStepsBetweenChecks = 64;
// From so many rows on, the share of the allowed ones is no accident.
constexpr size_t kFirstTaken = 128;
// A walk begins at the nearest of some entries: of one in so many rows, and of more where it will be long anyway.
constexpr size_t kRowsPerBlockTried = 256 * kBlockNeighbours;
constexpr size_t kBlocksTriedMax = 32;
constexpr size_t kRoomPerBlockTried = 4;
constexpr size_t kEntriesUsed = 4;
constexpr size_t kRoomPerEntry = 8;

// A neighbour met from several rows is estimated each time. By signs, estimates differ so much that the best of
// them is better than the first: every one enters the beam, and a row is seen when the walk has stood on it. By
// levels one will do: a row is seen when it has entered the beam.
enum class Seen { kWhenLeft, kWhenMet };

// Whether another walk takes its steps between those of this one. Then what is stood on next is asked for when it is
// chosen; alone, as soon as it seems that it will be.
enum class Company { kAlone, kOther };

// Puts those of a block's neighbours in the beam that may be nearer than what is there.
template <Seen S, Company C>
inline void offer_block(const WalkLoops& loops, const FastRecords& records, const uint8_t* block, float rank,
                        FastWalk& walk) {
  alignas(64) float estimates[kBlockNeighbours];
  uint32_t below = loops.estimate(records.codes_of(block), walk.tables, rank, walk.beam.worst(), estimates);
  const uint32_t* const links = FastRecords::links_of(block);
  for (; below != 0; below &= below - 1) {
    const auto i = static_cast<size_t>(__builtin_ctz(below));
    const uint32_t row = links[i];
    if (!(estimates[i] < walk.beam.worst()) || row >= records.rows()) continue;
    if (S == Seen::kWhenMet ? !walk.seen.insert(row) : walk.seen.has(row)) continue;
    walk.beam.offer(estimates[i], row);
    if (C == Company::kOther) continue;
    // What was put first will be stood on next, unless something nearer is found yet.
    uint32_t next;
    if (walk.beam.peek_next(&next) && next == row) records.prefetch(row);
  }
}

// A walk in steps of two halves, between which another may take its own.
template <Seen S, Company C>
class FastSteps {
 public:
  FastSteps(const WalkLoops& loops, const FastRecords& records, FastWalk& walk)
      : loops_(loops), records_(records), walk_(walk) {}

  // Chooses the nearest row that the walk has not stood on. False at the end.
  bool choose() {
    while (walk_.beam.expand_next(&row_)) {
      if (S == Seen::kWhenLeft && !walk_.seen.insert(row_)) continue;
      uint32_t next;
      if (C == Company::kOther)
        records_.prefetch(row_);
      else if (walk_.beam.peek_next(&next))
        records_.prefetch(next);
      return true;
    }
    return false;
  }

  void stand() {
    ++walk_.steps;
    const uint8_t* const record = records_.record_of(row_);
    const float rank = records_.row_code().rank(loops_, walk_.coded, record);
    if (rank < kInfinity) walk_.found.push_back({rank, row_});
    for (size_t b = 0; b < records_.layout().blocks; ++b)
      offer_block<S, C>(loops_, records_, records_.block_of(record, b), rank, walk_);
  }

 private:
  const WalkLoops& loops_;
  const FastRecords& records_;
  FastWalk& walk_;
  uint32_t row_ = 0;
};

template <Seen S>
void walk_by(const WalkLoops& loops, const FastRecords& records, const std::atomic<bool>* cancelled, FastWalk& walk) {
  FastSteps<S, Company::kAlone> steps(loops, records, walk);
  for (uint32_t step = 1; steps.choose(); ++step) {
    if (step % kStepsBetweenChecks == 0 && is_set(cancelled)) return;
    steps.stand();
  }
}

template <Seen S>
void walk_both_by(const WalkLoops& loops, const FastRecords& records, const std::atomic<bool>* cancelled,
                  FastWalk& one, FastWalk& other) {
  FastSteps<S, Company::kOther> of_one(loops, records, one);
  FastSteps<S, Company::kOther> of_other(loops, records, other);
  bool one_goes = of_one.choose();
  bool other_goes = of_other.choose();
  for (uint32_t step = 1; one_goes || other_goes; ++step) {
    if (step % kStepsBetweenChecks == 0 && is_set(cancelled)) return;
    if (one_goes) {
      of_one.stand();
      one_goes = of_one.choose();
    }
    if (other_goes) {
      of_other.stand();
      other_goes = of_other.choose();
    }
  }
}

// The same under a filter: what is nearer than the allowed rows that are known.
template <Seen S>
void offer_block_filtered(const WalkLoops& loops, const FastRecords& records, const uint8_t* block, float rank,
                          const AllowedRows& allowed, FastWalk& walk) {
  alignas(64) float estimates[kBlockNeighbours];
  uint32_t below = loops.estimate(records.codes_of(block), walk.tables, rank, walk.allowed.worst(), estimates);
  const uint32_t* const links = FastRecords::links_of(block);
  for (; below != 0; below &= below - 1) {
    const auto i = static_cast<size_t>(__builtin_ctz(below));
    const uint32_t row = links[i];
    if (!(estimates[i] < walk.allowed.worst()) || row >= records.rows()) continue;
    if (S == Seen::kWhenMet ? !walk.seen.insert(row) : walk.seen.has(row)) continue;
    walk.frontier.offer(estimates[i], row);
    ++walk.taken;
    if (allowed.has(row)) {
      ++walk.taken_allowed;
      walk.allowed.offer(estimates[i], row);
    }
    uint32_t next;
    if (walk.frontier.peek_next(&next) && next == row) records.prefetch(row);
  }
}

// False when one of the limits is passed.
template <Seen S>
bool walk_filtered_by(const WalkLoops& loops, const FastRecords& records, const AllowedRows& allowed,
                      const FilteredWalk& limits, const std::atomic<bool>* cancelled, FastWalk& walk) {
  uint32_t row;
  float estimate;
  for (uint32_t step = 1; walk.frontier.peek_next(&row, &estimate) && estimate < walk.allowed.worst(); ++step) {
    if (step > limits.steps_max) return false;
    if (walk.taken >= kFirstTaken &&
        static_cast<double>(walk.taken_allowed) < limits.allowed_min * static_cast<double>(walk.taken))
      return false;
    if (step % kStepsBetweenChecks == 0 && is_set(cancelled)) return true;
    walk.frontier.take_next();
    if (S == Seen::kWhenLeft && !walk.seen.insert(row)) continue;
    ++walk.steps;
    uint32_t next;
    if (walk.frontier.peek_next(&next)) records.prefetch(next);
    const uint8_t* const record = records.record_of(row);
    const float rank = records.row_code().rank(loops, walk.coded, record);
    if (rank < kInfinity && allowed.has(row)) walk.found.push_back({rank, row});
    for (size_t b = 0; b < records.layout().blocks; ++b)
      offer_block_filtered<S>(loops, records, records.block_of(record, b), rank, allowed, walk);
  }
  return true;
}

// Puts the nearest entries in the beam, or the frontier.
template <class Known>
void enter(const WalkLoops& loops, const FastRecords& records, size_t room, FastWalk& walk, Known& known) {
  alignas(64) float estimates[kBlockNeighbours];
  const float rank = records.row_code().rank_of_mean(walk.coded);
  Beam& entries = walk.entries;
  entries.reset(std::max(kEntriesUsed, room / kRoomPerEntry));
  const size_t usual = std::clamp<size_t>(records.rows() / kRowsPerBlockTried, 1, kBlocksTriedMax);
  const size_t blocks = std::min(records.entry_blocks(), std::max(usual, room / kRoomPerBlockTried));
  for (size_t b = 0; b < blocks; ++b) {
    const uint8_t* const block = records.entry_block(b);
    uint32_t below = loops.estimate(records.codes_of(block), walk.tables, rank, entries.worst(), estimates);
    for (; below != 0; below &= below - 1) {
      const auto i = static_cast<size_t>(__builtin_ctz(below));
      const uint32_t row = FastRecords::links_of(block)[i];
      if (row < records.rows()) entries.offer(estimates[i], row);
    }
  }
  for (const Beam::Entry& entry : entries) {
    records.prefetch(entry.node());
    known.offer(entry.rank, entry.node());
    if (records.neighbour_code().kind() == NeighbourCodeKind::kLevels) walk.seen.insert(entry.node());
  }
}

}  // namespace

void prepare_fast_walk(const WalkLoops& loops, const FastRecords& records, FastWalk* walk) {
  const NeighbourCode& code = records.neighbour_code();
  const float* const mean = records.row_code().mean();
  walk->centred.resize(code.dim());
  walk->turned.resize(code.coordinates());
  walk->table_bytes.resize(size_t{16} * code.places());
  for (size_t d = 0; d < code.dim(); ++d) walk->centred[d] = walk->query[d] - mean[d];
  records.row_code().prepare(loops, walk->query.data(), walk->centred.data(), &walk->coded);
  code.turn(loops, walk->centred.data(), walk->turned.data());
  walk->tables.bytes = walk->table_bytes.data();
  code.fill_tables(loops, walk->turned.data(), &walk->tables);
}

namespace {

void begin(const WalkLoops& loops, const FastRecords& records, uint32_t ef, FastWalk& walk) {
  walk.beam.reset(ef);
  walk.found.clear();
  walk.steps = 0;
  walk.seen.make_room(records.rows());
  enter(loops, records, ef, walk, walk.beam);
}

}  // namespace

void walk_fast(const WalkLoops& loops, const FastRecords& records, uint32_t ef, const std::atomic<bool>* cancelled,
               FastWalk* walk) {
  begin(loops, records, ef, *walk);
  if (records.neighbour_code().kind() == NeighbourCodeKind::kSigns) {
    walk_by<Seen::kWhenLeft>(loops, records, cancelled, *walk);
  } else {
    walk_by<Seen::kWhenMet>(loops, records, cancelled, *walk);
  }
  walk->seen.clear();
}

void walk_fast_both(const WalkLoops& loops, const FastRecords& records, uint32_t ef, const std::atomic<bool>* cancelled,
                    FastWalk* one, FastWalk* other) {
  begin(loops, records, ef, *one);
  begin(loops, records, ef, *other);
  if (records.neighbour_code().kind() == NeighbourCodeKind::kSigns) {
    walk_both_by<Seen::kWhenLeft>(loops, records, cancelled, *one, *other);
  } else {
    walk_both_by<Seen::kWhenMet>(loops, records, cancelled, *one, *other);
  }
  one->seen.clear();
  other->seen.clear();
}

bool walk_fast_filtered(const WalkLoops& loops, const FastRecords& records, const AllowedRows& allowed,
                        const FilteredWalk& limits, const std::atomic<bool>* cancelled, FastWalk* walk) {
  walk->frontier.clear();
  walk->allowed.reset(limits.ef);
  walk->found.clear();
  walk->steps = 0;
  walk->taken = 0;
  walk->taken_allowed = 0;
  walk->seen.make_room(records.rows());
  enter(loops, records, limits.ef, *walk, walk->frontier);
  const bool ended = records.neighbour_code().kind() == NeighbourCodeKind::kSigns
                         ? walk_filtered_by<Seen::kWhenLeft>(loops, records, allowed, limits, cancelled, *walk)
                         : walk_filtered_by<Seen::kWhenMet>(loops, records, allowed, limits, cancelled, *walk);
  walk->seen.clear();
  return ended && walk->allowed.is_full();
}

}  // namespace elanus
