"""AlayaLite: HNSW with 32 links over RaBitQ codes, efConstruction 200."""

import alayalite
import numpy as np
from alayalite.schema import save_schema


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 900]

    def __init__(self, data, variant):
        self.data = data

    def build(self, base, threads):
        self.index = alayalite.Client().create_index(
            "index",
            index_type="hnsw",
            quantization_type="rabitq",
            metric="l2" if self.data.is_l2 else "ip",
            capacity=len(base),
            max_nbrs=32,
        )
        self.index.fit(base, ef_construction=200, num_threads=threads)

    def save(self, cache):
        save_schema(str(cache / "index/schema.json"), self.index.save(str(cache / "index")))

    def load(self, cache):
        self.index = alayalite.Index.load(str(cache), "index")

    def search(self, queries, k, ef, threads):
        return np.asarray(self.index.batch_search(queries, k, ef, threads))
