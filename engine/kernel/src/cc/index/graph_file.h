// A graph as sections of an index file. Drawn in docs/formats/vector-index.md.
#pragma once

#include "graph.h"
#include "index_file.h"

namespace elanus {

void write_graph(const Graph& graph, IndexFileWriter& writer);

// The graph in `file`, as a view that must not outlive it. Reads how large it is and nothing else: whether its links
// lead to rows, Graph::is_sound tells.
FileFault read_graph(const IndexFile& file, Graph* graph);

// The same of the places of its rows, for a graph that was written with them.
FileFault read_places(const IndexFile& file, Graph* graph);

}  // namespace elanus
