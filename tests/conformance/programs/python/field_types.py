"""Every type of field, its extremes, nulls, defaults, auto ids and the dynamic field."""

import numpy as np
from cases import case, fails, run_cases, same
from field_rows import create, read, row
from pymilvus import DataType
from vectors import add_vector_field, plainest_index, random_vectors, received, sendable

ABOVE_2_53 = 2**53 + 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


SCALARS = [
    (DataType.BOOL, [True, False]),
    (DataType.INT8, [-128, 0, 127]),
    (DataType.INT16, [-32768, 0, 32767]),
    (DataType.INT32, [-(2**31), 0, 2**31 - 1]),
    (DataType.INT64, [INT64_MIN, -1, 0, ABOVE_2_53, INT64_MAX]),
    (DataType.FLOAT, [-1.5, 0.0, float(np.float32(3.4028235e38))]),
    (DataType.DOUBLE, [-1e-300, 0.1, 1.7976931348623157e308]),
    (DataType.VARCHAR, ["", "plain", 'quote " and \\', "日本語 ünïcödé 🪁", "x" * 100]),
    (
        DataType.JSON,
        [{}, {"a": [1, 2.5, None, True], "b": {"c": "d"}}, {"big": ABOVE_2_53}, [1, "two"], 7],
    ),
]


def register_scalar(data_type, values):
    @case(f"{data_type.name} values come back as they went in")
    def round_trip(client, name):
        options = {"max_length": 100} if data_type == DataType.VARCHAR else {}
        create(client, name, lambda schema: schema.add_field("x", data_type, **options))
        client.insert(name, [row(i, x=value) for i, value in enumerate(values)])
        same([found["x"] for found in read(client, name, "x")], values)


for data_type, values in SCALARS:
    register_scalar(data_type, values)


ELEMENTS = [
    (DataType.BOOL, [True, False]),
    (DataType.INT8, [-128, 127]),
    (DataType.INT16, [-32768, 32767]),
    (DataType.INT32, [-(2**31), 2**31 - 1]),
    (DataType.INT64, [INT64_MIN, ABOVE_2_53, INT64_MAX]),
    (DataType.FLOAT, [-1.5, 0.25]),
    (DataType.DOUBLE, [0.1, 1e300]),
    (DataType.VARCHAR, ["", "ünï"]),
]


def register_array(element_type, values):
    @case(f"arrays of {element_type.name} come back as they went in, empty ones too")
    def round_trip(client, name):
        options = {"max_length": 10} if element_type == DataType.VARCHAR else {}

        def add(schema):
            schema.add_field("x", DataType.ARRAY, element_type=element_type, max_capacity=8, **options)

        create(client, name, add)
        client.insert(name, [row(0, x=values), row(1, x=[]), row(2, x=values[:1])])
        same([list(found["x"]) for found in read(client, name, "x")], [values, [], values[:1]])


for element_type, values in ELEMENTS:
    register_array(element_type, values)


VECTORS = [
    ("FLOAT_VECTOR", "L2", "2.4"),
    ("FLOAT16_VECTOR", "L2", "2.4"),
    ("BFLOAT16_VECTOR", "L2", "2.4"),
    ("INT8_VECTOR", "L2", "2.6"),
    ("BINARY_VECTOR", "HAMMING", "2.4"),
    ("SPARSE_FLOAT_VECTOR", "IP", "2.4"),
]


def register_vector(kind, metric, since):
    @case(f"{kind} comes back bit by bit from query and from search", since)
    def round_trip(client, name):
        schema = client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        add_vector_field(schema, "v", kind)
        index = client.prepare_index_params()
        index.add_index("v", index_type=plainest_index(kind), metric_type=metric)
        client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        vectors = random_vectors(kind, 5, seed=4)
        client.insert(name, [{"id": i, "v": sendable(kind, v)} for i, v in enumerate(vectors)])
        for found in client.query(name, "id >= 0", output_fields=["v"]):
            same_vector(kind, found["v"], vectors[found["id"]])
        hits = client.search(name, [sendable(kind, vectors[0])], limit=5, output_fields=["v"])[0]
        assert len(hits) > 0
        for hit in hits:
            same_vector(kind, hit["entity"]["v"], vectors[hit["id"]])


