// A graph as sections of an index file. Drawn in docs/formats/vector-index.md.
#pragma once

#include "graph.h"
#include "index_file.h"

namespace elanus {

void write_graph(const Graph& graph, IndexFileWriter& writer);

// The graph in `file`, whose layer 0 is a view of the file and must not outlive it. Reads all of it and checks that
// every link leads somewhere: walks rely on that.
FileFault read_graph(const IndexFile& file, Graph* graph);

}  // namespace elanus
