// A graph as sections of an index file. Drawn in docs/formats/vector-index.md.
#pragma once

#include <atomic>

#include "graph.h"
#include "index_file.h"

namespace elanus {

void write_graph(const Graph& graph, IndexFileWriter& writer);

// The graph in `file`, whose layer 0 is a view of the file and must not outlive it. Reads what is above layer 0 and
// checks all of that; the links of layer 0 are checked by `verify_graph`.
FileFault read_graph(const IndexFile& file, Graph* graph);

// Whether every link of layer 0 leads to a row. Walks rely on it. Reads all links.
FileFault verify_graph(const IndexFile& file, const Graph& graph, const std::atomic<bool>* cancelled);

}  // namespace elanus
