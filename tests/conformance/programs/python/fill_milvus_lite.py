"""Fills a milvus-lite with what is to be migrated: more rows than a page of a read has, in no order of their keys; nulls,
sparse vectors, undeclared keys, text keys, a partition."""

import random
import sys

from pymilvus import DataType, MilvusClient

client = MilvusClient(f"http://{sys.argv[-1]}")
rng = random.Random(7)
ROWS = 3000
DIM = 512

schema = client.create_schema(enable_dynamic_field=True)
schema.add_field("id", DataType.INT64, is_primary=True)
schema.add_field("name", DataType.VARCHAR, max_length=64, nullable=True)
schema.add_field("weight", DataType.FLOAT)
schema.add_field("precise", DataType.DOUBLE)
schema.add_field("flag", DataType.BOOL)
schema.add_field("document", DataType.JSON)
schema.add_field("numbers", DataType.ARRAY, element_type=DataType.INT64, max_capacity=8)
schema.add_field("v", DataType.FLOAT_VECTOR, dim=DIM)
schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
index = client.prepare_index_params()
index.add_index("v", index_type="HNSW", metric_type="L2", params={"M": 16, "efConstruction": 100})
index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
client.create_collection("birds", schema=schema, index_params=index)
client.create_partition("birds", "north")
ids = list(range(-ROWS // 2, ROWS // 2))
rng.shuffle(ids)
rows = [
    {
        "id": id,
        "name": None if id % 5 == 0 else f"bird {id}",
        "weight": id / 4,
        "precise": id / 3,
        "flag": id % 2 == 0,
        "document": {"id": id, "list": [1, "two"]},
        "numbers": [id, -id],
        "v": [rng.random() for _ in range(DIM)],
        "words": {abs(id): 0.5, ROWS + 1: 1.5},
        "colour": "red" if id % 3 else "blue",
    }
    for id in ids
]
for at in range(0, ROWS, 500):
    client.insert("birds", rows[at : at + 500], partition_name="north" if at % 1000 == 0 else "_default")
client.delete("birds", filter="id in [0, 1, 2]")

schema = client.create_schema()
schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=32)
schema.add_field("v", DataType.FLOAT_VECTOR, dim=8)
index = client.prepare_index_params()
index.add_index("v", index_type="FLAT", metric_type="COSINE")
client.create_collection("texts", schema=schema, index_params=index)
client.insert("texts", [{"key": f"käy {at:05}", "v": [rng.random() for _ in range(8)]} for at in range(300)])
print("filled")
