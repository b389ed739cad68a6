"""VSAG: HGraph with 32 links over 8-bit codes, reranked in float32. It has no batch: queries are handed over singly."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyvsag

pyvsag.set_logger_off()


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def __init__(self, data, variant):
        self.data = data

    def new_index(self, threads):
        graph = {
            "base_quantization_type": "sq8",
            "use_reorder": True,
            "precise_quantization_type": "fp32",
            "max_degree": 32,
            "ef_construction": 200,
            "build_thread_count": threads,
        }
        metric = "l2" if self.data.is_l2 else "ip"
        parameters = {"dtype": "float32", "metric_type": metric, "dim": self.data.dim, "index_param": graph}
        return pyvsag.Index("hgraph", json.dumps(parameters))

    def build(self, base, threads):
        self.index = self.new_index(threads)
        self.index.build(base.reshape(-1), np.arange(len(base)), len(base), self.data.dim)

    def save(self, cache):
        self.index.save(str(cache / "index"))

    def load(self, cache):
        self.index = self.new_index(1)
        self.index.load(str(cache / "index"))

    def search(self, queries, k, ef, threads):
        parameters = json.dumps({"hgraph": {"ef_search": ef}})

        def run(part):
            return [self.index.knn_search(query, k, parameters)[0] for query in part]

        if threads == 1:
            return np.stack(run(queries))
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate([np.stack(part) for part in pool.map(run, np.array_split(queries, threads))])
