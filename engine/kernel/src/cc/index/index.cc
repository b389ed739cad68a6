// The C interface of the indexes.
#include "elanus/index.h"

#include <new>
#include <optional>
#include <string>

#include "../build_at_work.h"
#include "../exact_search.h"
#include "../pool.h"
#include "binary_lists.h"
#include "coded_graph.h"
#include "compact_graph.h"
#include "disk_graph.h"
#include "disk_vectors.h"
#include "fast_graph.h"
#include "graph_order.h"
#include "hash_bands.h"
#include "index_search_job.h"
#include "inverted_lists.h"
#include "parallel.h"
#include "random.h"
#include "sparse_builder.h"
#include "sparse_index.h"
#include "walk_trial.h"

struct ElanusWork {
  elanus::WorkControl control;
};

struct ElanusIndex {
  const ElanusSimd* simd;
  std::shared_ptr<elanus::VectorIndex> index;
};

namespace elanus {
namespace {

// Of a build's time, about: what goes before the graph, and what is over when the graph is there.
constexpr float kCodedAt = 0.05f;
constexpr float kGraphAt = 0.85f;
constexpr float kCompactGraphAt = 0.97f;
constexpr float kRecordsAt = 0.98f;

// Parts of a seed: see seed_of_part.
constexpr uint64_t kScanSeed = 0x5ca4;
constexpr uint64_t kTrialSeed = 0x7a1a;
constexpr uint64_t kUsualSeed = 0x05a1;

// Up to so many dimensions of a code, two cache lines, AUTO is FAST. With more, what FAST knows of a node's neighbours
// tells less of them: on the packages (184) it is a quarter slower at recall 0.99, in more than twice the memory.
constexpr uint32_t kFastDimsMax = 120;
// And unless its walks must be so much longer to find as much.
constexpr float kFastStretchMax = 1.5f;

ElanusIndexLayout layout_of(const ElanusIndexSpec& spec, uint32_t code_dim) {
  if (spec.type != ELANUS_HNSW) return ELANUS_LAYOUT_CODES;
  if (spec.layout == ELANUS_LAYOUT_COMPACT || !is_valid_fast_graph(spec.m)) return ELANUS_LAYOUT_COMPACT;
  if (spec.layout == ELANUS_LAYOUT_AUTO && code_dim > kFastDimsMax) return ELANUS_LAYOUT_COMPACT;
  return ELANUS_LAYOUT_FAST;
}

bool is_of_numbers(ElanusVectorType type) {
  return type == ELANUS_FLOAT32 || type == ELANUS_FLOAT16 || type == ELANUS_BFLOAT16 || type == ELANUS_INT8;
}

bool is_of_numbers(ElanusMetric metric) {
  return metric == ELANUS_L2 || metric == ELANUS_IP || metric == ELANUS_COSINE;
}

bool is_valid_graph_build(const ElanusIndexBuild& build) {
  const ElanusIndexSpec& spec = build.spec;
  if (!is_of_numbers(build.type) || !is_of_numbers(build.metric) || build.dim > ELANUS_INT8_DIM_MAX) return false;
  if (spec.m < ELANUS_M_MIN || spec.m > ELANUS_M_MAX || spec.ef_construction < 1) return false;
  if (spec.type == ELANUS_DISKANN) return is_valid_disk_graph(build);
  return spec.type == ELANUS_HNSW || is_valid_coded_graph(build.metric, build.dim, spec);
}

// Whether the index that is asked for can be made of vectors and a metric like these.
bool is_valid_spec(const ElanusIndexBuild& build) {
  switch (build.spec.type) {
    case ELANUS_HNSW:
    case ELANUS_HNSW_SQ:
    case ELANUS_HNSW_PQ:
    case ELANUS_HNSW_PRQ:
    case ELANUS_DISKANN:
      return is_valid_graph_build(build);
    case ELANUS_IVF_FLAT:
    case ELANUS_IVF_SQ:
    case ELANUS_IVF_PQ:
    case ELANUS_IVF_RABITQ:
    case ELANUS_SCANN:
      return is_of_numbers(build.type) && is_of_numbers(build.metric) && build.dim <= ELANUS_INT8_DIM_MAX &&
             is_valid_inverted_lists(build);
    case ELANUS_BIN_IVF_FLAT:
      return is_valid_binary_lists(build);
    case ELANUS_MINHASH_LSH:
      return is_valid_hash_bands(build);
  }
  return false;
}

bool are_valid_blocks(const ElanusRows* blocks, size_t block_count, size_t row_bytes, uint64_t* rows) {
  for (size_t b = 0; b < block_count; ++b) {
    if (blocks[b].rows > blocks[b].bytes_size / row_bytes) return false;
    *rows += blocks[b].rows;
  }
  return *rows <= ELANUS_INDEX_ROWS_MAX;
}

bool is_valid_build(const ElanusIndexBuild& build, uint64_t* rows) {
  return build.dim >= 1 && build.threads >= 1 && is_valid_spec(build) &&
         are_valid_blocks(build.blocks, build.block_count, dense_bytes(build.type, build.dim), rows);
}

bool is_valid_sparse_build(const ElanusSparseBuild& build) {
  if (build.threads == 0) return false;
  if (build.metric == ELANUS_IP) return true;
  return build.metric == ELANUS_BM25 && Bm25::is_valid({build.bm25.k1, build.bm25.b, 1});
}

// The rows where they lie.
StoredRows stored_rows_of(const ElanusSimd& simd, const ElanusIndexBuild& build) {
  StoredRows rows(simd, build.type, build.metric, build.dim);
  rows.lend({build.blocks, build.block_count}, build.spec.type == ELANUS_DISKANN ? kDiskBuildMappedMax : kAllBytes);
  return rows;
}

// Of rows whose graph is known. nullptr when cancelled.
std::unique_ptr<VectorIndex> make_compact_graph(const ElanusSimd& simd, const ElanusIndexBuild& build, StoredRows rows,
                                                WalkCodes codes, ScanCodes scan_codes, Graph graph,
                                                WorkControl* control) {
  put_in_order(rows_by_place(codes, graph, build.threads, &control->cancelled), &graph, &codes);
  auto made = std::make_unique<CompactGraph>(simd, std::move(rows), std::move(codes), std::move(scan_codes),
                                             std::move(graph), nullptr);
  made->learn_usual_search(seed_of_part(build.seed, kUsualSeed), &control->cancelled);
  if (is_set(&control->cancelled)) return nullptr;
  control->done.store(1, std::memory_order_relaxed);
  return made;
}

// The same. Where AUTO has chosen the fast layout, the compact one nevertheless when a trial shows that it is quicker.
// nullptr when cancelled.
std::unique_ptr<VectorIndex> build_fast_graph(const ElanusSimd& simd, const ElanusIndexBuild& build, StoredRows rows,
                                              std::optional<WalkCodes> codes, ScanCodes scan_codes, Graph graph,
                                              WorkControl* control) {
  const DenseRows view = rows.view(rows.rows());
  const WalkTrial trial(simd, build.metric, view, *codes, graph, seed_of_part(build.seed, kTrialSeed), build.threads,
                        &control->cancelled);
  const bool may_be_compact = build.spec.layout == ELANUS_LAYOUT_AUTO;
  if (!may_be_compact) codes.reset();
  FastRecords records = FastRecords::make(simd, build.metric, view, graph, build.seed, build.threads, control, kRecordsAt);
  const float stretch = is_set(&control->cancelled) ? 1 : trial.stretch_of(records, build.threads, &control->cancelled);
  if (is_set(&control->cancelled)) return nullptr;
  if (may_be_compact && stretch > kFastStretchMax)
    return make_compact_graph(simd, build, std::move(rows), std::move(*codes), std::move(scan_codes), std::move(graph),
                              control);
  control->done.store(1, std::memory_order_relaxed);
  return make_fast_graph(simd, std::move(rows), std::move(scan_codes), std::move(records), stretch);
}

// nullptr when cancelled.
std::unique_ptr<VectorIndex> build_graph_index(const ElanusSimd& simd, const ElanusIndexBuild& build,
                                               WorkControl* control) {
  StoredRows rows = stored_rows_of(simd, build);
  if (build.spec.type == ELANUS_DISKANN) {
    std::optional<CodeModel> short_model = find_disk_vectors_model(simd, rows, build, &control->cancelled);
    if (short_model.has_value()) return build_disk_vectors(simd, std::move(rows), std::move(*short_model), build, control);
  }
  const DenseRows view = rows.sparing_view(rows.rows());
  CodeModel model = CodeModel::learn(simd, view, build.metric, build.seed, build.threads, &control->cancelled);
  if (is_set(&control->cancelled)) return nullptr;
  std::optional<WalkCodes> codes(std::in_place, simd, std::move(model));
  codes->encode(view, build.threads, &control->cancelled);
  control->done.store(kCodedAt, std::memory_order_relaxed);
  const ElanusIndexLayout layout = layout_of(build.spec, codes->model().code_dim);
  ScanCodes scan_codes(build.metric);
  if (layout != ELANUS_LAYOUT_CODES) {
    scan_codes = ScanCodes::learn(simd, build.metric, view, seed_of_part(build.seed, kScanSeed), build.threads,
                                  &control->cancelled);
    scan_codes.encode(simd, view, build.threads, &control->cancelled);
  }
  const GraphOptions options = {build.spec.m, build.spec.ef_construction, build.seed, build.threads};
  Graph graph;
  const float graph_at = layout == ELANUS_LAYOUT_COMPACT ? kCompactGraphAt : kGraphAt;
  if (is_set(&control->cancelled) || !build_graph(*codes, options, control, graph_at, &graph)) return nullptr;
  if (layout == ELANUS_LAYOUT_COMPACT)
    return make_compact_graph(simd, build, std::move(rows), std::move(*codes), std::move(scan_codes), std::move(graph),
                              control);
  if (layout == ELANUS_LAYOUT_FAST)
    return build_fast_graph(simd, build, std::move(rows), std::move(codes), std::move(scan_codes), std::move(graph), control);
  codes.reset();
  if (build.spec.type == ELANUS_DISKANN)
    return build_disk_graph(simd, std::move(rows), std::move(graph), build, control);
  return build_coded_graph(simd, std::move(rows), build.spec, std::move(graph), build.seed, build.threads, control);
}

// nullptr when cancelled. REQUIRES: is_valid_build.
std::unique_ptr<VectorIndex> build_index(const ElanusSimd& simd, const ElanusIndexBuild& build, WorkControl* control) {
  switch (build.spec.type) {
    case ELANUS_HNSW:
    case ELANUS_HNSW_SQ:
    case ELANUS_HNSW_PQ:
    case ELANUS_HNSW_PRQ:
    case ELANUS_DISKANN:
      return build_graph_index(simd, build, control);
    case ELANUS_IVF_FLAT:
    case ELANUS_IVF_SQ:
    case ELANUS_IVF_PQ:
    case ELANUS_IVF_RABITQ:
    case ELANUS_SCANN:
      return build_inverted_lists(simd, stored_rows_of(simd, build), build, control);
    case ELANUS_BIN_IVF_FLAT:
      return build_binary_lists(simd, stored_rows_of(simd, build), build, control);
    case ELANUS_MINHASH_LSH:
      return build_hash_bands(stored_rows_of(simd, build), build, control);
  }
  return nullptr;
}

FileFault open_index(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                     std::unique_ptr<VectorIndex>* index) {
  switch (file->head().kind) {
    case IndexKind::kCompactGraph:
    case IndexKind::kPlacedGraph:
      file->expect_walks();
      return CompactGraph::open(simd, std::move(file), vectors, index);
    case IndexKind::kFastGraph:
      file->expect_walks();
      return open_fast_graph(simd, std::move(file), vectors, index);
    case IndexKind::kCodedGraph:
      file->expect_walks();
      return open_coded_graph(simd, std::move(file), vectors, index);
    case IndexKind::kSparse:
      return open_sparse_index(simd, std::move(file), index);
    case IndexKind::kLists:
      return open_inverted_lists(simd, std::move(file), vectors, index);
    case IndexKind::kBinaryLists:
      return open_binary_lists(simd, std::move(file), index);
    case IndexKind::kHashBands:
      return open_hash_bands(simd, std::move(file), vectors, index);
    case IndexKind::kDiskGraph:
      return open_disk_graph(simd, std::move(file), index);
    case IndexKind::kDiskVectors:
      return open_disk_vectors(simd, std::move(file), index);
  }
  return file->damaged("it is of a kind that there is not");
}

template <class Work>
ElanusStatus without_exceptions(const Work& work) {
  try {
    return work();
  } catch (...) {
    // Only the allocator throws.
    return ELANUS_OUT_OF_MEMORY;
  }
}

}  // namespace
}  // namespace elanus

