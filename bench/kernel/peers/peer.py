"""One library in a process of its own. It answers lines of JSON on standard input by lines of JSON.

    peer.py ADAPTER DATA CACHE

ADAPTER is a module of `adapters`, with an optional variant behind a colon; DATA a folder of make_data.py; CACHE where
the library's index is kept. Commands: `build` (with two threads, to CACHE), `open` (from CACHE), `search`, `filter`.
"""

import ctypes
import importlib
import json
import os
import pathlib
import sys
import time

# Whatever a library prints goes to the log: standard output is for answers only.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np  # noqa: E402, after the variable above, which its libraries may read

K = 10


class Data:
    """A data set of make_data.py with float32 elements, or bits."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.shape = json.loads((self.folder / "shape.json").read_text())
        self.rows, self.dim, self.metric = self.shape["rows"], self.shape["dim"], self.shape["metric"]
        self.queries = self.read("queries")

    @property
    def is_l2(self):
        """Otherwise the inner product ranks: rows of the cosine data have length 1."""
        return self.metric == "L2"

    def base(self):
        return self.read("base")

    def read(self, name):
        dtype, width = ("u1", self.dim // 8) if self.shape["element"] == "bits" else ("<f4", self.dim)
        return np.fromfile(self.folder / name, dtype).reshape(-1, width)


class Peer:
    def __init__(self, adapter, data, cache):
        module, _, variant = adapter.partition(":")
        self.data, self.cache = Data(data), pathlib.Path(cache)
        self.library = importlib.import_module(f"adapters.{module}").Library(self.data, variant)

    def build(self, threads):
        base = self.data.base()
        self.cache.mkdir(parents=True, exist_ok=True)
        started, processor_started = time.perf_counter(), time.process_time()
        self.library.build(base, threads)
        built = {
            "buildSeconds": time.perf_counter() - started,
            "buildProcessorSeconds": time.process_time() - processor_started,
        }
        self.library.save(self.cache)
        return built

    def open(self):
        before = resident_bytes()
        self.library.load(self.cache)
        self.library.search(self.data.queries, K, self.library.KNOBS[0], 1)
        give_back_free_memory()
        return {
            "memoryBytes": resident_bytes() - before,
            "memoryMeans": "growth of resident memory",
            "knobs": self.library.KNOBS,
        }

    def search(self, knob, calls, threads, seconds, ids):
        def search(queries):
            return self.library.search(queries, K, knob, threads)

        def one_by_one(queries):
            return np.concatenate([search(queries[at : at + 1]) for at in range(len(queries))])

        clock = time.process_time if threads == 1 else time.perf_counter
        return timed(search if calls == "batch" else one_by_one, self.data.queries, clock, seconds, ids)

    def filter(self, knob, allowed, shared, queries, seconds, ids):
        """Searches under bitmaps read from the file `allowed`: one for all of the first `queries`, or one for each."""
        few = self.data.queries[:queries]
        bitmaps = np.fromfile(allowed, np.uint8).reshape(1 if shared else queries, -1)
        search = self.library.filtered(bitmaps, K, knob)
        return timed(search, few, time.process_time, seconds, ids)


def timed(search, queries, clock, seconds, ids):
    """Queries a second over as many passes as take `seconds`, after a few queries that warm up; answers to `ids`.

    One thread is timed by the processor time that it gets, which other programs cannot lengthen by their turns.
    """
    search(queries[: len(queries) // 10])
    passes, started = 0, clock()
    while True:
        found = search(queries)
        passes += 1
        elapsed = clock() - started
        if elapsed >= seconds:
            break
    if ids:
        np.ascontiguousarray(found, dtype=np.int32).tofile(ids)
    return {"queriesPerSecond": passes * len(queries) / elapsed}


def resident_bytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def give_back_free_memory():
    """So that what was only needed for loading does not count as the index's memory."""
    ctypes.CDLL(None).malloc_trim(0)


peer = Peer(*sys.argv[1:4])
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = getattr(peer, command.pop("do"))(**command)
    except Exception as error:  # The answer to the driver, which says which library it was.
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers)
os._exit(0)  # Some libraries wait for ever for threads of their own.
