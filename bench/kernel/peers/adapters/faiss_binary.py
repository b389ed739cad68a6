"""faiss' inverted lists of binary vectors."""

import faiss

from adapters.lists import lists_for, probes_for


class Library:
    def __init__(self, data, variant):
        self.dim, self.lists = data.dim, lists_for(data.rows)
        self.KNOBS = probes_for(data.rows)

    def build(self, base, threads):
        faiss.omp_set_num_threads(threads)
        quantizer = faiss.IndexBinaryFlat(self.dim)
        self.index = faiss.IndexBinaryIVF(quantizer, self.dim, self.lists)
        # The index does not keep what it is made of alive.
        self.quantizer = quantizer
        # As many as ours learns a list from.
        self.index.cp.max_points_per_centroid = 64
        self.index.train(base)
        self.index.add(base)

    def save(self, cache):
        faiss.write_index_binary(self.index, str(cache / "index"))

    def load(self, cache):
        # What is found in it lives as long as what was read.
        self.read = faiss.read_index_binary(str(cache / "index"))
        self.index = faiss.downcast_IndexBinary(self.read)

    def search(self, queries, k, probes, threads):
        faiss.omp_set_num_threads(threads)
        self.index.nprobe = probes
        return self.index.search(queries, k)[1]
