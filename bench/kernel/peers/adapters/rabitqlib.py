"""rabitqlib: SymphonyQG with 32 neighbours (`symphonyqg`), HNSW over RaBitQ codes (`hnsw`)."""

import rabitqlib

CLUSTERS, BITS = 16, 9  # As many bits as there can be: the codes are all it has to rank by.


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900]

    def __init__(self, data, variant):
        self.data, self.kind = data, rabitqlib.SymqgIndex if variant == "symphonyqg" else rabitqlib.HnswIndex
        self.metric = "l2" if data.is_l2 else "ip"

    def build(self, base, threads):
        if self.kind is rabitqlib.SymqgIndex:
            self.index = rabitqlib.SymqgIndex(self.data.dim, 32, self.metric)
            self.index.build(base, 200, threads)
            return
        clusters = rabitqlib.RaBitQKMeans(self.data.dim, CLUSTERS, num_threads=threads)
        clusters.train(base)
        self.index = rabitqlib.HnswIndex(self.data.dim, len(base), 16, 200, BITS, self.metric)
        self.index.build(base, clusters.centroids, clusters.assignments, threads)

    def save(self, cache):
        self.index.save(str(cache / "index"))

    def load(self, cache):
        self.index = self.kind.load(str(cache / "index"))

    def search(self, queries, k, ef, threads):
        return self.index.search(queries, k, ef, threads)[0]
