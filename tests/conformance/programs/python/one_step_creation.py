"""Collections created in one call, and what describe says of them."""

from cases import case, fails, run_cases, same
from pymilvus import DataType


@case("a dimension is enough: the collection is created, indexed and loaded")
def dimension_only(client, name):
    client.create_collection(name, dimension=4)
    found = client.describe_collection(name)
    same(
        [(f["name"], f["type"]) for f in found["fields"]],
        [("id", DataType.INT64), ("vector", DataType.FLOAT_VECTOR)],
    )
    same(found["enable_dynamic_field"], True)
    same(client.list_indexes(name), ["vector"])
    index = client.describe_index(name, "vector")
    same((index["index_type"], index["metric_type"]), ("AUTOINDEX", "COSINE"))
    same(client.get_load_state(name)["state"].name, "Loaded")
    client.insert(
        name, [{"id": 1, "vector": [1, 0, 0, 0], "tag": "a"}, {"id": 2, "vector": [0, 1, 0, 0], "tag": "b"}]
    )
    hits = client.search(name, [[1.0, 0.1, 0.0, 0.0]], limit=2, output_fields=["tag"])[0]
    same([hit["entity"]["tag"] for hit in hits], ["a", "b"])


@case("names, metric and text keys can be chosen in that call")
def dimension_and_options(client, name):
    client.create_collection(
        name,
        dimension=2,
        primary_field_name="key",
        id_type="string",
        max_length=40,
        vector_field_name="embedding",
        metric_type="L2",
    )
    client.insert(name, [{"key": "a", "embedding": [0, 0]}, {"key": "b", "embedding": [3, 4]}])
    hits = client.search(name, [[0.0, 0.0]], limit=2)[0]
    same(
        [(hit["key"] if "key" in hit else hit["id"], hit["distance"]) for hit in hits],
        [("a", 0.0), ("b", 25.0)],
    )


@case("auto ids are given out by a collection created in one call")
def dimension_and_auto_ids(client, name):
    client.create_collection(name, dimension=2, auto_id=True)
    ids = client.insert(name, [{"vector": [0, 0]}, {"vector": [0, 1]}])["ids"]
    same(len(set(ids)), 2)


def schema_of(client):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=False, description="ships")
    schema.add_field("key", DataType.VARCHAR, is_primary=True, max_length=20, description="the key")
    schema.add_field("tons", DataType.DOUBLE)
    schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=4, max_length=8)
    schema.add_field("place", DataType.FLOAT_VECTOR, dim=3)
    return schema


def index_of(client):
    index = client.prepare_index_params()
    index.add_index("place", index_type="HNSW", metric_type="IP", params={"M": 8, "efConstruction": 64})
    index.add_index("tons", index_type="STL_SORT")
    return index


@case("a schema with index parameters is created, indexed and loaded")
def schema_and_index(client, name):
    client.create_collection(name, schema=schema_of(client), index_params=index_of(client))
    same(client.get_load_state(name)["state"].name, "Loaded")
    same(sorted(client.list_indexes(name)), ["place", "tons"])
    place = client.describe_index(name, "place")
    same((place["index_type"], place["metric_type"], str(place["M"])), ("HNSW", "IP", "8"))
    same(place["field_name"], "place")


@case("a schema without index parameters is created and not loaded")
def schema_only(client, name):
    client.create_collection(name, schema=schema_of(client))
    same(client.get_load_state(name)["state"].name, "NotLoad")
    same(client.list_indexes(name), [])
    fails(lambda: client.load_collection(name), 700, "index not found")


@case("describe shows the schema as it was given")
def describe(client, name):
    client.create_collection(name, schema=schema_of(client), consistency_level="Session", num_shards=2)
    found = client.describe_collection(name)
    same(found["collection_name"], name)
    same(found["description"], "ships")
    same(found["num_shards"], 2)
    same(found["consistency_level"], 1)
    same([field["field_id"] for field in found["fields"]], [100, 101, 102, 103])
    key, tons, tags, place = found["fields"]
    same((key["name"], key["is_primary"], key["params"]["max_length"]), ("key", True, 20))
    same((key["description"], tons["type"]), ("the key", DataType.DOUBLE))
    same((tags["element_type"], tags["params"]["max_capacity"]), (DataType.VARCHAR, 4))
    same((place["type"], place["params"]["dim"]), (DataType.FLOAT_VECTOR, 3))


@case("the same collection may be created twice, another of its name may not")
def create_twice(client, name):
    client.create_collection(name, schema=schema_of(client))
    client.create_collection(name, schema=schema_of(client))
    other = client.create_schema()
    other.add_field("key", DataType.INT64, is_primary=True)
    other.add_field("place", DataType.FLOAT_VECTOR, dim=8)
    fails(
        lambda: client.create_collection(name, schema=other),
        text=f"create duplicate collection with different parameters, collection: {name}",
    )


@case("a collection is listed, renamed and dropped")
def list_rename_drop(client, name):
    client.create_collection(name, dimension=2)
    client.insert(name, [{"id": 1, "vector": [0, 0]}])
    assert name in client.list_collections()
    client.rename_collection(name, f"{name}_new")
    assert not client.has_collection(name)
    same(len(client.get(f"{name}_new", [1])), 1)
    client.drop_collection(f"{name}_new")
    assert not client.has_collection(f"{name}_new")
    client.drop_collection(f"{name}_new")


@case("an index is dropped and made again with another metric")
def index_again(client, name):
    client.create_collection(name, schema=schema_of(client), index_params=index_of(client))
    client.release_collection(name)
    client.drop_index(name, "place")
    same(client.list_indexes(name), ["tons"])
    index = client.prepare_index_params()
    index.add_index("place", index_type="FLAT", metric_type="L2", index_name="by_place")
    client.create_index(name, index)
    same(sorted(client.list_indexes(name)), ["by_place", "tons"])
    client.load_collection(name)
    client.insert(name, [{"key": "a", "tons": 1.0, "tags": [], "place": [1, 0, 0]}])
    same(client.search(name, [[3.0, 0.0, 0.0]], limit=1)[0][0]["distance"], 4.0)


run_cases()
