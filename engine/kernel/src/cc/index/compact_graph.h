// The compact layout: a graph, one short code a row to walk it by, and the vectors, by which what was found is ranked.
#pragma once

#include <memory>

#include "graph.h"
#include "row_reader.h"
#include "scan_codes.h"
#include "stored_rows.h"
#include "usual_search.h"
#include "vector_index.h"
#include "walk_codes.h"

namespace elanus {

class Beam;
struct Looked;

// Which rows are the best among all allowed ones, by their vectors: for when hardly any are allowed, or nearly all
// are wanted.
const std::vector<IndexHit>& scan_exactly(const DenseRows& rows, const IndexSearch& search, SearchScratch& scratch);

// Offers rows by their vectors' ranks to `scratch.hits`. Returns the highest rank, whether wanted or not.
// REQUIRES: scratch.exact is ready for the query.
float rank_exactly(const DenseRows& rows, const uint32_t* ids, size_t count, SearchScratch& scratch);

class CompactGraph : public VectorIndex {
 public:
  CompactGraph(const ElanusSimd& simd, StoredRows rows, WalkCodes codes, ScanCodes scan_codes, Graph graph,
               std::shared_ptr<const IndexFile> file);

  // By some of the rows in the role of queries: the same for the same rows and seed. Nothing of few rows.
  void learn_usual_search(uint64_t seed, const std::atomic<bool>* cancelled);

  uint32_t rows() const override { return view_.rows; }
  ElanusVectorType type() const override { return codes_.model().type; }
  ElanusMetric metric() const override { return codes_.model().metric; }
  uint32_t dim() const override { return codes_.model().dim; }
  ElanusIndexLayout layout() const override { return ELANUS_LAYOUT_COMPACT; }
  IndexKind kind() const override { return graph_.is_placed() ? IndexKind::kPlacedGraph : IndexKind::kCompactGraph; }
  size_t memory_bytes() const override;

  const std::vector<IndexHit>& search(const IndexSearch& search, SearchScratch& scratch) const override;
  HitsOfBoth search_both(const IndexSearch& one, const IndexSearch& other, SearchScratch& of_one,
                         SearchScratch& of_other) const override;
  void write(IndexFileWriter& writer, VectorPlace vectors) const override;
  const IndexFile* file() const override { return file_.get(); }
  bool links_are_sound(const std::atomic<bool>* cancelled) const override { return graph_.is_sound(cancelled); }

  // An index in a file of this kind, as a view of it, and of `vectors` where they are not in it. Checks that its parts
  // fit each other.
  static FileFault open(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file, LentRows vectors,
                        std::unique_ptr<VectorIndex>* index);

 private:
  Looked look(const IndexSearch& search, uint32_t ef, SearchScratch& scratch) const;
  bool look_for_both(const IndexSearch* const (&searches)[2], uint32_t ef, SearchScratch* const (&scratches)[2],
                     Looked (*looked)[2]) const;
  Looked rank_walked(const Beam& walked, const IndexSearch& search, SearchScratch& scratch) const;

  const ElanusSimd& simd_;
  // What the rest is a view of, when the index was opened.
  std::shared_ptr<const IndexFile> file_;
  StoredRows rows_;
  DenseRows view_;
  WalkCodes codes_;
  ScanCodes scan_codes_;
  RowReader reader_;
  Graph graph_;
  UsualSearch usual_;
};

}  // namespace elanus
