"""turbovec: a scan of 4-bit codes, as many candidates as the knob says, reranked exactly."""

import os

os.environ["RAYON_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import turbovec  # noqa: E402, after the variable above, which it reads once


class Library:
    KNOBS = [10, 14, 20, 28, 40, 56, 80, 112, 160]

    def __init__(self, data, variant):
        assert not data.is_l2, "turbovec ranks by inner products only"
        self.data = data

    def build(self, base, threads):
        self.index = turbovec.TurboQuantIndex(dim=self.data.dim, bit_width=4)
        self.index.calibrate(np.random.default_rng(1).choice(base, 2_000, replace=False))
        self.index.add(base)

    def save(self, cache):
        self.index.write(str(cache / "index"))

    def load(self, cache):
        self.index, self.base = turbovec.TurboQuantIndex.load(str(cache / "index")), self.data.base()
        self.index.prepare()

    def search(self, queries, k, candidates, threads):
        """On one thread whatever `threads` says."""
        return self.rerank(queries, self.index.search(queries, candidates)[1], k)

    def filtered(self, bitmaps, k, candidates):
        masks = np.unpackbits(bitmaps, axis=1, bitorder="little", count=self.data.rows).astype(bool)
        last = len(masks) - 1

        def one(query, mask):
            return self.rerank(query, self.index.search(query, candidates, mask=mask)[1], k)

        def all_of(queries):
            return np.concatenate([one(queries[at : at + 1], masks[min(at, last)]) for at in range(len(queries))])

        return all_of

    def rerank(self, queries, found, k):
        scores = np.matmul(self.base[found], queries[:, :, None])[:, :, 0]
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        return np.take_along_axis(found, best, axis=1)
