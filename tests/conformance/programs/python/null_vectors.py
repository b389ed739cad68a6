"""Vectors that may be null: stored, returned, never found, with and without an index."""

import numpy as np
from cases import case, run_cases, same
from pymilvus import DataType

ROWS = 3000
DIM = 8


def make(client, name, data_type, index_type, metric, **options):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", data_type, nullable=True, **options)
    index = client.prepare_index_params()
    index.add_index("v", index_type=index_type, metric_type=metric, params={})
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def dense(random):
    return random.normal(size=DIM).astype(np.float32).tolist()


for index_type in ["FLAT", "HNSW", "AUTOINDEX"]:

    @case(f"rows without a vector are never found through {index_type}", since="3.0")
    def never_found(client, name, index_type=index_type):
        random = np.random.default_rng(7)
        options = {"M": 16, "efConstruction": 100} if index_type == "HNSW" else {}
        schema = client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("v", DataType.FLOAT_VECTOR, nullable=True, dim=DIM)
        index = client.prepare_index_params()
        index.add_index("v", index_type=index_type, metric_type="L2", params=options)
        client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        vectors = {n: None if n % 3 == 0 else dense(random) for n in range(ROWS)}
        for first in range(0, ROWS, 1000):
            client.insert(name, [{"id": n, "v": vectors[n]} for n in range(first, first + 1000)])
        client.flush(name)
        present = {n: np.asarray(v) for n, v in vectors.items() if v is not None}
        query = np.zeros(DIM, np.float32)
        nearest = sorted(present, key=lambda n: float(((present[n] - query) ** 2).sum()))
        found = client.search(name, [query.tolist()], limit=10, search_params={"params": {"ef": 200}})[0]
        same([hit["id"] for hit in found], nearest[:10])
        hits = client.search(name, [query.tolist()], limit=100, filter="id < 30", search_params={"params": {"ef": 200}})
        same(sorted(hit["id"] for hit in hits[0]), [n for n in range(30) if n % 3 != 0])
        rows = client.query(name, "id < 4", output_fields=["v"])
        same([None if row["v"] is None else list(row["v"]) for row in rows], [vectors[n] for n in range(4)])
        same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], ROWS)
        client.upsert(name, [{"id": nearest[0], "v": None}])
        found = client.search(name, [query.tolist()], limit=10, search_params={"params": {"ef": 200}})[0]
        same([hit["id"] for hit in found], nearest[1:11])


# By name: older clients do not know all of them.
KINDS = [
    ("FLOAT16_VECTOR", "FLAT", "L2", {"dim": 2}, lambda n: np.asarray([n, 1], np.float16)),
    ("INT8_VECTOR", "HNSW", "L2", {"dim": 2}, lambda n: np.asarray([n, 1], np.int8)),
    ("BINARY_VECTOR", "BIN_FLAT", "HAMMING", {"dim": 8}, lambda n: bytes([n])),
    ("SPARSE_FLOAT_VECTOR", "SPARSE_INVERTED_INDEX", "IP", {}, lambda n: {1: float(n + 1), 7: 0.5}),
]


def register(type_name, index_type, metric, options, value):
    @case(f"{type_name} may be null", since="3.0")
    def nullable(client, name):
        make(client, name, DataType[type_name], index_type, metric, **options)
        client.insert(name, [{"id": n, "v": value(n) if n % 2 else None} for n in range(6)])
        client.flush(name)
        client.insert(name, [{"id": n, "v": value(n) if n % 2 else None} for n in range(6, 10)])
        found = client.search(name, [value(1)], limit=10)[0]
        same(sorted(hit["id"] for hit in found), [1, 3, 5, 7, 9])
        rows = client.query(name, "id >= 0", output_fields=["v"])
        same([row["id"] for row in rows if row["v"] is None], [0, 2, 4, 6, 8])


for kind in KINDS:
    register(*kind)


if __name__ == "__main__":
    run_cases()
