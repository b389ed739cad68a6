"""rabitqlib: SymphonyQG with 32 neighbours (`symphonyqg`), HNSW over RaBitQ codes (`hnsw`), inverted lists of codes of one
bit, reranked by vectors (`ivf`)."""

import rabitqlib

from adapters.lists import lists_for, probes_for

CLUSTERS, BITS = 16, 9  # As many bits as there can be: the codes are all it has to rank by.
WITH_VECTORS = 32  # What it calls the bits of codes of one bit beside the vectors.
KINDS = {"symphonyqg": rabitqlib.SymqgIndex, "hnsw": rabitqlib.HnswIndex, "ivf": rabitqlib.IvfIndex}


class Library:
    def __init__(self, data, variant):
        self.data, self.kind = data, KINDS[variant]
        self.metric = "l2" if data.is_l2 else "ip"
        if variant == "ivf":
            self.KNOBS = probes_for(data.rows)
        else:
            self.KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900]

    def build(self, base, threads):
        if self.kind is rabitqlib.SymqgIndex:
            self.index = rabitqlib.SymqgIndex(self.data.dim, 32, self.metric)
            self.index.build(base, 200, threads)
            return
        lists = CLUSTERS if self.kind is rabitqlib.HnswIndex else lists_for(len(base))
        clusters = rabitqlib.RaBitQKMeans(self.data.dim, lists, num_threads=threads)
        clusters.train(base)
        if self.kind is rabitqlib.IvfIndex:
            self.index = rabitqlib.IvfIndex(self.data.dim, len(base), lists, WITH_VECTORS, self.metric)
            self.index.build(base, clusters.centroids, clusters.assignments, threads)
            return
        self.index = rabitqlib.HnswIndex(self.data.dim, len(base), 16, 200, BITS, self.metric)
        self.index.build(base, clusters.centroids, clusters.assignments, threads)

    def save(self, cache):
        self.index.save(str(cache / "index"))

    def load(self, cache):
        self.index = self.kind.load(str(cache / "index"))

    def search(self, queries, k, knob, threads):
        return self.index.search(queries, k, knob, num_threads=threads)[0]
