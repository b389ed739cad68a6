"""Enough rows that indexes are built over them, and how good what they find is."""

import time

import numpy as np
from cases import same
from pymilvus import DataType

DIM = 64
# A little more than 4 MiB of vectors: fewer get no index.
ROWS = 17_500
QUERIES = 40
LIMIT = 10
BATCH = 3_500
BUILD_SECONDS_MAX = 300


def clustered(count, seed, dim=DIM):
    """A mixture of 200 clusters in 12 latent dimensions, mapped to `dim`, with a little noise; as embeddings are."""
    shape = np.random.default_rng(1)
    centres = shape.standard_normal((200, 12))
    spread = shape.standard_normal((12, dim)) / np.sqrt(12)
    draw = np.random.default_rng(seed)
    latent = centres[draw.integers(0, 200, count)] + 0.5 * draw.standard_normal((count, 12))
    return (latent @ spread + 0.05 * draw.standard_normal((count, dim))).astype(np.float32)


VECTORS = clustered(ROWS, seed=2)
ASKED = clustered(QUERIES, seed=3)


def collection(client, name, kind="FLOAT_VECTOR", vectors=VECTORS):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("v", getattr(DataType, kind), dim=vectors.shape[1])
    client.create_collection(name, schema=schema, consistency_level="Strong")
    insert(client, name, vectors)


def insert(client, name, vectors):
    for start in range(0, len(vectors), BATCH):
        part = vectors[start : start + BATCH]
        sent = part.tolist() if part.dtype == np.float32 else list(part)
        rows = [{"id": start + i, "group": (start + i) % 100, "v": v} for i, v in enumerate(sent)]
        client.insert(name, rows)


def make_index(client, name, index_type, metric, build):
    """Makes the index and waits for it; returns the shares of the rows that it was seen to have."""
    index = client.prepare_index_params()
    index.add_index("v", index_type=index_type, metric_type=metric, params=build)
    client.create_index(name, index, sync=False)
    seen = []
    deadline = time.monotonic() + BUILD_SECONDS_MAX
    while True:
        described = client.describe_index(name, "v")
        total, indexed = described["total_rows"], described["indexed_rows"]
        same(total, indexed + described["pending_index_rows"])
        seen.append(indexed / total)
        if described["state"] == "Finished":
            return seen
        assert described["state"] == "InProgress", described
        assert time.monotonic() < deadline, f"not finished: {described}"
        time.sleep(0.05)


def drop_index(client, name):
    client.release_collection(name)
    client.drop_index(name, "v")


def nearest(metric, vectors, query):
    vectors, query = (array.astype(np.float64, copy=False) for array in (vectors, query))
    if metric == "L2":
        return np.sum((vectors - query) ** 2, axis=1)
    scores = vectors @ query
    if metric == "COSINE":
        scores = scores / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
    return -scores


# With the arrays that they were made of, so that no others get their ids.
_orders = {}


def by_nearness(metric, vectors=VECTORS, asked=ASKED):
    """All rows for each query, nearest first: worked out once, as it takes longer than most searches."""
    key = (metric, id(vectors), id(asked))
    if key not in _orders:
        exact = vectors.astype(np.float64)
        orders = np.array([np.argsort(nearest(metric, exact, query)) for query in asked])
        _orders[key] = (orders, vectors, asked)
    return _orders[key][0]


def recall(client, name, metric, search, vectors=VECTORS, asked=ASKED, allowed=None, **options):
    sent = asked.tolist() if asked.dtype == np.float32 else list(asked)
    found = client.search(name, sent, limit=LIMIT, anns_field="v", search_params={"params": search}, **options)
    same(len(found), len(asked))
    hits = 0
    for order, got in zip(by_nearness(metric, vectors, asked), found):
        ids = [hit["id"] for hit in got]
        same(len(set(ids)), LIMIT)
        if allowed is not None:
            assert all(allowed[ids]), f"a row that the filter forbids: {ids}"
            order = order[allowed[order]]
        hits += len(set(ids) & set(order[:LIMIT].tolist()))
    return hits / (LIMIT * len(asked))


def reaches(client, name, wanted, metric, search, **options):
    got = recall(client, name, metric, search, **options)
    assert got >= wanted, f"recall {got}, not {wanted}"
