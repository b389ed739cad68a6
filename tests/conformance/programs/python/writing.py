"""Insert, upsert, delete, flush and statistics."""

from cases import case, fails, run_cases, same
from pymilvus import DataType


def shelf(client, name, **options):
    """Books with a number, a title and a place; several shards, so that one request spans them."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=50)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(
        name, schema=schema, index_params=index, consistency_level="Strong", num_shards=4, **options
    )


def book(n, title=None):
    return {"id": n, "title": title or f"book {n}", "v": [float(n), 0.0]}


def titles(client, name, filter="id >= 0"):
    return {row["id"]: row["title"] for row in client.query(name, filter, output_fields=["title"])}


def count(client, name):
    return client.query(name, "", output_fields=["count(*)"])[0]["count(*)"]


@case("insert answers with the count and the keys in their order")
def insert(client, name):
    shelf(client, name)
    answer = client.insert(name, [book(n) for n in (5, 3, 9)])
    same((answer["insert_count"], list(answer["ids"])), (3, [5, 3, 9]))
    same(client.insert(name, book(4))["insert_count"], 1)
    same(sorted(titles(client, name)), [3, 4, 5, 9])


@case("an insert of a key that exists replaces its row")
def unique_keys(client, name):
    shelf(client, name)
    client.insert(name, [book(1, "old"), book(2)])
    client.insert(name, [book(1, "new")])
    same(titles(client, name), {1: "new", 2: "book 2"})
    same(count(client, name), 2)
    same(len(client.search(name, [[1.0, 0.0]], limit=10)[0]), 2)


@case("within one request the last row of a key wins")
def last_row_wins(client, name):
    shelf(client, name)
    client.upsert(name, [book(1, "first"), book(1, "second"), book(1, "third")])
    same(titles(client, name), {1: "third"})


@case("a key is unique across partitions")
def unique_across_partitions(client, name):
    shelf(client, name)
    client.create_partition(name, "other")
    client.insert(name, [book(1, "here")])
    client.insert(name, [book(1, "there")], partition_name="other")
    same(titles(client, name), {1: "there"})
    same(len(client.query(name, "id == 1", partition_names=["_default"])), 0)
    same(len(client.query(name, "id == 1", partition_names=["other"])), 1)


@case("upsert replaces what exists and adds what does not")
def upsert(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(10)])
    answer = client.upsert(name, [book(3, "three"), book(50, "fifty")])
    same(answer["upsert_count"], 2)
    found = titles(client, name)
    same((len(found), found[3], found[50], found[4]), (11, "three", "fifty", "book 4"))


@case("delete by keys answers with their number and removes the rows from query and search")
def delete_by_keys(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(10)])
    same(client.delete(name, ids=[1, 2, 77])["delete_count"], 3)
    same(sorted(titles(client, name)), [0, 3, 4, 5, 6, 7, 8, 9])
    same([hit["id"] for hit in client.search(name, [[1.0, 0.0]], limit=2)[0]], [0, 3])


@case("delete by filter removes what the filter matches and answers with its number")
def delete_by_filter(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(100)])
    same(client.delete(name, filter='title like "book 1%" and id > 10')["delete_count"], 9)
    same(count(client, name), 91)
    client.delete(name, filter="id in [0, 1]")
    same(count(client, name), 89)


@case("a deleted key can be inserted again, and deleted again")
def delete_and_insert(client, name):
    shelf(client, name)
    for round in range(5):
        client.insert(name, [book(1, f"round {round}")])
        same(titles(client, name), {1: f"round {round}"})
        client.delete(name, ids=[1])
        same(titles(client, name), {})


@case("rows can be written while the collection is released; delete by keys too, by filter not")
def write_unloaded(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(5)])
    client.release_collection(name)
    client.insert(name, [book(10)])
    client.upsert(name, [book(0, "zero")])
    client.delete(name, ids=[1])
    fails(lambda: client.delete(name, filter='title == "book 2"'), text="not loaded")
    client.load_collection(name)
    same(sorted(titles(client, name).items())[:2], [(0, "zero"), (2, "book 2")])
    same(count(client, name), 5)


@case("a request with one bad row writes none of its rows")
def all_or_nothing(client, name):
    shelf(client, name)
    rows = [book(n) for n in range(20)]
    rows[13]["title"] = "x" * 51
    fails(lambda: client.insert(name, rows), text="exceeds max length")
    same(count(client, name), 0)


@case("flush and statistics count the live rows")
def flush(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(30)])
    client.flush(name)
    same(int(client.get_collection_stats(name)["row_count"]), 30)
    same(count(client, name), 30)


@case("ten thousand rows arrive and are counted")
def many_rows(client, name):
    shelf(client, name)
    for start in range(0, 10_000, 2_500):
        client.insert(name, [book(n) for n in range(start, start + 2_500)])
    same(count(client, name), 10_000)
    same([hit["id"] for hit in client.search(name, [[7777.0, 0.0]], limit=1)[0]], [7777])
    same(len(client.query(name, "id >= 0", limit=10_000)), 10_000)


@case("a collection that forbids duplicate keys refuses the second insert")
def reject_duplicates(client, name):
    shelf(client, name, properties={"elanus.duplicate_key": "reject"})
    client.insert(name, [book(1, "first")])
    fails(lambda: client.insert(name, [book(2), book(1, "second")]), 1100)
    same(titles(client, name), {1: "first"})


@case("a collection that keeps duplicate keys counts them all")
def keep_duplicates(client, name):
    shelf(client, name, properties={"elanus.duplicate_key": "keep"})
    client.insert(name, [book(1, "first")])
    client.insert(name, [book(1, "second")])
    same(count(client, name), 2)


@case("a collection is emptied, and takes rows again", since="3.0")
def truncate(client, name):
    shelf(client, name)
    client.insert(name, [book(n) for n in range(10)])
    client.flush(name)
    client.insert(name, [book(n) for n in range(5, 15)])
    client.truncate_collection(name)
    same(count(client, name), 0)
    same(client.search(name, [[1.0, 0.0]], limit=3)[0], [])
    client.insert(name, [book(7, "again")])
    same(titles(client, name), {7: "again"})


run_cases()
