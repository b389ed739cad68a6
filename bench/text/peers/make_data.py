"""Writes a data set of the text benchmark: sparse rows and queries, and the scores of the best rows.

    make_data.py NAME FOLDER PACKAGES

NAME is `packages` (word counts of all summaries and descriptions), `packages-10` (all of them ten times) or `learned`
(vectors of about 120 terms, as learned sparse encoders make them). PACKAGES is the folder of the Debian packages.

Sparse vectors are pairs of uint32 dimension and float32 value, dimensions ascending; `*-offsets` cuts them, in bytes.
`texts` has the words of each row in a line, `query-texts` those of each query.
"""

import gzip
import json
import pathlib
import re
import sys
import zlib

import numpy as np

WORD = re.compile(r"[a-z0-9]+")
QUERIES = 1200
TRUTH = 10
K1, B = 1.2, 0.75
# Of the learned-like vectors.
LEARNED_TERMS = 120
LEARNED_VOCABULARY = 16_000
ROWS_AT_ONCE = 1024


def read_words(packages):
    rows = map(json.loads, gzip.open(packages / "packages.jsonl.gz", "rt", encoding="utf-8"))
    texts = [WORD.findall(f"{row['summary']} {row['description']}".lower()) for row in rows]
    queries = [WORD.findall(json.loads(line)["text"].lower()) for line in open(packages / "queries.jsonl")]
    return texts, queries


def short_queries(queries):
    """One to six words that follow each other, the same every time."""
    random = np.random.default_rng(1)
    cut = []
    for number, words in enumerate(queries[:QUERIES]):
        count = min(number % 6 + 1, len(words))
        first = int(random.integers(len(words) - count + 1))
        cut.append(words[first : first + count])
    return cut


def dimensions_of(vocabulary):
    """The 32-bit hash of each word; of two words with the same one the second takes the next."""
    taken = set()
    for word in vocabulary:
        dimension = zlib.crc32(word.encode())
        while dimension in taken:
            dimension = (dimension + 1) % (2**32 - 1)
        taken.add(dimension)
        vocabulary[word] = dimension


class Vectors:
    """Rows of (dimension, value) that grow at the end."""

    def __init__(self):
        self.dimensions, self.values, self.ends = [], [], [0]

    def push(self, dimensions, values):
        order = np.argsort(dimensions, kind="stable")
        self.dimensions.append(np.asarray(dimensions, np.uint32)[order])
        self.values.append(np.asarray(values, np.float32)[order])
        self.ends.append(self.ends[-1] + len(order))

    def arrays(self, copies=1):
        dimensions, values = np.concatenate(self.dimensions), np.concatenate(self.values)
        ends = np.asarray(self.ends, np.int64)
        starts = np.concatenate([ends[:-1] + copy * ends[-1] for copy in range(copies)] + [[copies * ends[-1]]])
        return np.tile(dimensions, copies), np.tile(values, copies), starts


def write(folder, name, dimensions, values, starts):
    pairs = np.empty(len(values), [("dimension", "<u4"), ("value", "<f4")])
    pairs["dimension"], pairs["value"] = dimensions, values
    pairs.tofile(folder / name)
    (starts * 8).astype("<u4").tofile(folder / f"{name}-offsets")


def count_vectors(texts, vocabulary):
    vectors = Vectors()
    for words in texts:
        counts = {}
        for word in words:
            dimension = vocabulary.get(word)
            if dimension is not None:
                counts[dimension] = counts.get(dimension, 0) + 1
        vectors.push(list(counts), list(counts.values()))
    return vectors


def best_scores(base, weights, queries):
    """The best scores of each query, in double precision: row by row of what each of its terms adds."""
    dimensions, _, starts = base
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.argsort(dimensions, kind="stable")
    sorted_dimensions, rows, weights = dimensions[order], rows[order], weights[order]
    best = np.zeros((len(queries[2]) - 1, TRUTH), np.float32)
    scores = np.zeros(len(starts) - 1)
    for query in range(len(best)):
        scores[:] = 0
        for at in range(queries[2][query], queries[2][query + 1]):
            begin, end = np.searchsorted(sorted_dimensions, queries[0][at], "left"), np.searchsorted(
                sorted_dimensions, queries[0][at], "right"
            )
            scores[rows[begin:end]] += weights[begin:end] * np.float64(queries[1][at])
        best[query] = -np.sort(-scores[np.argpartition(-scores, TRUTH)[: TRUTH + 1]])[:TRUTH]
    return best


