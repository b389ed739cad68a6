#include "inverted_lists.h"

#include <utility>

#include "compact_graph.h"
#include "list_builder.h"
#include "list_seeker.h"
#include "parallel.h"
#include "quantizer.h"

namespace elanus {
namespace {

constexpr char kHeadSection[] = "inverted lists";
constexpr char kRefinedName[] = "refined";

// What the head section holds.
struct Head {
  uint32_t type;
  uint32_t metric;
  uint32_t dim;
  uint32_t rows;
  uint32_t lists;
  uint32_t codes_screen;
  uint32_t has_residuals;
  uint32_t final_ranks;

  bool is_sound() const {
    const bool is_dense = type == ELANUS_FLOAT32 || type == ELANUS_FLOAT16 || type == ELANUS_BFLOAT16 || type == ELANUS_INT8;
    return is_dense && metric <= ELANUS_COSINE && dim >= 1 && dim <= ELANUS_INT8_DIM_MAX && rows <= kIndexRowsMax &&
           (rows == 0 ? lists == 0 : lists >= 1) && lists <= ELANUS_LISTS_MAX && codes_screen <= 1 &&
           has_residuals <= 1 && final_ranks <= static_cast<uint32_t>(FinalRanks::kRefined);
  }
};

class InvertedLists : public VectorIndex {
 public:
  InvertedLists(std::unique_ptr<ListParts> parts, std::shared_ptr<const IndexFile> file)
      : parts_(std::move(parts)), file_(std::move(file)) {}

  uint32_t rows() const override { return parts_->rows(); }
  ElanusVectorType type() const override { return parts_->type; }
  ElanusMetric metric() const override { return parts_->metric; }
  uint32_t dim() const override { return parts_->dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_LISTS; }
  IndexKind kind() const override { return IndexKind::kLists; }
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override {
    return !is_set(cancelled) && parts_->order.is_sound();
  }

  size_t memory_bytes() const override {
    return parts_->order.memory_bytes() + parts_->centroids.memory_bytes() + parts_->codes.memory_bytes() +
           (parts_->residuals ? parts_->residuals->memory_bytes() : 0) +
           (parts_->refined ? parts_->refined->memory_bytes() : 0) +
           (parts_->vectors ? parts_->vectors->memory_bytes() : 0);
  }

  void write(IndexFileWriter& writer, VectorPlace vectors) const override {
    const Head head = {static_cast<uint32_t>(parts_->type),
                       static_cast<uint32_t>(parts_->metric),
                       parts_->dim,
                       rows(),
                       parts_->order.lists(),
                       parts_->codes_screen ? 1u : 0,
                       parts_->residuals ? 1u : 0,
                       static_cast<uint32_t>(parts_->final_ranks)};
    writer.add(kHeadSection, &head, 1);
    if (rows() == 0) return;
    parts_->order.write(writer);
    parts_->centroids.write(writer);
    parts_->codes.write(writer);
    if (parts_->residuals) parts_->residuals->write(writer);
    if (parts_->refined) parts_->refined->write(kRefinedName, writer);
    if (parts_->vectors) parts_->vectors->write(writer, vectors);
  }

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override {
    scratch.hits.reset(search.k, search.range);
    if (rows() == 0 || search.allowed.count(rows()) == 0) return scratch.hits.sorted();
    if (wants_every_row(search)) {
      scratch.exact.begin(parts_->simd, type(), metric(), dim(), search.query);
      return scan_exactly(parts_->vectors->view(rows()), search, scratch);
    }
    ListSeeker(*parts_, search, scratch).run();
    return scratch.hits.sorted();
  }

 private:
  // Codes that only rule rows out are wrong now and then: who looks through every list is not to miss a row.
  bool wants_every_row(const IndexSearch& search) const {
    return parts_->codes_screen && parts_->vectors && search.lists.least >= parts_->order.lists();
  }

  const std::unique_ptr<ListParts> parts_;
  // What the parts are views of, when the index was opened.
  const std::shared_ptr<const IndexFile> file_;
};

FileFault read_refined(const IndexFile& file, ListParts* parts) {
  CodedRows& refined = parts->refined.emplace();
  const FileFault fault = CodedRows::read(kRefinedName, parts->simd, file, parts->rows(), &refined);
  if (fault.failed()) return fault;
  const QuantizerSpec& spec = refined.quantizer().spec();
  if (spec.dim != parts->dim || spec.metric != parts->metric) return file.damaged("its codes are of other vectors");
  return {};
}

FileFault read_parts(const IndexFile& file, const Head& head, LentRows vectors, ListParts* parts) {
  FileFault fault = ListOrder::read(file, head.lists, head.rows, &parts->order);
  if (!fault.failed()) fault = parts->centroids.read(file, head.lists);
  if (!fault.failed()) fault = ListCodes::read(file, parts->metric, parts->dim, parts->order, &parts->codes);
  if (!fault.failed() && head.has_residuals == 1)
    fault = ResidualCodes::read(parts->simd, file, parts->metric, parts->dim, head.rows, &parts->residuals.emplace());
  if (fault.failed()) return fault;
  switch (parts->final_ranks) {
    case FinalRanks::kCodes:
      return {};
    case FinalRanks::kVectors:
      return parts->vectors.emplace(parts->simd, parts->type, parts->metric, parts->dim).read(file, head.rows, vectors);
    case FinalRanks::kRefined:
      return read_refined(file, parts);
  }
  return {};
}

}  // namespace

std::unique_ptr<VectorIndex> build_inverted_lists(const ElanusSimd& simd, StoredRows rows,
                                                  const ElanusIndexBuild& build, WorkControl* control) {
  std::unique_ptr<ListParts> parts = build_list_parts(simd, std::move(rows), build, control);
  if (parts == nullptr) return nullptr;
  return std::make_unique<InvertedLists>(std::move(parts), nullptr);
}

FileFault open_inverted_lists(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                              std::unique_ptr<VectorIndex>* index) {
  const Head* const head = file->array<Head>(kHeadSection, 1);
  if (head == nullptr || !head->is_sound()) return file->damaged("it does not say what it is an index of");
  auto parts = std::make_unique<ListParts>(simd, static_cast<ElanusVectorType>(head->type),
                                           static_cast<ElanusMetric>(head->metric), head->dim);
  parts->codes_screen = head->codes_screen == 1;
  parts->final_ranks = static_cast<FinalRanks>(head->final_ranks);
  const FileFault fault = head->rows == 0 ? FileFault{} : read_parts(*file, *head, vectors, parts.get());
  if (!fault.failed()) *index = std::make_unique<InvertedLists>(std::move(parts), std::move(file));
  return fault;
}

}  // namespace elanus
