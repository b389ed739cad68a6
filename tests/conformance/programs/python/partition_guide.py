"""Partitions from their creation to their end, by MilvusClient."""

import os
import sys

from pymilvus import DataType, MilvusClient
from steps import step

client = MilvusClient(f"http://{sys.argv[-1]}", timeout=30)
NAME = f"orchard_{os.getpid()}"


def create_orchard():
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("tree", DataType.INT64, is_primary=True)
    schema.add_field("kind", DataType.VARCHAR, max_length=32)
    schema.add_field("leaf", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(NAME, schema=schema, consistency_level="Strong")
    index = client.prepare_index_params()
    index.add_index("leaf", index_type="FLAT", metric_type="L2")
    client.create_index(NAME, index)


def states(*partitions):
    found = {"orchard": state_name(client.get_load_state(NAME))}
    for partition in partitions:
        found[partition] = state_name(client.get_load_state(NAME, partition))
    return found


def state_name(answer):
    return answer["state"].name


def create_partition(partition):
    client.create_partition(NAME, partition)
    return client.list_partitions(NAME)


def drop_partition(partition):
    client.drop_partition(NAME, partition)
    return client.list_partitions(NAME)


def load_partitions(partitions, **options):
    client.load_partitions(NAME, partitions, **options)
    return states("north", "south")


def release_partitions(partitions):
    client.release_partitions(NAME, partitions)
    return states("north", "south")


def plant(partition, trees):
    rows = [{"tree": tree, "kind": kind, "leaf": [tree, 0], "age": tree * 10} for tree, kind in trees]
    return client.insert(NAME, rows, partition_name=partition)["insert_count"]


def trees(filter="tree > 0", **options):
    rows = client.query(NAME, filter, output_fields=["tree"], **options)
    return sorted(row["tree"] for row in rows)


def nearest(partitions, **options):
    hits = client.search(NAME, [[0.0, 0.0]], limit=10, partition_names=partitions, **options)[0]
    return [hit["tree"] if "tree" in hit else hit["id"] for hit in hits]


def delete(filter, partition):
    client.delete(NAME, filter=filter, partition_name=partition)
    return trees()


def replace(partition, tree, kind):
    row = {"tree": tree, "kind": kind, "leaf": [tree, 0], "age": 0}
    client.upsert(NAME, [row], partition_name=partition)
    return client.query(NAME, f"tree == {tree}", output_fields=["kind"])[0]["kind"]


def row_count(partition):
    client.flush(NAME)
    return int(client.get_partition_stats(NAME, partition)["row_count"])


def query_fields(filter, fields):
    rows = client.query(NAME, filter, output_fields=fields)
    return [{field: row[field] for field in fields} for row in rows]


def load_all():
    client.load_collection(NAME)
    return states("_default", "north", "south")


def release_all():
    client.release_collection(NAME)
    return states("_default", "north", "south")


def new_partition_of_loaded_collection():
    client.create_partition(NAME, "west")
    plant("west", [(20, "quince")])
    return trees(partition_names=["west"])


create_orchard()
step("a new collection has the default partition", lambda: client.list_partitions(NAME))
step("a partition is created", lambda: create_partition("north"))
step("another partition is created", lambda: create_partition("south"))
step("creating a partition again changes nothing", lambda: create_partition("south"))
step("a partition that exists is found", lambda: client.has_partition(NAME, "north"))
step("a partition that does not exist is not found", lambda: client.has_partition(NAME, "east"))
step("nothing is loaded at first", lambda: states("_default", "north", "south"))
step("rows go into a named partition", lambda: plant("north", [(1, "apple"), (2, "pear"), (3, "plum")]))
step("rows go into another partition", lambda: plant("south", [(4, "apple"), (5, "fig"), (6, "pear")]))
step("rows without a partition go into the default one", lambda: plant("", [(7, "apple"), (8, "cherry")]))
step("rows can't go into an unknown partition", lambda: plant("east", [(9, "apple")]))
step("a partition counts its rows", lambda: row_count("south"))
step("a query of a released collection is refused", lambda: trees())
step("one partition is loaded", lambda: load_partitions(["north"]))
step("a query finds the rows of the loaded partition", lambda: trees())
step("a query of a released partition is refused", lambda: trees(partition_names=["south"]))
step("a loaded partition can't be dropped", lambda: drop_partition("north"))
step("several partitions are loaded in one call", lambda: load_partitions(["north", "south"]))
step("a query finds the rows of both", lambda: trees())
step("a query can be kept to one partition", lambda: trees(partition_names=["south"]))
step("a filter and a partition work together", lambda: trees('kind == "pear"', partition_names=["south"]))
step("a search can be kept to one partition", lambda: nearest(["south"]))
step("a search can be kept to several partitions", lambda: nearest(["south", "north"]))
step("a search in a partition takes a filter", lambda: nearest(["north"], filter='kind != "pear"'))
step("a query of an unknown partition is refused", lambda: trees(partition_names=["east"]))
step("a search of an unknown partition is refused", lambda: nearest(["east"]))
step("a delete in the wrong partition deletes nothing", lambda: delete("tree == 5", "north"))
step("a delete in its partition deletes", lambda: delete("tree == 5", "south"))
step("an upsert in a partition replaces the row", lambda: replace("south", 6, "peach"))
step("one partition is released", lambda: release_partitions(["south"]))
step("several partitions are released in one call", lambda: release_partitions(["north", "south"]))
step("the whole collection is loaded", lambda: load_all())
step("a query finds the rows of all partitions", lambda: trees())
step("a partition made after the load can be read", lambda: new_partition_of_loaded_collection())
step("the whole collection is released", lambda: release_all())
step("loading an unknown partition is refused", lambda: load_partitions(["east"]))
step(
    "some fields of a partition are loaded",
    lambda: load_partitions(["north"], load_fields=["tree", "leaf"], skip_load_dynamic_field=True),
)
step("a loaded field is returned", lambda: query_fields("tree < 3", ["tree"]))
step("a field that was left out is not returned", lambda: query_fields("tree < 3", ["kind"]))
step("a field that was left out is no filter", lambda: trees('kind == "apple"'))
step("the dynamic field that was left out is no filter", lambda: trees("age == 10"))
step(
    "a load with other fields is refused",
    lambda: load_partitions(["north"], load_fields=["tree", "leaf", "kind"]),
)
step("the partition is released again", lambda: release_partitions(["north"]))
step(
    "the primary key can't be left out of a load",
    lambda: load_partitions(["north"], load_fields=["kind", "leaf"]),
)
step("a released partition is dropped", lambda: drop_partition("south"))
step("dropping an unknown partition changes nothing", lambda: drop_partition("south"))
step("the default partition can't be dropped", lambda: drop_partition("_default"))
step("the rows of a dropped partition are gone", lambda: (client.load_collection(NAME), trees())[1])
client.drop_collection(NAME)
