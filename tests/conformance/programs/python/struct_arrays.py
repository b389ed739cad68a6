"""Arrays of structs with scalars and vectors in them: made, described, written, read, filtered."""

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import DataType

def create(client, name, nullable=False, **subs):
    """A loaded collection with a key, a vector and an array of structs of a number, a name and a vector."""
    schema = client.create_schema(enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    struct = client.create_struct_field_schema()
    struct.add_field("size", DataType.INT32)
    struct.add_field("name", DataType.VARCHAR, max_length=20)
    struct.add_field("spot", DataType.FLOAT_VECTOR, dim=4)
    schema.add_field(
        "parts",
        DataType.ARRAY,
        element_type=DataType.STRUCT,
        struct_schema=struct,
        max_capacity=10,
        nullable=nullable,
    )
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def part(size, color, spot=1.0):
    return {"size": size, "name": color, "spot": [spot, 0.0, 0.0, 0.5]}


ROWS = {
    1: [part(1, "red"), part(5, "green", 2.0)],
    2: [part(7, "blue")],
    3: [],
    4: [part(5, "red"), part(5, "red"), part(2, "blue")],
}


def filled(client, name, rows=ROWS, **options):
    create(client, name, **options)
    client.insert(name, [{"id": key, "v": [0.0, 1.0], "parts": parts} for key, parts in rows.items()])


def plain(parts):
    """Structs as they were sent: vectors come as lists or arrays."""
    if parts is None:
        return None
    return [{**each, "spot": np.asarray(each["spot"], np.float32).tolist()} for each in parts]


def ids(client, name, text):
    return [found["id"] for found in client.query(name, text, output_fields=["id"])]


@case("an array of structs is described with its sub-fields", since="3.0")
def described(client, name):
    create(client, name)
    answer = client.describe_collection(name)
    same([field["name"] for field in answer["fields"]], ["id", "v", "parts"])
    struct = answer["fields"][2]
    same((struct["element_type"], struct["params"]["max_capacity"]), (DataType.STRUCT, 10))
    wanted = {"size": DataType.INT32, "name": DataType.VARCHAR, "spot": DataType.FLOAT_VECTOR}
    same({field["name"]: field["type"] for field in struct["struct_fields"]}, wanted)
    same(struct["struct_fields"][2]["params"], {"dim": 4})


@case("structs come back from a query and a search as they went in", since="3.0")
def round_trip(client, name):
    filled(client, name)
    rows = client.query(name, "id > 0", output_fields=["parts"])
    same({row["id"]: plain(row["parts"]) for row in rows}, ROWS)
    found = client.search(name, [[0.0, 1.0]], limit=4, output_fields=["parts"])[0]
    same({hit["id"]: plain(hit["entity"]["parts"]) for hit in found}, ROWS)
    everything = client.query(name, "id == 1", output_fields=["*"])[0]
    same(sorted(everything), ["id", "parts", "v"])


@case("a struct can be null as a whole", since="3.0")
def nulls(client, name):
    rows = {1: None, 2: [part(1, "red")], 3: None}
    filled(client, name, rows, nullable=True)
    found = client.query(name, "id > 0", output_fields=["parts"])
    same({row["id"]: plain(row["parts"]) for row in found}, rows)
    same(ids(client, name, "parts is null"), [1, 3])
    same(ids(client, name, "match_any(parts, $[size] == 1)"), [2])
    same(ids(client, name, "not match_any(parts, $[size] == 1)"), [])
    client.insert(name, [{"id": 4, "v": [0.0, 1.0], "parts": None}])
    same(client.query(name, "id == 4", output_fields=["parts"])[0]["parts"], None)


@case("an upsert replaces structs", since="3.0")
def replaced(client, name):
    filled(client, name)
    client.upsert(name, [{"id": 1, "v": [0.0, 1.0], "parts": [part(9, "blue")]}])
    found = client.query(name, "id == 1", output_fields=["parts"])[0]
    same(plain(found["parts"]), [part(9, "blue")])
    client.delete(name, filter="match_any(parts, $[size] > 8)")
    same(ids(client, name, "id > 0"), [2, 3, 4])


@case("rows are found by what some, all or so many of their structs are", since="3.0")
def matched(client, name):
    filled(client, name)
    same(ids(client, name, 'match_any(parts, $[size] > 4 and $[name] == "green")'), [1])
    same(ids(client, name, 'MATCH_ANY(parts, $[name] == "blue")'), [2, 4])
    same(ids(client, name, "match_all(parts, $[size] >= 5)"), [2, 3])
    same(ids(client, name, "match_least(parts, $[size] == 5, threshold=2)"), [4])
    same(ids(client, name, "match_most(parts, $[size] == 5, threshold=1)"), [1, 2, 3])
    same(ids(client, name, 'match_exact(parts, $[name] like "r%", threshold=2)'), [4])
    same(ids(client, name, "array_length(parts) == 2"), [1])
    same(ids(client, name, "array_length(parts[spot]) >= 2"), [1, 4])
    same(ids(client, name, "array_contains(parts[size], 5)"), [1, 4])
    same(ids(client, name, 'parts[0][name] == "red"'), [1, 4])
    fails(lambda: ids(client, name, "match_any(parts, $[nosuch] > 1)"), 1100, "struct field not found")
    fails(lambda: ids(client, name, "parts[spot] == 1"), 1100, "ArrayOfVector")


@case("an element filter names the structs that match", since="3.0")
def elements(client, name):
    filled(client, name)
    rows = client.query(name, "element_filter(parts, $[size] == 5)", output_fields=["id"])
    same([(row["id"], row["offset"]) for row in rows], [(1, 1), (4, 0), (4, 1)])


@case("an element filter counts and deletes rows, and a search of whole rows refuses it", since="3.0")
def element_filters_elsewhere(client, name):
    filled(client, name)
    text = "element_filter(parts, $[size] == 5)"
    same(client.query(name, text, output_fields=["count(*)"])[0]["count(*)"], 2)
    fails(
        lambda: client.search(name, [[0.0, 1.0]], anns_field="v", filter=text, limit=3),
        1100,
        "element_filter is only supported for element-level search",
    )
    client.delete(name, filter=f"id > 1 and {text}")
    same(ids(client, name, "id > 0"), [1, 2, 3])


@case("sub-fields are indexed by their names, and the index says nothing new", since="3.0")
def indexed(client, name):
    filled(client, name)
    index = client.prepare_index_params()
    hnsw = {"M": 8, "efConstruction": 64}
    index.add_index("parts[spot]", index_type="HNSW", metric_type="MAX_SIM_COSINE", params=hnsw)
    index.add_index("parts[size]", index_type="INVERTED")
    client.create_index(name, index)
    described = client.describe_index(name, "parts[spot]")
    same((described["field_name"], described["metric_type"]), ("parts[spot]", "MAX_SIM_COSINE"))
    same(ids(client, name, "match_any(parts, $[size] == 5)"), [1, 4])
    same(ids(client, name, "array_contains(parts[size], 5)"), [1, 4])
    client.release_collection(name)
    client.load_collection(name)
    same(ids(client, name, "array_contains(parts[size], 5)"), [1, 4])
    wrong = client.prepare_index_params()
    wrong.add_index("parts[spot]", index_type="BIN_FLAT", metric_type="HAMMING")
    fails(lambda: client.create_index(name, wrong), 1100, "does not support metric type: HAMMING")


@case("structs that don't fit are refused, and nothing is written", since="3.0")
def refused(client, name):
    filled(client, name)

    def insert(parts):
        client.insert(name, [{"id": 9, "v": [0.0, 1.0], "parts": parts}])

    fails(lambda: insert([part(1, "x" * 21)]), 1100, "exceeds max length")
    fails(lambda: insert([part(1, "red")] * 11), 1100, "exceeds max capacity")
    fails(lambda: insert([part(1, "red", float("nan"))]), 1100, "not a number")
    same(ids(client, name, "id == 9"), [])


if __name__ == "__main__":
    run_cases()