def make_counts(folder, packages, copies):
    texts, long_queries = read_words(packages)
    vocabulary = dict.fromkeys(word for words in texts for word in words)
    dimensions_of(vocabulary)
    queries = short_queries(long_queries)
    base = count_vectors(texts, vocabulary).arrays(copies)
    dimensions, values, starts = base
    lengths = np.add.reduceat(np.append(values, 0), starts[:-1]) * (np.diff(starts) > 0)
    count = len(starts) - 1
    average = lengths.sum() / count
    unique, frequencies = np.unique(dimensions, return_counts=True)
    idf = dict(zip(unique.tolist(), np.log1p((count - frequencies + 0.5) / (frequencies + 0.5)).tolist()))
    asked = count_vectors(queries, vocabulary)
    for at, terms in enumerate(asked.dimensions):
        asked.values[at] = np.asarray([idf[term] for term in terms.tolist()], np.float32) * asked.values[at]
    asked = asked.arrays()
    norms = K1 * (1 - B + B * np.repeat(lengths, np.diff(starts)) / average)
    weights = values.astype(np.float64) * (K1 + 1) / (values + norms)
    write(folder, "base", *base)
    write(folder, "queries", *asked)
    with open(folder / "texts", "w") as file:
        for _ in range(copies):
            file.writelines(" ".join(words) + "\n" for words in texts)
    (folder / "query-texts").write_text("".join(" ".join(words) + "\n" for words in queries))
    best_scores(base, weights, asked).tofile(folder / "truth")
    return {"metric": "BM25", "k1": K1, "b": B, "averageLength": average, "rows": count, "pairs": len(values)}


def make_learned(folder, packages):
    """A row's own words and those that rows like it use, by the embeddings of rows and of words (the mean of theirs)."""
    texts, queries = read_words(packages)
    words, frequencies = np.unique(np.concatenate([list(set(words)) for words in texts if words]), return_counts=True)
    kept = words[np.argsort(-frequencies, kind="stable")[50 : 50 + LEARNED_VOCABULARY]]
    number = {word: at for at, word in enumerate(kept.tolist())}
    rows = np.fromfile(packages / "vectors.f16", "<f2").reshape(-1, 384).astype(np.float32)
    asked = np.fromfile(packages / "queries.f32", "<f4").reshape(-1, 384)
    of_words = np.zeros((len(kept), 384), np.float32)
    for text, row in zip(texts, rows):
        for word in set(text):
            if word in number:
                of_words[number[word]] += row
    of_words /= np.linalg.norm(of_words, axis=1, keepdims=True)
    sample = rows[:: len(rows) // 4096] @ of_words.T
    mean, deviation = sample.mean(axis=0), sample.std(axis=0)

    def encode(embeddings, texts):
        vectors = Vectors()
        for first in range(0, len(embeddings), ROWS_AT_ONCE):
            likeness = (embeddings[first : first + ROWS_AT_ONCE] @ of_words.T - mean) / deviation
            for at, row in enumerate(likeness):
                own = [number[word] for word in set(texts[first + at]) if word in number]
                row[own] += 3
                best = np.argpartition(-row, LEARNED_TERMS)[:LEARNED_TERMS]
                weights = np.log1p(np.maximum(row[best], 0))
                vectors.push(best[weights > 0], weights[weights > 0])
        return vectors.arrays()

    base, asked = encode(rows, texts), encode(asked, queries)
    write(folder, "base", *base)
    write(folder, "queries", *asked)
    best_scores(base, base[1].astype(np.float64), asked).tofile(folder / "truth")
    return {"metric": "IP", "rows": len(base[2]) - 1, "pairs": len(base[1])}


def main(name, folder, packages):
    folder, packages = pathlib.Path(folder), pathlib.Path(packages)
    folder.mkdir(parents=True, exist_ok=True)
    shape = make_learned(folder, packages) if name == "learned" else make_counts(folder, packages, 10 if name.endswith("-10") else 1)
    (folder / "shape.json").write_text(json.dumps({**shape, "queries": QUERIES, "truth": TRUTH}, indent=2))


main(*sys.argv[1:4])