using elanus::without_exceptions;

extern "C" ElanusWork* elanus_work_new(void) { return new (std::nothrow) ElanusWork(); }

extern "C" void elanus_work_cancel(ElanusWork* work) { work->control.cancelled.store(true); }

extern "C" float elanus_work_done(const ElanusWork* work) {
  return work->control.done.load(std::memory_order_relaxed);
}

extern "C" void elanus_work_free(ElanusWork* work) { delete work; }

extern "C" ElanusStatus elanus_index_build(const ElanusSimd* simd, const ElanusIndexBuild* build, ElanusWork* work,
                                           ElanusIndex** index) {
  uint64_t rows = 0;
  if (!elanus::is_valid_build(*build, &rows)) return ELANUS_INVALID_ARGUMENT;
  const elanus::BuildAtWork at_work;
  return without_exceptions([&] {
    std::unique_ptr<elanus::VectorIndex> built = elanus::build_index(*simd, *build, &work->control);
    if (built == nullptr) return ELANUS_CANCELLED;
    *index = new ElanusIndex{simd, std::move(built)};
    return ELANUS_OK;
  });
}

extern "C" ElanusStatus elanus_sparse_index_build(const ElanusSimd* simd, const ElanusSparseBuild* build,
                                                  ElanusWork* work, ElanusIndex** index) {
  if (!elanus::is_valid_sparse_build(*build)) return ELANUS_INVALID_ARGUMENT;
  const elanus::BuildAtWork at_work;
  return without_exceptions([&] {
    elanus::SparsePostings postings;
    const ElanusStatus status = elanus::build_sparse_postings(*build, &work->control, &postings);
    if (status == ELANUS_OK) *index = new ElanusIndex{simd, elanus::make_sparse_index(*simd, std::move(postings))};
    return status;
  });
}

