"""Writes the bitmaps of the filtered measurements, and the score of each query's 10th best allowed row.

    make_filters.py DATA FOLDER

Each cell allows a share of the rows: `random`, the same draw for all queries, or `far`, for each query the rows around
the one that is farthest from it. (The farthest rows themselves would be a shell of ties that no filter of a user's
looks like.) Bitmaps have one bit a row, least significant first.
"""

import json
import pathlib
import sys

import numpy as np

SHARES = [0.5, 0.1, 0.01, 0.001]
QUERIES, K = 200, 10


def main(data, folder):
    data, folder = pathlib.Path(data), pathlib.Path(folder)
    shape = json.loads((data / "shape.json").read_text())
    assert shape["metric"] == "IP", "larger scores are taken as nearer"
    base = np.fromfile(data / "base", "<f4").reshape(-1, shape["dim"])
    queries = np.fromfile(data / "queries", "<f4").reshape(-1, shape["dim"])[:QUERIES]
    scores = queries @ base.T
    around = base[scores.argmin(axis=1)] @ base.T
    folder.mkdir(parents=True, exist_ok=True)
    cells = []
    for share in SHARES:
        count = round(share * len(base))
        drawn = np.zeros((1, len(base)), bool)
        drawn[0, np.random.default_rng(7).permutation(len(base))[:count]] = True
        far = np.zeros(scores.shape, bool)
        np.put_along_axis(far, np.argpartition(-around, count, axis=1)[:, :count], True, axis=1)
        for kind, allowed in (("random", drawn), ("far", far)):
            name = f"{kind}-{share * 100:g}"
            np.packbits(allowed, axis=1, bitorder="little").tofile(folder / f"{name}.bits")
            kth = -np.sort(-np.where(allowed, scores, -np.inf), axis=1)[:, K - 1]
            kth.astype("<f4").tofile(folder / f"{name}.kth")
            cells.append({"name": name, "kind": kind, "share": share, "shared": len(allowed) == 1, "queries": QUERIES})
    (folder / "cells.json").write_text(json.dumps(cells))


main(*sys.argv[1:])