def same_vector(kind, got, wanted):
    got = received(kind, got)
    if kind == "SPARSE_FLOAT_VECTOR":
        same({i: np.float32(x) for i, x in got.items()}, {i: np.float32(x) for i, x in wanted.items()})
    elif kind == "BINARY_VECTOR":
        same(got, wanted)
    else:
        same(got.tobytes(), wanted.tobytes())


for kind, metric, since in VECTORS:
    register_vector(kind, metric, since)


@case("several vector fields stand side by side and each is searched")
def several_vectors(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("near", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("far", DataType.FLOAT_VECTOR, dim=3)
    index = client.prepare_index_params()
    index.add_index("near", index_type="FLAT", metric_type="L2")
    index.add_index("far", index_type="FLAT", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": i, "near": [i, 0], "far": [i, 0, 0]} for i in range(3)])
    by_near = client.search(name, [[0.0, 0.0]], anns_field="near", limit=3)[0]
    by_far = client.search(name, [[1.0, 0.0, 0.0]], anns_field="far", limit=3)[0]
    same([hit["id"] for hit in by_near], [0, 1, 2])
    same([hit["id"] for hit in by_far], [2, 1, 0])


@case("a key may be text")
def text_key(client, name):
    create(client, name, lambda schema: schema.add_field("x", DataType.INT64), primary=DataType.VARCHAR)
    keys = ["b", "a", "ü", "10", "9"]
    answer = client.insert(name, [row(key, x=i) for i, key in enumerate(keys)])
    same(list(answer["ids"]), keys)
    same([found["id"] for found in client.query(name, 'id != ""', output_fields=["id"])], sorted(keys))
    same(client.get(name, ["ü"], output_fields=["x"])[0]["x"], 2)
    client.delete(name, ids=["a", "nobody"])
    same(len(client.query(name, 'id != ""')), 4)


@case("auto ids are given out, growing and unique, for int64 and for text keys")
def auto_ids(client, name):
    create(client, name, lambda schema: schema.add_field("x", DataType.INT64), auto_id=True)
    rows = [{"v": [0.0, 0.0], "x": i} for i in range(100)]
    first, second = list(client.insert(name, rows)["ids"]), list(client.insert(name, rows)["ids"])
    same(len(set(first + second)), 200)
    same(first + second, sorted(first + second))
    same(len(client.get(name, first)), 100)
    client.drop_collection(name)
    create(
        client,
        name,
        lambda schema: schema.add_field("x", DataType.INT64),
        primary=DataType.VARCHAR,
        auto_id=True,
    )
    texts = list(client.insert(name, rows[:3])["ids"])
    assert len(set(texts)) == 3 and all(isinstance(text, str) for text in texts), texts


@case("a nullable field takes null, by value or by being left out, and gives None", since="2.5")
def nulls(client, name):
    def add(schema):
        schema.add_field("number", DataType.INT64, nullable=True)
        schema.add_field("text", DataType.VARCHAR, max_length=10, nullable=True)
        schema.add_field("json", DataType.JSON, nullable=True)
        schema.add_field("list", DataType.ARRAY, element_type=DataType.INT64, max_capacity=3, nullable=True)

    create(client, name, add)
    full = {"number": 7, "text": "x", "json": {"a": 1}, "list": [1, 2]}
    empty = {"number": None, "text": None, "json": None, "list": None}
    client.insert(name, [row(0, **full), row(1, **empty), row(2)])
    same(read(client, name, *full), [full, empty, empty])
    same([found["id"] for found in client.query(name, "number is null")], [1, 2])
    same([found["id"] for found in client.query(name, "text is not null")], [0])
    same([found["id"] for found in client.query(name, "number != 1")], [0])


@case("a default value fills in what was left out", since="2.5")
def defaults(client, name):
    def add(schema):
        schema.add_field("number", DataType.INT64, default_value=ABOVE_2_53)
        schema.add_field("text", DataType.VARCHAR, max_length=10, default_value="none", nullable=True)
        schema.add_field("flag", DataType.BOOL, default_value=True)

    create(client, name, add)
    given = {"number": 1, "text": "some", "flag": False}
    filled = {"number": ABOVE_2_53, "text": "none", "flag": True}
    client.insert(name, [row(0, **given), row(1), row(2, number=None, text=None, flag=None)])
    same(read(client, name, *given), [given, filled, filled])


@case("the dynamic field keeps what no column has, with its types")
def dynamic_field(client, name):
    create(client, name, lambda schema: None, dynamic=True)
    client.insert(
        name,
        [
            row(0, color="red", size=3, deep={"er": [1, {"x": 2}]}),
            row(1, color="blue", size=2.5, big=ABOVE_2_53),
            row(2),
        ],
    )
    whole = client.query(name, "id >= 0", output_fields=["*"])
    same(whole[0]["deep"], {"er": [1, {"x": 2}]})
    same(whole[1]["big"], ABOVE_2_53)
    same(set(whole[2]), {"id", "v"})
    same(
        [found.get("color") for found in client.query(name, "id >= 0", output_fields=["color"])],
        ["red", "blue", None],
    )
    same([found["id"] for found in client.query(name, 'color == "red"')], [0])
    same([found["id"] for found in client.query(name, "size > 2.7")], [0])
    same([found["id"] for found in client.query(name, '$meta["size"] <= 2.5')], [1])
    same([found["id"] for found in client.query(name, f"big == {ABOVE_2_53}")], [1])
    same([found["id"] for found in client.query(name, f"big == {ABOVE_2_53 - 1}")], [])


@case("int64 is exact as key, as field, in JSON and in the dynamic field")
def exact_int64(client, name):
    create(
        client,
        name,
        lambda s: (s.add_field("x", DataType.INT64), s.add_field("j", DataType.JSON)),
        dynamic=True,
    )
    numbers = [2**53, 2**53 + 1, 2**53 + 2, INT64_MAX - 1, INT64_MAX]
    client.insert(name, [row(n, x=n, j={"n": n}, d=n) for n in numbers])
    for n in numbers:
        for filter in (
            f"id == {n}",
            f"x == {n}",
            f'j["n"] == {n}',
            f"d == {n}",
            f"x in [{n}]",
            f"id in [{n}]",
        ):
            found = client.query(name, filter, output_fields=["x", "j", "d"])
            same(
                (filter, [(r["id"], r["x"], r["j"], r["d"]) for r in found]), (filter, [(n, n, {"n": n}, n)])
            )
    hits = client.search(name, [[0.0, 1.0]], limit=5, output_fields=["x"])[0]
    same([(hit["id"], hit["entity"]["x"]) for hit in hits], [(n, n) for n in numbers])


MISFITS = [
    ("a number above 127 in an int8 field", DataType.INT8, {}, 128, ""),
    ("a text longer than max_length", DataType.VARCHAR, {"max_length": 4}, "five5", "exceeds max length"),
    (
        "a text whose bytes are more than max_length",
        DataType.VARCHAR,
        {"max_length": 4},
        "üüü",
        "exceeds max length",
    ),
    ("NaN in a float field", DataType.FLOAT, {}, float("nan"), ""),
    (
        "an array over its capacity",
        DataType.ARRAY,
        {"element_type": DataType.INT64, "max_capacity": 2},
        [1, 2, 3],
        "",
    ),
]


def register_misfit(sentence, data_type, options, value, text):
    @case(f"{sentence} is refused and nothing is written")
    def refused(client, name):
        create(client, name, lambda schema: schema.add_field("x", data_type, **options))
        fails(lambda: client.insert(name, [row(0, x=value)]), text=text)
        same(client.query(name, "id >= 0"), [])


for misfit in MISFITS:
    register_misfit(*misfit)


@case("infinity in a vector is refused and nothing is written")
def infinite_vector(client, name):
    create(client, name, lambda schema: None)
    fails(lambda: client.insert(name, [{"id": 1, "v": [float("inf"), 0.0]}]))
    same(client.query(name, "id >= 0"), [])


run_cases()
