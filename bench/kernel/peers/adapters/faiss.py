"""faiss: IndexHNSWFlat (`flat`), HNSW over 8-bit codes with exact reranking (`sq8`), NSG (`nsg`)."""

import faiss

REFINED = 2  # Candidates reranked exactly, for each row asked for.


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640]

    def __init__(self, data, variant):
        self.dim, self.variant = data.dim, variant
        self.metric = faiss.METRIC_L2 if data.is_l2 else faiss.METRIC_INNER_PRODUCT

    def build(self, base, threads):
        faiss.omp_set_num_threads(threads)
        self.index = getattr(self, f"new_{self.variant}")()
        self.index.train(base)
        self.index.add(base)

    def new_flat(self):
        index = faiss.IndexHNSWFlat(self.dim, 16, self.metric)
        index.hnsw.efConstruction = 200
        return index

    def new_sq8(self):
        self.codes = faiss.IndexHNSWSQ(self.dim, faiss.ScalarQuantizer.QT_8bit, 16, self.metric)
        self.codes.hnsw.efConstruction = 200
        return faiss.IndexRefineFlat(self.codes)

    def new_nsg(self):
        index = faiss.IndexNSGFlat(self.dim, 32, self.metric)
        index.build_type = 1
        index.GK = 64
        return index

    def save(self, cache):
        faiss.write_index(self.index, str(cache / "index"))

    def load(self, cache):
        self.index = faiss.read_index(str(cache / "index"))
        if self.variant == "sq8":
            self.codes = faiss.downcast_index(self.index.base_index)

    def search(self, queries, k, ef, threads):
        faiss.omp_set_num_threads(threads)
        if self.variant == "nsg":
            self.index.nsg.search_L = ef
        elif self.variant == "flat":
            self.index.hnsw.efSearch = ef
        else:
            self.codes.hnsw.efSearch = ef
            self.index.k_factor = REFINED
        return self.index.search(queries, k)[1]
