"""Scalable Vector Search: Vamana over float32 rows, 32 links, window 200."""

import svs


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def __init__(self, data, variant):
        self.distance = svs.DistanceType.L2 if data.is_l2 else svs.DistanceType.MIP
        self.alpha = 1.2 if data.is_l2 else 0.95

    def build(self, base, threads):
        parameters = svs.VamanaBuildParameters(alpha=self.alpha, graph_max_degree=32, window_size=200)
        self.index = svs.Vamana.build(parameters, base, self.distance, num_threads=threads)

    def save(self, cache):
        self.index.save(*[str(cache / part) for part in ("config", "graph", "vectors")])

    def load(self, cache):
        config, graph, vectors = (str(cache / part) for part in ("config", "graph", "vectors"))
        self.index = svs.Vamana(config, svs.GraphLoader(graph), svs.VectorDataLoader(vectors), self.distance)

    def search(self, queries, k, window, threads):
        if self.index.num_threads != threads:
            self.index.num_threads = threads
        self.index.search_window_size = window
        return self.index.search(queries, k)[0]
