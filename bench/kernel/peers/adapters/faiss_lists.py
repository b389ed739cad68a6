"""faiss' inverted lists: vectors (`ivf-flat`), 8-bit codes (`ivf-sq8`, `ivf-sq8-refined`), and codes of 4 bits (`ivf-pq`,
`scann`) or one bit a dimension (`ivf-rabitq`), scanned 32 at a time; all but the first two with exact reranking."""

import faiss

from adapters.lists import lists_for, probes_and_refined, probes_for, refined_probes_for

UNREFINED = ["ivf-flat", "ivf-sq8"]


class Library:
    def __init__(self, data, variant):
        self.dim, self.variant, self.lists = data.dim, variant, lists_for(data.rows)
        self.KNOBS = (probes_for if variant in UNREFINED else refined_probes_for)(data.rows)
        self.metric = faiss.METRIC_L2 if data.is_l2 else faiss.METRIC_INNER_PRODUCT

    def build(self, base, threads):
        faiss.omp_set_num_threads(threads)
        codes = {
            "ivf-flat": "Flat",
            "ivf-sq8": "SQ8",
            "ivf-sq8-refined": "SQ8,RFlat",
            "ivf-pq": f"PQ{self.dim // 4}x4fs,RFlat",
            "scann": f"PQ{self.dim // 2}x4fs,RFlat",
            "ivf-rabitq": "RaBitQfs,RFlat",
        }[self.variant]
        self.index = faiss.index_factory(self.dim, f"IVF{self.lists},{codes}", self.metric)
        self.index.train(base)
        self.index.add(base)

    def save(self, cache):
        faiss.write_index(self.index, str(cache / "index"))

    def load(self, cache):
        self.index = faiss.read_index(str(cache / "index"))

    def search(self, queries, k, knob, threads):
        faiss.omp_set_num_threads(threads)
        probes, refined = probes_and_refined(knob)
        faiss.extract_index_ivf(self.index).nprobe = probes
        if hasattr(self.index, "k_factor"):
            self.index.k_factor = refined
        return self.index.search(queries, k)[1]
