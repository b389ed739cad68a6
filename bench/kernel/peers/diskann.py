"""diskannpy over the vectors of disk_bench: recall, queries a second and blocks read for a query, with the memory of searches.

    diskann.py FOLDER KEPT

KEPT nodes are cached. Links, rows considered for them and bytes of a code in memory are those of disk_bench.
"""

import pathlib
import resource
import shutil
import sys
import time

import diskannpy
import numpy as np

DIM, K, LINKS, CONSIDERED, CODE_BYTES = 128, 10, 48, 100, 64
LISTS = (10, 12, 16, 20, 24, 32, 48, 64, 100, 150)
BEAM_WIDTHS = (2, 4, 8)
BLOCK = 4096


def number_in(path, key):
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise KeyError(key)


def processor_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def build(folder, vectors):
    index = folder / "diskann"
    if index.exists():
        return index
    # A build that was cut short is no index.
    part = folder / "diskann.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    before = processor_seconds()
    diskannpy.build_disk_index(
        data=vectors,
        distance_metric="l2",
        index_directory=str(part),
        complexity=CONSIDERED,
        graph_degree=LINKS,
        search_memory_maximum=CODE_BYTES * len(vectors) / 2**30,
        build_memory_maximum=4,
        num_threads=1,
    )
    part.rename(index)
    print(f"diskannpy: built in {processor_seconds() - before:.1f} s of processor time", flush=True)
    return index


def main(folder, kept):
    folder = pathlib.Path(folder)
    vectors = np.fromfile(folder / "vectors", np.float32).reshape(-1, DIM)
    queries = np.fromfile(folder / "queries", np.float32).reshape(-1, DIM)
    nearest = np.fromfile(folder / "nearest", np.uint32).reshape(len(queries), K)
    size = vectors.nbytes
    where = build(folder, vectors)
    del vectors
    anonymous, mapped = (number_in("/proc/self/status", key) for key in ("RssAnon", "RssFile"))
    index = diskannpy.StaticDiskIndex(index_directory=str(where), num_threads=2, num_nodes_to_cache=int(kept))
    index.batch_search(queries, K, 150, 1, 4)
    print(f"{'beam':>8} {'list':>8} {'recall':>8} {'queries/s':>10} {'of processor':>12} {'reads':>8}")
    for width in BEAM_WIDTHS:
        for complexity in LISTS:
            read, used, start = number_in("/proc/self/io", "read_bytes"), processor_seconds(), time.perf_counter()
            found = index.batch_search(queries, K, complexity, 1, width).identifiers
            seconds, used = time.perf_counter() - start, processor_seconds() - used
            read = (number_in("/proc/self/io", "read_bytes") - read) / BLOCK / len(queries)
            hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, nearest, strict=True))
            recall = hits / nearest.size
            print(
                f"{width:8} {complexity:8} {recall:8.4f} {len(queries) / seconds:10.0f} {len(queries) / used:12.0f} {read:8.1f}",
                flush=True,
            )
    own = 1024 * (number_in("/proc/self/status", "RssAnon") - anonymous)
    files = 1024 * (number_in("/proc/self/status", "RssFile") - mapped)
    print(f"memory of searches: {own / 1e6:.1f} MB own, {files / 1e6:.1f} MB mapped: {100 * (own + files) / size:.1f} % of the vectors'")


main(*sys.argv[1:])
