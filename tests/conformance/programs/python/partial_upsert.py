"""Updates of some fields of rows: what is not sent stays, also when many write at once."""

from concurrent.futures import ThreadPoolExecutor

from cases import URI, case, fails, run_cases, same
from pymilvus import DataType, MilvusClient


def cards(client, name, shards=2):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=32)
    schema.add_field("stars", DataType.INT8, nullable=True)
    schema.add_field("state", DataType.VARCHAR, max_length=8, default_value="new")
    schema.add_field("info", DataType.JSON, nullable=True)
    schema.add_field(
        "tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=64, max_length=8, nullable=True
    )
    schema.add_field("marks", DataType.ARRAY, element_type=DataType.INT64, max_capacity=4, nullable=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(
        name, schema=schema, index_params=index, consistency_level="Strong", num_shards=shards
    )
    client.insert(name, [card(n) for n in range(20)])


def card(n):
    return {
        "id": n,
        "title": f"card {n}",
        "stars": n % 5,
        "state": "old",
        "info": {"n": n, "big": 9007199254740993},
        "tags": ["a", f"t{n}"],
        "marks": [n, 7, 7],
        "v": [float(n), 0.0],
        "color": "red",
        "size": n,
    }


def get(client, name, key):
    [found] = client.query(name, filter=f"id == {key}", output_fields=["*"])
    return dict(found)


@case("fields that are not sent stay as they are", since="2.6")
def keeps(client, name):
    cards(client, name)
    answer = client.upsert(name, [{"id": 3, "stars": 4}, {"id": 5, "stars": None}], partial_update=True)
    same(answer["upsert_count"], 2)
    same(get(client, name, 3), {**card(3), "stars": 4})
    same(get(client, name, 5), {**card(5), "stars": None})
    client.upsert(name, [{"id": 3, "v": [50.0, 1.0], "info": {"x": [1]}}], partial_update=True)
    same(get(client, name, 3), {**card(3), "stars": 4, "v": [50.0, 1.0], "info": {"x": [1]}})
    [[hit]] = client.search(name, [[50.0, 1.0]], limit=1, anns_field="v")
    same(hit["id"], 3)
    same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], 20)


@case("undeclared keys are merged with those that are there", since="2.6")
def merges(client, name):
    cards(client, name)
    client.upsert(name, [{"id": 2, "size": 99, "shape": "round"}], partial_update=True)
    same(get(client, name, 2), {**card(2), "size": 99, "shape": "round"})


@case("a row that is not there is inserted, if it is whole", since="2.6")
def inserts(client, name):
    cards(client, name)
    rows = [{"id": 7, "title": "seven", "v": [1.0, 1.0]}, {"id": 70, "title": "seventy", "v": [2.0, 2.0]}]
    client.upsert(name, rows, partial_update=True)
    same(get(client, name, 7), {**card(7), "title": "seven", "v": [1.0, 1.0]})
    found = get(client, name, 70)
    same([found["title"], found["state"], found["stars"], found["tags"]], ["seventy", "new", None, None])
    fails(
        lambda: client.upsert(name, [{"id": 71, "title": "no vector"}], partial_update=True),
        1100,
        'missing required field "v"',
    )
    same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], 21)


@case("the last of several rows with one key counts", since="2.6")
def twice(client, name):
    cards(client, name)
    client.upsert(name, [{"id": 4, "stars": 1}, {"id": 4, "stars": 3}], partial_update=True)
    same(get(client, name, 4), {**card(4), "stars": 3})
    same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], 20)


@case("elements are appended to arrays and removed from them", since="3.0")
def arrays(client, name):
    cards(client, name)
    client.upsert(name, [{"id": 1, "tags": ["b", "a"]}], field_ops={"tags": "array_append"})
    same(get(client, name, 1), {**card(1), "tags": ["a", "t1", "b", "a"]})
    client.upsert(name, [{"id": 1, "tags": ["a", "zzz"]}], field_ops={"tags": "array_remove"})
    same(get(client, name, 1), {**card(1), "tags": ["t1", "b"]})
    client.upsert(name, [{"id": 2, "marks": [7], "stars": 0}], field_ops={"marks": "array_remove"})
    same(get(client, name, 2), {**card(2), "marks": [2], "stars": 0})
    client.upsert(name, [{"id": 3, "tags": None}], partial_update=True)
    client.upsert(name, [{"id": 3, "tags": ["only"]}], field_ops={"tags": "array_append"})
    same(get(client, name, 3), {**card(3), "tags": ["only"]})
    fails(
        lambda: client.upsert(name, [{"id": 4, "marks": [1, 2]}], field_ops={"marks": "array_append"}),
        1100,
        "exceeds max capacity (4) of field marks",
    )
    fails(
        lambda: client.upsert(name, [{"id": 4, "stars": 2}], field_ops={"stars": "array_append"}),
        1100,
        "array operations need an Array field",
    )
    same(get(client, name, 4), card(4))


@case("updates of one row by many clients at once are all there", since="3.0")
def concurrent(client, name):
    cards(client, name)
    client.upsert(name, [{"id": 0, "tags": []}], partial_update=True)

    def work(worker):
        own = MilvusClient(URI)
        for n in range(10):
            tags = [f"{worker}-{n}"]
            own.upsert(name, [{"id": 0, "tags": tags}], field_ops={"tags": "array_append"})
            own.upsert(name, [{"id": 0, f"key{worker}": n}], partial_update=True)
        own.close()

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(work, range(5)))
    found = get(client, name, 0)
    same(sorted(found["tags"]), sorted(f"{worker}-{n}" for worker in range(5) for n in range(10)))
    same([found[f"key{worker}"] for worker in range(5)], [9] * 5)
    same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], 20)


run_cases()
