"""Writes the bitmaps of the filtered measurements, and the score of each query's 10th best allowed row.

    make_filters.py DATA FOLDER

Each cell allows a share of the rows. `random`: the same draw for all queries. Of the others each query has its own:
`far`: the rows around the one that is farthest from it; `near`: the rows nearest to it; `farthest`: the farthest rows
themselves, whose best are a crowd of rows about as far away. Bitmaps have one bit a row, least significant first.
"""

import json
import pathlib
import sys

import numpy as np

SHARES = [0.5, 0.1, 0.01, 0.001]
QUERIES, K = 200, 10
# Of the allowed rows that seem best by sums of float32, so many are looked at closely.
CANDIDATES = 50


def nearness(queries, base, metric):
    """Larger is nearer; rows and queries of COSINE have length 1."""
    products = queries @ base.T
    if metric != "L2":
        return products
    return 2 * products - (base * base).sum(axis=1) - (queries * queries).sum(axis=1)[:, None]


def kth_best(queries, base, near, allowed, metric):
    """The score of each query's K-th best allowed row, summed in float64: those of `near` may be off by a crowd of rows."""
    best = np.argpartition(np.where(allowed, -near, np.inf), CANDIDATES, axis=1)[:, :CANDIDATES]
    rows, asked = base[best].astype(np.float64), queries.astype(np.float64)
    if metric == "L2":
        return np.sort(((rows - asked[:, None, :]) ** 2).sum(axis=2), axis=1)[:, K - 1]
    return -np.sort(-np.einsum("qrd,qd->qr", rows, asked), axis=1)[:, K - 1]


def nearest(near, count):
    """Which `count` rows are nearest, for each query."""
    allowed = np.zeros(near.shape, bool)
    np.put_along_axis(allowed, np.argpartition(-near, count, axis=1)[:, :count], True, axis=1)
    return allowed


def main(data, folder):
    data, folder = pathlib.Path(data), pathlib.Path(folder)
    shape = json.loads((data / "shape.json").read_text())
    base = np.fromfile(data / "base", "<f4").reshape(-1, shape["dim"])
    queries = np.fromfile(data / "queries", "<f4").reshape(-1, shape["dim"])[:QUERIES]
    near = nearness(queries, base, shape["metric"])
    around = nearness(base[near.argmin(axis=1)], base, shape["metric"])
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for share in SHARES:
        count = round(share * len(base))
        drawn = np.zeros((1, len(base)), bool)
        drawn[0, np.random.default_rng(7).permutation(len(base))[:count]] = True
        kinds = {"random": drawn, "far": nearest(around, count), "near": nearest(near, count), "farthest": nearest(-near, count)}
        for kind, allowed in kinds.items():
            name = f"{kind}-{share * 100:g}"
            np.packbits(allowed, axis=1, bitorder="little").tofile(folder / f"{name}.bits")
            kth_best(queries, base, near, allowed, shape["metric"]).astype("<f4").tofile(folder / f"{name}.kth")
            cells.append({"name": name, "kind": kind, "share": share, "shared": len(allowed) == 1, "queries": QUERIES})
    (folder / "cells.json").write_text(json.dumps(cells))


main(*sys.argv[1:])