extern "C" ElanusStatus elanus_index_open(const ElanusSimd* simd, const char* path, const ElanusRows* vectors,
                                          size_t vector_blocks, ElanusIndex** index) {
  return without_exceptions([&] {
    std::shared_ptr<const elanus::IndexFile> file;
    elanus::FileFault fault = elanus::IndexFile::open(path, &file);
    // Searches of this kind rely on sound bytes.
    if (!fault.failed() && file->head().kind == elanus::IndexKind::kSparse) fault = file->verify(nullptr);
    if (fault.failed()) return fault.status;
    std::unique_ptr<elanus::VectorIndex> opened;
    fault = elanus::open_index(*simd, std::move(file), {vectors, vector_blocks}, &opened);
    if (fault.failed()) return fault.status;
    *index = new ElanusIndex{simd, std::move(opened)};
    return ELANUS_OK;
  });
}

extern "C" ElanusStatus elanus_index_verify(ElanusIndex* index, ElanusWork* work) {
  return without_exceptions([&] {
    const elanus::VectorIndex& of = *index->index;
    const std::atomic<bool>* const cancelled = &work->control.cancelled;
    if (of.file() != nullptr) {
      const elanus::FileFault fault = of.file()->verify(cancelled, &work->control.done);
      if (fault.failed()) return fault.status;
    }
    // What adds up may have been written wrong.
    if (!of.links_are_sound(cancelled)) return elanus::is_set(cancelled) ? ELANUS_CANCELLED : ELANUS_FILE_DAMAGED;
    work->control.done.store(1, std::memory_order_relaxed);
    return ELANUS_OK;
  });
}

