"""Fields that are added to, altered in and dropped from a collection with rows in it."""

from cases import case, fails, run_cases, same
from field_rows import create, read, row
from pymilvus import DataType

NEW_YEAR = "2025-01-01T00:00:00Z"


def ids(client, name, text):
    return [found["id"] for found in client.query(name, text, output_fields=["id"])]


def filled(client, name, dynamic=False):
    create(client, name, lambda schema: schema.add_field("title", DataType.VARCHAR, max_length=5), dynamic=dynamic)
    client.insert(name, [row(n, title=f"t{n}") for n in range(3)])


@case("rows written before a field was added have null there, or its default", since="3.0")
def added(client, name):
    filled(client, name)
    client.add_collection_field(name, "size", DataType.INT64, nullable=True)
    client.add_collection_field(name, "kind", DataType.VARCHAR, max_length=9, nullable=True, default_value="old")
    client.add_collection_field(name, "at", DataType.TIMESTAMPTZ, nullable=True, default_value=NEW_YEAR)
    same(read(client, name, "size", "kind", "at"), [{"size": None, "kind": "old", "at": NEW_YEAR}] * 3)
    client.insert(name, [row(7, title="t7", size=7, kind="new")])
    same(read(client, name, "size", "kind")[3], {"size": 7, "kind": "new"})
    same(ids(client, name, 'kind == "old"'), [0, 1, 2])
    same(ids(client, name, "size is null"), [0, 1, 2])
    same(ids(client, name, "size > 0"), [7])
    same([field["name"] for field in client.describe_collection(name)["fields"]][-3:], ["size", "kind", "at"])
    client.flush(name)
    client.release_collection(name)
    client.load_collection(name)
    same(read(client, name, "size", "kind")[2:], [{"size": None, "kind": "old"}, {"size": 7, "kind": "new"}])
    found = client.search(name, [[0.0, 1.0]], limit=9, filter='kind == "old"', output_fields=["size"])[0]
    same(sorted(hit["id"] for hit in found), [0, 1, 2])


@case("every kind of field can be added", since="3.0")
def added_types(client, name):
    filled(client, name)
    client.add_collection_field(name, "tags", DataType.ARRAY, element_type=DataType.INT64, max_capacity=4, nullable=True)
    client.add_collection_field(name, "doc", DataType.JSON, nullable=True)
    client.add_collection_field(name, "area", DataType.GEOMETRY, nullable=True)
    client.add_collection_field(name, "w", DataType.FLOAT_VECTOR, dim=4, nullable=True)
    client.insert(name, [row(9, title="t9", tags=[1, 2], doc={"a": 2**53 + 1}, area="POINT (1 2)", w=[1.0, 0, 0, 0])])
    rows = read(client, name, "tags", "doc", "area", "w")
    same(rows[0], {"tags": None, "doc": None, "area": None, "w": None})
    same(list(rows[3]["tags"]), [1, 2])
    same(rows[3]["doc"], {"a": 2**53 + 1})
    same(rows[3]["area"], "POINT (1 2)")
    same(list(rows[3]["w"]), [1.0, 0.0, 0.0, 0.0])
    same(ids(client, name, 'array_contains(tags, 2) and doc["a"] == 9007199254740993'), [9])
    index = client.prepare_index_params()
    index.add_index("w", index_type="FLAT", metric_type="L2")
    client.create_index(name, index)
    found = client.search(name, [[1.0, 0, 0, 0]], anns_field="w", limit=9)[0]
    same([hit["id"] for hit in found], [9])


@case("an array of structs can be added", since="3.0")
def added_struct(client, name):
    filled(client, name)
    struct = client.create_struct_field_schema()
    struct.add_field("size", DataType.INT32)
    client.add_collection_struct_field(name, "parts", struct, max_capacity=4)
    client.insert(name, [row(9, title="t9", parts=[{"size": 3}, {"size": 4}])])
    same([found["parts"] for found in read(client, name, "parts")], [None, None, None, [{"size": 3}, {"size": 4}]])
    same(ids(client, name, "match_any(parts, $[size] == 4)"), [9])


@case("fields that can not be added are refused", since="3.0")
def refused(client, name):
    filled(client, name)
    same_name = lambda: client.add_collection_field(name, "title", DataType.INT64, nullable=True)
    fails(same_name, 1100, "duplicate field name: title")
    fails(lambda: client.add_collection_field(name, "x", DataType.INT64), 1100, "added field must be nullable")
    fails(
        lambda: client.add_collection_field(name, "Timestamp", DataType.INT64, nullable=True),
        1100,
        "not support to add system field",
    )
    fails(lambda: client.add_collection_field(name, "9x", DataType.INT64, nullable=True), 1701, "Invalid field name")


@case("a field is dropped, and one of its name that comes later knows nothing of it", since="3.0")
def dropped(client, name):
    filled(client, name)
    client.drop_collection_field(name, "title")
    same([field["name"] for field in client.describe_collection(name)["fields"]], ["id", "v"])
    fails(lambda: ids(client, name, 'title == "t1"'), 1100, "field title not exist")
    client.insert(name, [row(5)])
    client.add_collection_field(name, "title", DataType.INT64, nullable=True)
    client.insert(name, [row(6, title=6)])
    same([found["title"] for found in read(client, name, "title")], [None] * 4 + [6])
    fails(lambda: client.drop_collection_field(name, "id"), 1100, "primary key")
    fails(lambda: client.drop_collection_field(name, "v"), 1100, "v")
    fails(lambda: client.drop_collection_field(name, "nosuch"), None, "nosuch")


@case("a longer limit of a text lets longer texts in", since="3.0")
def altered(client, name):
    filled(client, name)
    fails(lambda: client.insert(name, [row(9, title="sixsix")]), 1100, "exceeds max length")
    client.alter_collection_field(name, "title", {"max_length": 6})
    client.insert(name, [row(9, title="sixsix")])
    same(read(client, name, "title")[3]["title"], "sixsix")
    fails(lambda: client.alter_collection_field(name, "title", {"dim": 6}), 1100, "does not allow update")
    fails(lambda: client.alter_collection_field(name, "nosuch", {"max_length": 6}), None, "nosuch")


@case("the dynamic field can be switched on", since="3.0")
def dynamic(client, name):
    filled(client, name)
    client.alter_collection_properties(name, {"dynamicfield.enabled": True})
    client.insert(name, [row(9, title="t9", color="red")])
    same(ids(client, name, 'color == "red"'), [9])
    rows = client.query(name, "id >= 0", output_fields=["color"])
    same([found.get("color") for found in rows], [None, None, None, "red"])
    fails(lambda: client.alter_collection_properties(name, {"dynamicfield.enabled": False}), 1100, "disabled")


if __name__ == "__main__":
    run_cases()
