"""hnswlib, M 16, efConstruction 200."""

import hnswlib

from adapters.hnswlib_bitmap import BitmapHnsw


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1280, 2560]

    def __init__(self, data, variant):
        self.data, self.bitmap_hnsw = data, None
        self.index = hnswlib.Index("l2" if data.is_l2 else "ip", data.dim)

    def build(self, base, threads):
        self.index.init_index(len(base), M=16, ef_construction=200, random_seed=1)
        self.index.add_items(base, num_threads=threads)

    def save(self, cache):
        self.index.save_index(str(cache / "index"))

    def load(self, cache):
        self.file = cache / "index"
        self.index.load_index(str(self.file))

    def search(self, queries, k, ef, threads):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k, num_threads=threads)[0]

    def filtered(self, bitmaps, k, ef):
        """Each query under its bitmap, through the same graph opened once more by C++."""
        self.bitmap_hnsw = self.bitmap_hnsw or BitmapHnsw(self.file, self.data.dim, self.data.is_l2)
        return lambda queries: self.bitmap_hnsw.search(queries, k, ef, bitmaps)
