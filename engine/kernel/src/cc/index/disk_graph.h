// DISKANN: a graph whose nodes, vectors and links, lie in blocks of a file; in memory is a short code of each row. A walk
// compares codes, and reads the blocks of what seems near. After Subramanya et al., DiskANN (NeurIPS 2019), with blocks
// that hold neighbours together as Wang et al., Starling (SIGMOD 2024).
#pragma once

#include <memory>

#include "graph.h"
#include "vector_index.h"

namespace elanus {

// Of vectors in mapped files, what a build has in memory at once: it is for more of them than memory can hold.
inline constexpr size_t kDiskBuildMappedMax = size_t{8} << 20;

bool is_valid_disk_graph(const ElanusIndexBuild& build);

// Learns the codes of `rows`, whose graph is `graph`. Until it is saved and opened the index has everything in memory.
// `control->done` runs from what it is to 1. nullptr when cancelled. REQUIRES: is_valid_disk_graph. Throws
// std::bad_alloc.
std::unique_ptr<VectorIndex> build_disk_graph(const ElanusSimd& simd, StoredRows rows, Graph graph,
                                              const ElanusIndexBuild& build, WorkControl* control);

// The index in a file of kind kDiskGraph, which is read block by block. Checks that its parts fit each other.
FileFault open_disk_graph(const ElanusSimd& simd, std::shared_ptr<const IndexFile> file,
                          std::unique_ptr<VectorIndex>* index);

// What one thread's searches have read so far: for measurements.
struct DiskGraphReads {
  uint64_t blocks = 0;
  uint64_t waves = 0;       // how often it waited for some blocks
  uint64_t kept_units = 0;  // units that were in memory, and did not have to be read
};
DiskGraphReads disk_graph_reads(const SearchScratch& scratch);

}  // namespace elanus