extern "C" ElanusStatus elanus_index_save(ElanusIndex* index, const char* path, int with_vectors) {
  return without_exceptions([&] {
    elanus::IndexFileWriter writer(path);
    index->index->write(writer, with_vectors != 0 ? elanus::VectorPlace::kInside : elanus::VectorPlace::kOutside);
    elanus::IndexFileHead head;
    head.kind = index->index->kind();
    return writer.finish(head).status;
  });
}

extern "C" ElanusIndexInfo elanus_index_info(const ElanusIndex* index) {
  const elanus::VectorIndex& of = *index->index;
  return {of.rows(), of.type(), of.metric(), of.dim(), of.layout(), of.memory_bytes()};
}

extern "C" ElanusStatus elanus_sparse_index_statistics(const ElanusIndex* index, const uint32_t* dimensions,
                                                       size_t count, uint32_t* frequencies, double* total_length) {
  const elanus::SparsePostings* const postings = index->index->sparse_postings();
  if (postings == nullptr) return ELANUS_INVALID_ARGUMENT;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t term = postings->find(dimensions[i]);
    frequencies[i] = term == postings->terms() ? 0 : postings->frequencies[term];
  }
  *total_length = postings->total_length;
  return ELANUS_OK;
}

extern "C" void elanus_index_release(ElanusIndex* index) { delete index; }

extern "C" ElanusStatus elanus_index_search_run(ElanusIndex* index, const ElanusIndexSearch* search,
                                                ElanusIndexHits hits) {
  const ElanusStatus valid = elanus::validate(*index->index, *search);
  if (valid != ELANUS_OK) return valid;
  return without_exceptions([&] {
    thread_local elanus::SearchScratch scratch;
    ElanusStatus outcome = ELANUS_OK;
    const ElanusDone done = [](void* context, ElanusStatus status) { *static_cast<ElanusStatus*>(context) = status; };
    elanus::IndexSearchJob(*index->simd, index->index, *search, hits, done, &outcome).run(scratch);
    return outcome;
  });
}

extern "C" ElanusStatus elanus_index_search_start(ElanusPool* pool, ElanusIndex* index,
                                                  const ElanusIndexSearch* search, ElanusIndexHits hits,
                                                  ElanusDone done, void* context, ElanusJob** job) {
  const ElanusStatus valid = elanus::validate(*index->index, *search);
  if (valid != ELANUS_OK) return valid;
  return without_exceptions([&] {
    auto work =
        std::make_shared<elanus::IndexSearchJob>(*index->simd, index->index, *search, hits, done, context);
    return elanus::submit(pool, std::move(work), job);
  });
}
