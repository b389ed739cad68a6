"""The ORM style: connections with aliases, Collection, Partition, Index, utility."""

import numpy as np
from cases import ADDRESS, URI, case, fails, run_cases, same
from pymilvus import (
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    Index,
    Partition,
    connections,
    utility,
)

HOST, PORT = ADDRESS.rsplit(":", 1)
connections.connect("default", host=HOST, port=PORT)
connections.connect("second", uri=URI)

FLAT_L2 = {"index_type": "FLAT", "metric_type": "L2", "params": {}}


def schema(dynamic=False):
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True, auto_id=False),
        FieldSchema("title", DataType.VARCHAR, max_length=50),
        FieldSchema("v", DataType.FLOAT_VECTOR, dim=4),
    ]
    return CollectionSchema(fields, description="a shelf", enable_dynamic_field=dynamic)


def loaded(name, rows=10):
    collection = Collection(name, schema(), consistency_level="Strong")
    collection.create_index("v", FLAT_L2)
    collection.load()
    if rows > 0:
        collection.insert(columns(range(rows)))
    return collection


def columns(keys):
    keys = list(keys)
    return [keys, [f"book {n}" for n in keys], [[float(n), 0.0, 0.0, 0.0] for n in keys]]


@case("connections have aliases and each sees the other's collections")
def aliases(_, name):
    same({alias for alias, _ in connections.list_connections()} >= {"default", "second"}, True)
    Collection(name, schema(), using="second")
    same(utility.has_collection(name), True)
    same(utility.has_collection(name, using="second"), True)
    assert name in utility.list_collections(using="second")
    connections.connect("third", uri=URI)
    same(connections.has_connection("third"), True)
    connections.disconnect("third")
    same(connections.has_connection("third"), False)


@case("a collection opened again has the schema it was made with")
def opened_again(_, name):
    made = Collection(name, schema(dynamic=True))
    opened = Collection(name)
    same(opened.schema, made.schema)
    same(opened.description, "a shelf")
    same(opened.primary_field.name, "id")
    same(opened.schema.enable_dynamic_field, True)
    same(Collection(name, schema(dynamic=True)).name, name)


@case("rows are inserted by columns, counted, queried and searched")
def columns_in_rows_out(_, name):
    collection = loaded(name, rows=0)
    result = collection.insert(columns(range(20)))
    same((result.insert_count, list(result.primary_keys)), (20, list(range(20))))
    collection.flush()
    same(collection.num_entities, 20)
    same(collection.is_empty, False)
    same(
        [row["title"] for row in collection.query("id in [3, 4]", output_fields=["title"])],
        ["book 3", "book 4"],
    )
    hits = collection.search([[3.2, 0, 0, 0]], "v", {"metric_type": "L2"}, limit=2, output_fields=["title"])[
        0
    ]
    same([(hit.id, hit.entity.get("title")) for hit in hits], [(3, "book 3"), (4, "book 4")])
    np.testing.assert_allclose(hits.distances, [0.04, 0.64], rtol=1e-4)


@case("a search takes a filter, an offset, several queries and partitions")
def search_options(_, name):
    collection = loaded(name)
    found = collection.search(
        [[0.0] * 4, [9.0, 0, 0, 0]],
        "v",
        {"metric_type": "L2", "offset": 1},
        limit=2,
        expr="id != 1",
        partition_names=["_default"],
        round_decimal=1,
    )
    same([list(hits.ids) for hits in found], [[2, 3], [8, 7]])


@case("rows are upserted and deleted")
def upsert_and_delete(_, name):
    collection = loaded(name)
    same(collection.upsert([[1, 50], ["new", "fifty"], [[0.0] * 4] * 2]).upsert_count, 2)
    same(collection.query("id == 1", output_fields=["title"])[0]["title"], "new")
    same(collection.delete("id in [2, 3]").delete_count, 2)
    same([row["id"] for row in collection.query("id >= 0")], [0, 1, 4, 5, 6, 7, 8, 9, 50])


@case("an index is made, described, waited for and dropped")
def index(_, name):
    collection = Collection(name, schema())
    made = Index(
        collection,
        "v",
        {"index_type": "IVF_FLAT", "metric_type": "IP", "params": {"nlist": 8}},
        index_name="by_v",
    )
    same((made.field_name, made.index_name), ("v", "by_v"))
    same(collection.has_index(index_name="by_v"), True)
    same([index.index_name for index in collection.indexes], ["by_v"])
    params = collection.index(index_name="by_v").params
    same((params["index_type"], params["metric_type"]), ("IVF_FLAT", "IP"))
    # Older servers give the build parameters back as they came, newer ones flat.
    same(int(params.get("params", params)["nlist"]), 8)
    utility.wait_for_index_building_complete(name, "by_v")
    same(set(utility.index_building_progress(name, "by_v")) >= {"total_rows", "indexed_rows"}, True)
    collection.drop_index(index_name="by_v")
    same(collection.has_index(index_name="by_v"), False)


@case("a collection is loaded, its progress and state are told, and it is released")
def load_and_release(_, name):
    collection = loaded(name)
    same(utility.load_state(name).name, "Loaded")
    same(utility.loading_progress(name)["loading_progress"], "100%")
    utility.wait_for_loading_complete(name)
    collection.release()
    same(utility.load_state(name).name, "NotLoad")
    fails(lambda: collection.query("id > 0"), 101, "collection not loaded")


@case("partitions are objects with rows of their own")
def partitions(_, name):
    collection = loaded(name)
    partition = Partition(collection, "new", description="the new ones")
    partition.insert(columns(range(100, 105)))
    partition.load()
    collection.flush()
    same(partition.num_entities, 5)
    same(
        [row["id"] for row in partition.query("id >= 0", output_fields=["title"])], [100, 101, 102, 103, 104]
    )
    hits = partition.search([[0.0] * 4], "v", {"metric_type": "L2"}, limit=2)[0]
    same(list(hits.ids), [100, 101])
    partition.delete("id in [100]")
    same(len(partition.query("id >= 0")), 4)
    partition.release()
    partition.drop()
    same(collection.has_partition("new"), False)
    same(utility.has_partition(name, "_default"), True)


@case("a collection is renamed and dropped by utility")
def rename_and_drop(_, name):
    Collection(name, schema())
    utility.rename_collection(name, f"{name}_new")
    same((utility.has_collection(name), utility.has_collection(f"{name}_new")), (False, True))
    utility.drop_collection(f"{name}_new")
    same(utility.has_collection(f"{name}_new"), False)


@case("a collection tells its properties: shards, consistency, aliases, replicas")
def description(_, name):
    collection = Collection(name, schema(), num_shards=2, consistency_level="Session")
    described = collection.describe()
    same((described["num_shards"], described["consistency_level"]), (2, 1))
    same(utility.get_server_version() != "", True)


@case("a query iterator visits every row once")
def query_iterator(_, name):
    collection = loaded(name, rows=50)
    iterator = collection.query_iterator(batch_size=8, expr="id >= 0", output_fields=["title"])
    keys = []
    while batch := iterator.next():
        keys += [row["id"] for row in batch]
    iterator.close()
    same(keys, list(range(50)))


run_cases()
