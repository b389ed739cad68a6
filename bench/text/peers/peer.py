"""One library in a process of its own. It answers lines of JSON on standard input by lines of JSON.

    peer.py LIBRARY DATA CACHE

LIBRARY is tantivy, bm25s, scipy or seismic; DATA a folder of make_data.py; CACHE where the library keeps files.
Commands: `build` (one thread), `search` (one query a call, one thread; `knob` is the library's own).
"""

import ctypes
import json
import os
import pathlib
import shutil
import sys
import time

# Whatever a library prints goes to the log: standard output is for answers only.
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402, after the variables above

K = 10
PAIR = np.dtype([("dimension", "<u4"), ("value", "<f4")])


class Sparse:
    """Rows of pairs of dimension and value."""

    def __init__(self, folder, name):
        self.pairs = np.fromfile(folder / name, PAIR)
        self.starts = np.fromfile(folder / f"{name}-offsets", "<u4").astype(np.int64) // 8

    def __len__(self):
        return len(self.starts) - 1

    def row(self, at):
        pairs = self.pairs[self.starts[at] : self.starts[at + 1]]
        return pairs["dimension"].copy(), pairs["value"].copy()


class Tantivy:
    """Words split at blanks, with their frequencies and without positions; one segment."""

    knobs = [0]

    def __init__(self, data, cache):
        import tantivy

        self.tantivy, self.data, self.cache = tantivy, data, cache / "tantivy"
        self.scale = 1

    def build(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        self.cache.mkdir(parents=True)
        texts = open(self.data / "texts").read().split("\n")[:-1]
        started = time.process_time()
        builder = self.tantivy.SchemaBuilder()
        builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
        self.schema = builder.build()
        self.index = self.tantivy.Index(self.schema, path=str(self.cache))
        writer = self.index.writer(heap_size=1_000_000_000, num_threads=1)
        for text in texts:
            writer.add_document(self.tantivy.Document(text=text))
        writer.commit()
        writer.wait_merging_threads()
        seconds = time.process_time() - started
        self.index.reload()
        self.searcher = self.index.searcher()
        return seconds

    def queries(self):
        lines = (self.data / "query-texts").read_text().split("\n")[:-1]
        return [self.query(line.split()) for line in lines]

    def query(self, words):
        terms = [self.tantivy.Query.term_query(self.schema, "text", word, "freq") for word in words]
        return self.tantivy.Query.boolean_query([(self.tantivy.Occur.Should, term) for term in terms])

    def no_hits(self):
        return self.query(["zzzzzzzzzz"])

    def search(self, query, knob):
        return [score for score, _ in self.searcher.search(query, K, count=False).hits]

    def file_bytes(self):
        return sum(file.stat().st_size for file in self.cache.rglob("*") if file.is_file())


class Bm25s:
    knobs = [0]

    def __init__(self, data, cache):
        import bm25s

        self.bm25s, self.data, self.cache = bm25s, data, cache / "bm25s"
        self.scale = 2.2  # it leaves out the factor k1 + 1

    def build(self):
        texts = [line.split() for line in open(self.data / "texts").read().split("\n")[:-1]]
        started = time.process_time()
        self.index = self.bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        self.index.index(texts, show_progress=False)
        return time.process_time() - started

    def queries(self):
        return [[line.split()] for line in (self.data / "query-texts").read_text().split("\n")[:-1]]

    def no_hits(self):
        return [["zzzzzzzzzz"]]

    def search(self, query, knob):
        found = self.index.retrieve(query, k=K, show_progress=False, n_threads=0)
        return found.scores[0].tolist()

    def file_bytes(self):
        self.index.save(str(self.cache))
        return sum(file.stat().st_size for file in self.cache.rglob("*") if file.is_file())


class Scipy:
    """The product of a sparse row with the transposed matrix: it reads the lists of the query's terms."""

    knobs = [0]

    def __init__(self, data, cache):
        import scipy.sparse

        self.sparse, self.data, self.cache = scipy.sparse, data, cache
        self.scale = 1

    def matrix(self, rows):
        columns, values = rows.pairs["dimension"].astype(np.int32), rows.pairs["value"]
        return self.sparse.csr_matrix((values, columns, rows.starts.astype(np.int32)), (len(rows), self.dimensions))

    def build(self):
        base, self.asked = Sparse(self.data, "base"), Sparse(self.data, "queries")
        self.dimensions = int(max(base.pairs["dimension"].max(), self.asked.pairs["dimension"].max())) + 2
        started = time.process_time()
        self.transposed = self.matrix(base).T.tocsr()
        return time.process_time() - started

    def queries(self):
        matrix = self.matrix(self.asked)
        return [matrix[at] for at in range(matrix.shape[0])]

    def no_hits(self):
        return self.sparse.csr_matrix(([1.0], ([0], [self.dimensions - 1])), (1, self.dimensions), dtype=np.float32)

    def search(self, query, knob):
        scores = (query @ self.transposed).data
        if len(scores) > K:
            scores = scores[np.argpartition(-scores, K)[:K]]
        return np.sort(scores)[::-1].tolist()

    def file_bytes(self):
        return self.transposed.data.nbytes + self.transposed.indices.nbytes + self.transposed.indptr.nbytes


class Seismic:
    """Approximate: the knob is how many terms of a query are looked up, and how good a block must be."""

    knobs = [(10, 0.9), (20, 0.8), (40, 0.7), (120, 0.6)]

    def __init__(self, data, cache):
        import seismic

        self.seismic, self.data, self.cache = seismic, data, cache / "seismic"
        self.scale = 1

    def build(self):
        base, self.asked = Sparse(self.data, "base"), Sparse(self.data, "queries")
        end = int(max(base.pairs["dimension"].max(), self.asked.pairs["dimension"].max())) + 2
        self.names = np.array([str(number) for number in range(end)], dtype=self.seismic.get_seismic_string())
        started = time.process_time()
        dataset = self.seismic.SeismicDataset()
        for at in range(len(base)):
            dimensions, values = base.row(at)
            dataset.add_document(str(at), self.names[dimensions], values)
        self.index = self.seismic.SeismicIndex.build_from_dataset(dataset, num_threads=1)
        return time.process_time() - started

    def queries(self):
        rows = [self.asked.row(at) for at in range(len(self.asked))]
        return [(self.names[dimensions], values) for dimensions, values in rows]

    def no_hits(self):
        return self.names[-1:], np.ones(1, np.float32)

    def search(self, query, knob):
        cut, factor = knob
        found = self.index.search("0", query[0], query[1], k=K, query_cut=cut, heap_factor=factor)
        return [score for _, score, _ in found]

    def file_bytes(self):
        self.cache.mkdir(parents=True, exist_ok=True)
        self.index.save(str(self.cache / "index"))
        return sum(file.stat().st_size for file in self.cache.rglob("*") if file.is_file())


LIBRARIES = {"tantivy": Tantivy, "bm25s": Bm25s, "scipy": Scipy, "seismic": Seismic}


class Peer:
    def __init__(self, library, data, cache):
        self.data = pathlib.Path(data)
        self.library = LIBRARIES[library](self.data, pathlib.Path(cache))
        self.truth = np.fromfile(self.data / "truth", "<f4").reshape(-1, K)

    def build(self):
        before = resident_bytes()
        seconds = self.library.build()
        ctypes.CDLL(None).malloc_trim(0)
        memory = resident_bytes() - before
        self.queries = self.library.queries()
        knobs = self.library.knobs
        return {"seconds": seconds, "memoryBytes": memory, "fileBytes": self.library.file_bytes(), "knobs": knobs}

    def search(self, knob, seconds):
        found = [self.library.search(query, knob) for query in self.queries]
        wanted = sum(int((truth > 0).sum()) for truth in self.truth)
        right = sum(
            sum(score * self.library.scale >= truth[K - 1] * (1 - 1e-5) and score > 0 for score in scores)
            for scores, truth in zip(found, self.truth)
        )
        exact = sum(
            sum(abs(score * self.library.scale - best) <= 1e-4 * best for score, best in zip(scores, truth) if best > 0)
            for scores, truth in zip(found, self.truth)
        )
        speed = self.timed(self.queries, knob, seconds)
        empty = self.timed([self.library.no_hits()] * 100, knob, min(seconds, 0.5))
        return {
            "queriesPerSecond": speed,
            "found": min(right / wanted, 1),
            "exact": exact / wanted,
            "callMicroseconds": 1e6 / empty,
        }

    def timed(self, queries, knob, seconds):
        passes, started = 0, time.process_time()
        while True:
            for query in queries:
                self.library.search(query, knob)
            passes += 1
            elapsed = time.process_time() - started
            if elapsed >= seconds:
                return passes * len(queries) / elapsed


def resident_bytes():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


peer = Peer(*sys.argv[1:4])
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = getattr(peer, command.pop("do"))(**command)
    except Exception as error:  # The answer to the driver, which says which library it was.
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), file=answers)
os._exit(0)  # Some libraries wait for ever for threads of their own.
