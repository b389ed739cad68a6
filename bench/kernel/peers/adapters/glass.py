"""Glass: HNSW with 32 links, efConstruction 200, walked on 8-bit codes, reranked in float32."""

import glass


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def __init__(self, data, variant):
        self.data, self.metric = data, "L2" if data.is_l2 else "IP"

    def build(self, base, threads):
        glass.set_num_threads(threads)
        self.graph = glass.Index("HNSW", self.metric, quant="SQ8U", R=32, L=200).build(base)

    def save(self, cache):
        self.graph.save(str(cache / "index"))

    def load(self, cache):
        graph = glass.Graph(str(cache / "index"))
        self.searcher = glass.Searcher(graph, self.data.base(), self.metric, "SQ8U", "FP32")
        self.searcher.optimize(1)

    def search(self, queries, k, ef, threads):
        self.searcher.set_ef(ef)
        return self.searcher.batch_search(queries, k, threads)[0]
