"""What a Python program sees: rows inserted and queries answered a second by pymilvus, one after the other."""

import json
import random
import sys
import time

from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections

DIM, ROWS, BATCH_ROWS = 128, 20_000, 1_000

host, port = sys.argv[1:3]
QUERIES = int(sys.argv[3])
connections.connect(host=host, port=port)
schema = CollectionSchema(
    [FieldSchema("id", DataType.INT64, is_primary=True), FieldSchema("vector", DataType.FLOAT_VECTOR, dim=DIM)]
)
collection = Collection("pymilvus_bench", schema)
collection.create_index("vector", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
collection.load()
draw = random.Random(8)
batch = [[draw.random() for _ in range(DIM)] for _ in range(BATCH_ROWS)]


def per_second(count, action):
    started = time.perf_counter()
    for at in range(count):
        action(at)
    return count / (time.perf_counter() - started)


def insert(at):
    collection.insert([list(range(at * BATCH_ROWS, (at + 1) * BATCH_ROWS)), batch])


def search(at):
    found = collection.search([batch[at % BATCH_ROWS]], "vector", {"metric_type": "L2", "params": {}}, limit=10)
    assert len(found[0]) == 10


def query(at):
    found = collection.query(f"id in {[(at * 37 + key * 101) % ROWS for key in range(10)]}")
    assert len(found) == 10


figures = {"insert 1000 x 128": BATCH_ROWS * per_second(ROWS // BATCH_ROWS, insert)}
time.sleep(2)  # Milvus shows rows about 200 ms after it acknowledged them.
search(0), query(0)
figures["search 20000 x 128"] = per_second(QUERIES, search)
figures["query 10 keys"] = per_second(QUERIES, query)
collection.drop()
print(json.dumps(figures))
