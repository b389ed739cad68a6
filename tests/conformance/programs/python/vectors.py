"""Vectors of every type, and distances by brute force."""

import ml_dtypes
import numpy as np
from pymilvus import DataType

DIM = 16


def random_vectors(kind, count, seed):
    """`count` vectors as a client sends them: numpy arrays, bytes (binary) or dicts (sparse)."""
    random = np.random.default_rng(seed)
    if kind == "BINARY_VECTOR":
        return [random.integers(0, 256, DIM // 8, dtype=np.uint8).tobytes() for _ in range(count)]
    if kind == "SPARSE_FLOAT_VECTOR":
        return [_random_sparse(random) for _ in range(count)]
    if kind == "INT8_VECTOR":
        return list(random.integers(-128, 128, (count, DIM), dtype=np.int8))
    return list(random.standard_normal((count, DIM)).astype(NUMPY_TYPES[kind]))


NUMPY_TYPES = {
    "FLOAT_VECTOR": np.float32,
    "FLOAT16_VECTOR": np.float16,
    "BFLOAT16_VECTOR": ml_dtypes.bfloat16,
    "INT8_VECTOR": np.int8,
}


def _random_sparse(random):
    indexes = random.choice(100_000, 12, replace=False) % 300
    return {int(index): float(value) for index, value in zip(indexes, random.random(12, np.float32))}


def sendable(kind, vector):
    """What pymilvus takes in a row: it wants float32 vectors as lists."""
    return vector.tolist() if kind == "FLOAT_VECTOR" else vector


def received(kind, value):
    """A vector as it came back, in the form of `random_vectors`."""
    if kind == "SPARSE_FLOAT_VECTOR":
        return value
    if kind == "BINARY_VECTOR":
        return value[0] if isinstance(value, list) else value
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], bytes):
        value = value[0]
    if isinstance(value, bytes):
        return np.frombuffer(value, NUMPY_TYPES[kind])
    return np.array(value, NUMPY_TYPES[kind])


def scores(kind, metric, vectors, query):
    """The score of each vector by definition of the metric, in float64."""
    return np.array([_score(kind, metric, vector, query) for vector in vectors])


def _score(kind, metric, vector, query):
    if kind == "SPARSE_FLOAT_VECTOR":
        return sum(value * query.get(index, 0.0) for index, value in vector.items())
    if kind == "BINARY_VECTOR":
        a, b = _bits(vector), _bits(query)
        if metric == "HAMMING":
            return float(np.sum(a != b))
        return 1.0 - np.sum(a & b) / np.sum(a | b)
    a, b = vector.astype(np.float64), query.astype(np.float64)
    if metric == "L2":
        return float(np.sum((a - b) ** 2))
    if metric == "IP":
        return float(a @ b)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def _bits(data):
    return np.unpackbits(np.frombuffer(data, np.uint8))


def smaller_is_better(metric):
    return metric in ("L2", "HAMMING", "JACCARD")


def best_first(metric, found):
    """The positions of the scores, best first; equal ones by position, which is the key."""
    order = found if smaller_is_better(metric) else -found
    return np.argsort(order, kind="stable")


def data_type(kind):
    return getattr(DataType, kind)


def add_vector_field(schema, name, kind):
    options = {} if kind == "SPARSE_FLOAT_VECTOR" else {"dim": DIM}
    schema.add_field(name, data_type(kind), **options)


def plainest_index(kind):
    """The plainest index that vectors of this type can have."""
    plainest = {
        "BINARY_VECTOR": "BIN_FLAT",
        "SPARSE_FLOAT_VECTOR": "SPARSE_INVERTED_INDEX",
        "INT8_VECTOR": "AUTOINDEX",
    }
    return plainest.get(kind, "FLAT")
