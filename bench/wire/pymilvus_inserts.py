"""Rows that a Python program inserts a second: batches of 5,000 vectors of 128 dimensions from one numpy array."""

import sys
import time

import numpy
from pymilvus import DataType, MilvusClient

DIM, BATCH_ROWS = 128, 5_000

host, port, rows = sys.argv[1:4]
client = MilvusClient(f"http://{host}:{port}")
schema = client.create_schema()
schema.add_field("id", DataType.INT64, is_primary=True)
schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
client.create_collection("inserted_by_pymilvus", schema=schema)
vectors = numpy.random.default_rng(8).random((BATCH_ROWS, DIM), dtype=numpy.float32)
started = time.perf_counter()
for first in range(0, int(rows), BATCH_ROWS):
    data = [{"id": first + at, "vector": vector} for at, vector in enumerate(vectors)]
    client.insert("inserted_by_pymilvus", data)
print(int(rows) / (time.perf_counter() - started))
client.drop_collection("inserted_by_pymilvus")
