"""Writes one data set of the kernel's benchmark: base rows, queries and the exact best scores of each query.

    make_data.py NAME ELEMENT FOLDER [PACKAGES]

NAME is l2-128, cosine-768 or packages (read from the folder PACKAGES), ELEMENT float32, float16, bfloat16 or int8.
The answers are those of the rows as they are stored, after rounding to ELEMENT. NAME hamming-512 has ELEMENT bits: signs of
random projections; further rows, for scans of more than caches hold, lie in the file `more`.
"""

import json
import pathlib
import sys

import numpy as np

MIXTURES = {
    "l2-128": {"rows": 200_000, "dim": 128, "metric": "L2", "seed": 128},
    "cosine-768": {"rows": 100_000, "dim": 768, "metric": "COSINE", "seed": 768},
}
QUERIES, CENTRES, LATENT, SPREAD, NOISE = 2_000, 1_000, 24, 0.7, 0.05
TRUTH = 100
BITS, BIT_ROWS, MORE_BIT_ROWS, BIT_QUERIES, STRETCH = 512, 1_000_000, 3_200_000, 1_000, 50_000


class Mixture:
    """Gaussians in a latent space of few dimensions, mapped linearly to `dim`, with a little noise in all of them."""

    def __init__(self, dim, seed):
        self.random = np.random.default_rng(seed)
        self.weights = self.random.gamma(2.0, size=CENTRES)
        self.centres = self.random.standard_normal((CENTRES, LATENT), dtype=np.float32)
        self.to_dim = self.random.standard_normal((LATENT, dim), dtype=np.float32) / np.float32(np.sqrt(LATENT))

    def draw(self, rows):
        random, dim = self.random, self.to_dim.shape[1]
        members = random.choice(CENTRES, size=rows, p=self.weights / self.weights.sum())
        latent = self.centres[members] + SPREAD * random.standard_normal((rows, LATENT), dtype=np.float32)
        return latent @ self.to_dim + NOISE * random.standard_normal((rows, dim), dtype=np.float32)


def mixture(rows, dim, metric, seed):
    vectors = Mixture(dim, seed).draw(rows + QUERIES)
    if metric == "COSINE":
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors[:rows].copy(), vectors[rows:].copy(), metric


def packages(folder):
    base = np.fromfile(folder / "vectors.f16", "<f2").reshape(-1, 384).astype(np.float32)
    return base, np.fromfile(folder / "queries.f32", "<f4").reshape(-1, 384), "IP"


def rounder(element, base):
    """Two functions: from float32 to the stored bytes, and to the float32 values that these mean."""
    if element == "float32":
        return lambda x: x, lambda x: x
    if element == "float16":
        return lambda x: x.astype("<f2"), lambda x: x.astype("<f2").astype(np.float32)
    if element == "bfloat16":

        def bits(x):
            whole = x.view(np.uint32)
            return ((whole + 0x7FFF + ((whole >> 16) & 1)) >> 16).astype("<u2")

        return bits, lambda x: (bits(x).astype(np.uint32) << 16).view(np.float32)
    scale = 127 / np.quantile(np.abs(base[:10_000]), 0.9999)
    small = lambda x: np.clip(np.rint(x * scale), -127, 127).astype(np.int8)
    return small, lambda x: small(x).astype(np.float32)


def best_scores(base, queries, metric):
    """The TRUTH best scores of each query, best first: squared distances, inner products or cosines."""
    if metric == "COSINE":
        base = base / np.linalg.norm(base, axis=1, keepdims=True)
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    squares = (base * base).sum(axis=1)
    best = np.empty((len(queries), TRUTH), np.float32)
    for at in range(0, len(queries), 100):
        scores = queries[at : at + 100] @ base.T
        if metric == "L2":
            scores = 2 * scores - squares
        near = np.argpartition(-scores, TRUTH, axis=1)[:, :TRUTH]
        best[at : at + 100] = exact_scores(base, queries[at : at + 100], near, metric)
    return best


def exact_scores(base, queries, near, metric):
    """The scores of the rows `near` each query, summed in float64 and put in order."""
    rows = base[near].astype(np.float64)
    if metric == "L2":
        return np.sort(((rows - queries[:, None, :]) ** 2).sum(axis=2), axis=1)
    return -np.sort(-np.einsum("qrd,qd->qr", rows, queries.astype(np.float64)), axis=1)


def signs(folder):
    """Writes the data set of bits, and says how large it is."""
    mixed = Mixture(128, seed=512)
    directions = mixed.random.standard_normal((128, BITS), dtype=np.float32)

    def draw(rows):
        parts = [mixed.draw(min(STRETCH, rows - at)) @ directions > 0 for at in range(0, rows, STRETCH)]
        return np.packbits(np.concatenate(parts), axis=1)

    queries, base = draw(BIT_QUERIES), draw(BIT_ROWS)
    queries.tofile(folder / "queries")
    base.tofile(folder / "base")
    least_different(base, queries).tofile(folder / "truth")
    draw(MORE_BIT_ROWS).tofile(folder / "more")
    return {"rows": BIT_ROWS, "dim": BITS, "metric": "HAMMING", "element": "bits", "queries": BIT_QUERIES, "truth": TRUTH}


def least_different(base, queries):
    """How many bits each query's TRUTH nearest rows differ in, the nearest first."""
    best = np.full((len(queries), 0), BITS, np.float32)
    plus_minus = lambda bits: np.unpackbits(bits, axis=1).astype(np.float32) * 2 - 1
    asked = plus_minus(queries)
    for at in range(0, len(base), STRETCH):
        differing = (BITS - asked @ plus_minus(base[at : at + STRETCH]).T) / 2
        best = np.concatenate([best, differing], axis=1)
        best = np.partition(best, TRUTH - 1, axis=1)[:, :TRUTH]
    return np.sort(best, axis=1).astype(np.float32)


def main(name, element, folder, packages_folder=None):
    if name == "hamming-512":
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "shape.json").write_text(json.dumps(signs(folder)))
        return
    base, queries, metric = packages(pathlib.Path(packages_folder)) if name == "packages" else mixture(**MIXTURES[name])
    stored, meant = rounder(element, base)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stored(base).tofile(folder / "base")
    stored(queries).tofile(folder / "queries")
    best_scores(meant(base), meant(queries), metric).tofile(folder / "truth")
    shape = {"rows": len(base), "dim": base.shape[1], "metric": metric, "element": element}
    (folder / "shape.json").write_text(json.dumps({**shape, "queries": len(queries), "truth": TRUTH}))


main(*sys.argv[1:])
