"""NGT: its plain graph (ANNG) with 20 links, swept by epsilon. Its batch takes all threads, so queries go in singly."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

import ngtpy
import numpy as np


class Library:
    KNOBS = [0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22]

    def __init__(self, data, variant):
        self.data, self.distance = data, "L2" if data.is_l2 else "Normalized Cosine"

    def build(self, base, threads):
        """Into a folder: NGT keeps an index in files from the start."""
        self.folder = tempfile.mkdtemp()
        path = f"{self.folder}/index"
        ngtpy.create(path, self.data.dim, edge_size_for_creation=20, distance_type=self.distance)
        index = ngtpy.Index(path, log_disabled=True)
        index.batch_insert(base, num_threads=threads)
        index.save()
        index.close()

    def save(self, cache):
        shutil.move(f"{self.folder}/index", cache / "index")
        shutil.rmtree(self.folder)

    def load(self, cache):
        self.index = ngtpy.Index(str(cache / "index"), read_only=True, log_disabled=True)

    def search(self, queries, k, epsilon, threads):
        def run(part):
            found = np.full((len(part), k), -1, np.int32)
            for at, query in enumerate(part):
                rows = self.index.search(query, k, epsilon, with_distance=False)
                found[at, : len(rows)] = rows
            return found

        if threads == 1:
            return run(queries)
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(run, np.array_split(queries, threads))))
