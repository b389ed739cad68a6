"""Partitions from their creation to their end, in ORM style."""

import os
import sys

from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, Partition, connections, utility
from steps import step

connections.connect("orchards", uri=f"http://{sys.argv[-1]}")
NAME = f"orchard_orm_{os.getpid()}"


def create_orchard():
    fields = [
        FieldSchema("tree", DataType.INT64, is_primary=True),
        FieldSchema("kind", DataType.VARCHAR, max_length=32),
        FieldSchema("leaf", DataType.FLOAT_VECTOR, dim=2),
    ]
    schema = CollectionSchema(fields, enable_dynamic_field=True)
    collection = Collection(NAME, schema, using="orchards", consistency_level="Strong")
    collection.create_index("leaf", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
    return collection


orchard = create_orchard()


def partition_names():
    return [partition.name for partition in orchard.partitions]


def create_partition(name):
    Partition(orchard, name)
    return partition_names()


def drop_partition(name):
    orchard.drop_partition(name)
    return partition_names()


def states(*partitions):
    found = {"orchard": utility.load_state(NAME, using="orchards").name}
    for partition in partitions:
        found[partition] = utility.load_state(NAME, [partition], using="orchards").name
    return found


def load_partitions(partitions):
    orchard.load(partitions)
    return states("north", "south")


def load_fields(fields, **options):
    Partition(orchard, "north").load(load_fields=fields, **options)
    return states("north", "south")


def release_partition(name):
    Partition(orchard, name).release()
    return states("north", "south")


def release_partitions(partitions):
    for name in partitions:
        Partition(orchard, name).release()
    return states("north", "south")


def load_all():
    orchard.load()
    return states("_default", "north", "south")


def release_all():
    orchard.release()
    return states("_default", "north", "south")


def rows(trees):
    return [{"tree": tree, "kind": kind, "leaf": [tree, 0], "age": tree * 10} for tree, kind in trees]


def plant(partition, trees):
    return orchard.insert(rows(trees), partition_name=partition).insert_count


def replace(partition, tree, kind):
    Partition(orchard, partition).upsert(rows([(tree, kind)]))
    return orchard.query(f"tree == {tree}", output_fields=["kind"])[0]["kind"]


def trees(filter="tree > 0", partitions=None):
    found = orchard.query(filter, output_fields=["tree"], partition_names=partitions)
    return sorted(row["tree"] for row in found)


def nearest(partitions, filter=None):
    hits = orchard.search(
        [[0.0, 0.0]], "leaf", {"metric_type": "L2"}, limit=10, expr=filter, partition_names=partitions
    )[0]
    return list(hits.ids)


def delete(filter, partition):
    orchard.delete(filter, partition_name=partition)
    return trees()


def row_count(partition):
    orchard.flush()
    return Partition(orchard, partition).num_entities


def query_field(filter, field):
    found = orchard.query(filter, output_fields=[field])
    return [{field: row[field]} for row in found]


def new_partition_of_loaded_collection():
    west = Partition(orchard, "west")
    west.insert(rows([(20, "quince")]))
    return trees(partitions=["west"])


def rows_of_a_dropped_partition():
    orchard.load()
    return trees()


step("a new collection has the default partition", partition_names)
step("a partition is created", lambda: create_partition("north"))
step("another partition is created", lambda: create_partition("south"))
step("creating a partition again changes nothing", lambda: create_partition("south"))
step("a partition that exists is found", lambda: orchard.has_partition("north"))
step("a partition that does not exist is not found", lambda: orchard.has_partition("east"))
step("nothing is loaded at first", lambda: states("_default", "north", "south"))
step("rows go into a named partition", lambda: plant("north", [(1, "apple"), (2, "pear"), (3, "plum")]))
step("rows go into another partition", lambda: plant("south", [(4, "apple"), (5, "fig"), (6, "pear")]))
step("rows without a partition go into the default one", lambda: plant(None, [(7, "apple"), (8, "cherry")]))
step("rows can't go into an unknown partition", lambda: plant("east", [(9, "apple")]))
step("a partition counts its rows", lambda: row_count("south"))
step("a query of a released collection is refused", trees)
step("one partition is loaded", lambda: load_partitions(["north"]))
step("a query finds the rows of the loaded partition", trees)
step("a query of a released partition is refused", lambda: trees(partitions=["south"]))
step("a loaded partition can't be dropped", lambda: drop_partition("north"))
step("several partitions are loaded in one call", lambda: load_partitions(["north", "south"]))
step("a query finds the rows of both", trees)
step("a query can be kept to one partition", lambda: trees(partitions=["south"]))
step("a filter and a partition work together", lambda: trees('kind == "pear"', ["south"]))
step("a search can be kept to one partition", lambda: nearest(["south"]))
step("a search can be kept to several partitions", lambda: nearest(["south", "north"]))
step("a search in a partition takes a filter", lambda: nearest(["north"], 'kind != "pear"'))
step("a query of an unknown partition is refused", lambda: trees(partitions=["east"]))
step("a search of an unknown partition is refused", lambda: nearest(["east"]))
step("a delete in the wrong partition deletes nothing", lambda: delete("tree == 5", "north"))
step("a delete in its partition deletes", lambda: delete("tree == 5", "south"))
step("an upsert in a partition replaces the row", lambda: replace("south", 6, "peach"))
step("one partition is released", lambda: release_partition("south"))
step("several partitions are released in one call", lambda: release_partitions(["north", "south"]))
step("the whole collection is loaded", load_all)
step("a query finds the rows of all partitions", trees)
step("a partition made after the load can be read", new_partition_of_loaded_collection)
step("the whole collection is released", release_all)
step("loading an unknown partition is refused", lambda: load_partitions(["east"]))
step(
    "some fields of a partition are loaded",
    lambda: load_fields(["tree", "leaf"], skip_load_dynamic_field=True),
)
step("a loaded field is returned", lambda: query_field("tree < 3", "tree"))
step("a field that was left out is not returned", lambda: query_field("tree < 3", "kind"))
step("a field that was left out is no filter", lambda: trees('kind == "apple"'))
step("the dynamic field that was left out is no filter", lambda: trees("age == 10"))
step("a load with other fields is refused", lambda: load_fields(["tree", "leaf", "kind"]))
step("the partition is released again", lambda: release_partition("north"))
step("the primary key can't be left out of a load", lambda: load_fields(["kind", "leaf"]))
step("a released partition is dropped", lambda: drop_partition("south"))
step("dropping an unknown partition changes nothing", lambda: drop_partition("south"))
step("the default partition can't be dropped", lambda: drop_partition("_default"))
step("the rows of a dropped partition are gone", rows_of_a_dropped_partition)
orchard.drop()
connections.disconnect("orchards")
