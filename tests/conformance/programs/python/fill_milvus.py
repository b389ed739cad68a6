"""Fills a Milvus 2.3 with what is to be migrated: collections with keys of both kinds, partitions, a partition key, undeclared
keys, aliases and indexes."""

import sys

import numpy as np
from pymilvus import (
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    connections,
    db,
    utility,
)

host, port = sys.argv[-1].split(":")
connections.connect("default", host=host, port=port)
random = np.random.default_rng(7)
ROWS = 2500
DIM = 16


def fields(key, *more):
    return [key, FieldSchema("v", DataType.FLOAT_VECTOR, dim=DIM), *more]


birds = Collection(
    "birds",
    CollectionSchema(
        fields(
            FieldSchema("id", DataType.INT64, is_primary=True),
            FieldSchema("name", DataType.VARCHAR, max_length=64),
            FieldSchema("weight", DataType.FLOAT),
            FieldSchema("precise", DataType.DOUBLE),
            FieldSchema("flag", DataType.BOOL),
            FieldSchema("tiny", DataType.INT8),
            FieldSchema("document", DataType.JSON),
            FieldSchema("numbers", DataType.ARRAY, element_type=DataType.INT64, max_capacity=8),
        ),
        enable_dynamic_field=True,
    ),
    shards_num=2,
)
birds.create_partition("north")
for partition, first in [("_default", 0), ("north", 10_000)]:
    rows = [
        {
            "id": first + at,
            "v": random.random(DIM).astype(np.float32).tolist(),
            "name": f"bird {at}",
            "weight": at / 4,
            "precise": at / 3,
            "flag": at % 2 == 0,
            "tiny": at % 100,
            "document": {"at": at, "list": [1, "two"]},
            "numbers": [at, -at],
            "colour": "red" if at % 3 else "blue",
        }
        for at in range(ROWS)
    ]
    birds.insert(rows, partition_name=partition)
birds.flush()
birds.create_index("v", {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 16, "efConstruction": 100}})
birds.create_index("name", {"index_type": "Trie"}, index_name="names")
birds.create_index("weight", {"index_type": "STL_SORT"}, index_name="weights")
utility.create_alias("birds", "flock")
birds.load()

tenants = Collection(
    "tenants",
    CollectionSchema(
        fields(
            FieldSchema("key", DataType.VARCHAR, is_primary=True, max_length=32),
            FieldSchema("tenant", DataType.INT64, is_partition_key=True),
        )
    ),
    num_partitions=4,
)
tenants.insert(
    [
        {"key": f"käy {at:05}", "v": random.random(DIM).astype(np.float32).tolist(), "tenant": at % 7}
        for at in range(ROWS)
    ]
)
tenants.flush()
tenants.create_index("v", {"index_type": "FLAT", "metric_type": "COSINE", "params": {}})

unindexed = Collection(
    "unindexed",
    CollectionSchema(
        [
            FieldSchema("id", DataType.INT64, is_primary=True),
            FieldSchema("bits", DataType.BINARY_VECTOR, dim=64),
        ]
    ),
)
unindexed.insert([{"id": at, "bits": random.bytes(8)} for at in range(300)])
unindexed.flush()

db.create_database("second")
db.using_database("second")
generated = Collection(
    "generated", CollectionSchema(fields(FieldSchema("id", DataType.INT64, is_primary=True, auto_id=True)))
)
generated.insert([{"v": random.random(DIM).astype(np.float32).tolist()} for _ in range(300)])
generated.flush()
generated.create_index("v", {"index_type": "FLAT", "metric_type": "IP", "params": {}})
print("filled")
