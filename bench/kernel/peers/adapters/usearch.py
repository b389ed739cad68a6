"""usearch over float32 (`f32`) or float16 (`f16`) rows, connectivity 16, expansion_add 200."""

import numpy as np
from usearch.index import Index


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def __init__(self, data, variant):
        metric = "l2sq" if data.is_l2 else "ip"
        self.index = Index(ndim=data.dim, metric=metric, dtype=variant, connectivity=16, expansion_add=200)

    def build(self, base, threads):
        self.index.add(np.arange(len(base)), base, threads=threads)

    def save(self, cache):
        self.index.save(str(cache / "index"))

    def load(self, cache):
        self.index.load(str(cache / "index"))

    def search(self, queries, k, expansion, threads):
        self.index.expansion_search = expansion
        return self.index.search(queries, k, threads=threads).keys
