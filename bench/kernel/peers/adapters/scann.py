"""ScaNN: partitions, 4-bit product codes of two dimensions each, candidates reordered exactly."""

from math import sqrt

from scann.scann_ops.py import scann_ops_pybind

from adapters.lists import lists_for, probes_and_refined, refined_probes_for


class Library:
    def __init__(self, data, variant):
        self.is_same = variant == "same"
        self.KNOBS = refined_probes_for(data.rows)
        self.data, self.metric = data, "squared_l2" if data.is_l2 else "dot_product"

    def build(self, base, threads):
        rows = len(base)
        # As many as the other indexes of lists have, where it is compared with them.
        leaves = lists_for(rows) if self.is_same else int(2 * sqrt(rows))
        builder = scann_ops_pybind.builder(base, 10, self.metric).set_n_training_threads(threads)
        tree = builder.tree(num_leaves=leaves, num_leaves_to_search=leaves // 10, training_sample_size=len(base))
        self.index = tree.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(100).build()

    def save(self, cache):
        (cache / "index").mkdir(exist_ok=True)
        self.index.serialize(str(cache / "index"))

    def load(self, cache):
        self.index = scann_ops_pybind.load_searcher(str(cache / "index"))

    def search(self, queries, k, knob, threads):
        leaves, refined = probes_and_refined(knob)
        asked = {"final_num_neighbors": k, "pre_reorder_num_neighbors": k * refined, "leaves_to_search": leaves}
        if threads == 1:
            return self.index.search_batched(queries, **asked)[0]
        self.index.set_num_threads(threads)
        return self.index.search_batched_parallel(queries, **asked)[0]
