"""Query and search: filters, output fields, pages, consistency levels, iterators."""

from concurrent.futures import ThreadPoolExecutor

from cases import URI, case, fails, run_cases, same
from pymilvus import DataType, MilvusClient

KINDS = ["apple", "pear", "plum", "fig"]


def orchard(client, name):
    """Trees 0 to 99 at (n, 0); every fifth is in blossom; `age` and `note` are dynamic."""
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("kind", DataType.VARCHAR, max_length=20)
    schema.add_field("height", DataType.DOUBLE)
    schema.add_field("count", DataType.INT32)
    schema.add_field("blossom", DataType.BOOL)
    schema.add_field("info", DataType.JSON)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [tree(n) for n in range(100)])


def tree(n):
    return {
        "id": n,
        "kind": KINDS[n % 4],
        "height": n / 2,
        "count": n * 3 - 100,
        "blossom": n % 5 == 0,
        "info": {"row": n // 10, "name": f"tree {n}", "inner": {"odd": n % 2 == 1}},
        "v": [float(n), 0.0],
        "age": n,
        **({"note": f"note {n}"} if n < 3 else {}),
    }


FILTERS = [
    ("id == 7", lambda n: n == 7),
    ("id != 7", lambda n: n != 7),
    ("id in [3, 1, 250]", lambda n: n in (1, 3)),
    ("id not in [3, 1]", lambda n: n not in (1, 3)),
    ("10 <= id < 13", lambda n: 10 <= n < 13),
    ("id >= 10 and id <= 12", lambda n: 10 <= n <= 12),
    ("id < 2 or id > 97", lambda n: n < 2 or n > 97),
    ("id < 2 || id > 97", lambda n: n < 2 or n > 97),
    ("not (id > 2)", lambda n: n <= 2),
    ("!(id > 2) && id > 0", lambda n: 0 < n <= 2),
    ("id > 2 and id < 9 or id == 50", lambda n: 2 < n < 9 or n == 50),
    ("height > 48.25", lambda n: n / 2 > 48.25),
    ("height == 3", lambda n: n == 6),
    ("count < -90", lambda n: n * 3 - 100 < -90),
    ("count + 100 == 30", lambda n: n == 10),
    ("count * 2 > 360", lambda n: (n * 3 - 100) * 2 > 360),
    ("height - 1.5 == 2", lambda n: n == 7),
    ("id % 10 == 3", lambda n: n % 10 == 3),
    ('kind == "fig"', lambda n: n % 4 == 3),
    ("kind == 'fig'", lambda n: n % 4 == 3),
    ('kind in ["fig", "plum"]', lambda n: n % 4 >= 2),
    ('kind like "p%"', lambda n: n % 4 in (1, 2)),
    ('kind > "pear"', lambda n: n % 4 == 2),
    ("blossom == true", lambda n: n % 5 == 0),
    ("blossom == false and id < 4", lambda n: n % 5 and n < 4),
    ('info["row"] == 4', lambda n: n // 10 == 4),
    ('info["row"] in [0, 9]', lambda n: n // 10 in (0, 9)),
    ('info["name"] == "tree 42"', lambda n: n == 42),
    ('info["name"] like "tree 4%"', lambda n: str(n).startswith("4")),
    ('info["inner"]["odd"] == true', lambda n: n % 2 == 1),
    ("age > 95", lambda n: n > 95),
    ('note == "note 1"', lambda n: n == 1),
    ('note like "note%"', lambda n: n < 3),
    ('age in [5, 6] and kind != "apple"', lambda n: n in (5, 6)),
]


@case("filters choose the rows they describe")
def filters(client, name):
    orchard(client, name)
    wrong = []
    for filter, holds in FILTERS:
        wanted = [n for n in range(100) if holds(n)]
        try:
            got = [row["id"] for row in client.query(name, filter, output_fields=["id"])]
        except Exception as error:
            got = f"{error}"
        if got != wanted:
            wrong.append(f"{filter}\n  got    {got}\n  wanted {wanted}")
    assert not wrong, "\n".join(wrong)


@case("rows are found by sets that the client has packed", since="3.0")
def packed_sets(client, name):
    import pymilvus

    orchard(client, name)
    wanted = [n for n in range(100) if n % 7 == 0]
    exact = pymilvus.build_roaring_bitmap([*wanted, -1, 2**62])
    likely = pymilvus.build_bloom_filter([f"tree {n}" for n in wanted], 0.0001)

    def found(text, blob, **options):
        rows = client.query(name, text, filter_params={"set": blob}, output_fields=["id"], **options)
        return [row["id"] for row in rows]

    same(found("membership_match(id, {set})", exact), wanted)
    same(found("not membership_match(count, {set}) and id < 3", exact), [0, 1, 2])
    same(found('membership_match(info["name"], {set}, type=bloom)', likely), wanted)
    hits = client.search(
        name, [[0.0, 0.0]], filter="membership_match(id, {set})", filter_params={"set": exact}, limit=3
    )
    same([hit["id"] for hit in hits[0]], wanted[:3])
    fails(lambda: found("membership_match(kind, {set})", exact), 1100, "is of type VarChar")
    fails(lambda: found("membership_match(id, {set})", exact[:-1]), 1100, "blob is invalid")


@case("a search sees exactly the rows of its filter, nearest first")
def filtered_search(client, name):
    orchard(client, name)
    wrong = []
    for filter, holds in FILTERS:
        wanted = [n for n in range(100) if holds(n)][:10]
        got = [hit["id"] for hit in client.search(name, [[0.0, 0.0]], filter=filter, limit=10)[0]]
        if got != wanted:
            wrong.append(f"{filter}\n  got    {got}\n  wanted {wanted}")
    assert not wrong, "\n".join(wrong)


@case("output fields are the ones asked for; the key always comes with a query")
def output_fields(client, name):
    orchard(client, name)
    same(set(client.query(name, "id == 1", output_fields=["kind"])[0]), {"id", "kind"})
    same(client.query(name, "id == 1", output_fields=["v"])[0]["v"], [1.0, 0.0])
    same(client.query(name, "id == 1", output_fields=["*"])[0], tree(1))
    same(client.query(name, "id == 5", output_fields=["age", "note"])[0], {"id": 5, "age": 5})
    hit = client.search(name, [[5.0, 0.0]], limit=1, output_fields=["*"])[0][0]
    same(dict(hit["entity"]), tree(5))
    hit = client.search(name, [[5.0, 0.0]], limit=1)[0][0]
    same((hit["id"], hit["distance"], dict(hit["entity"])), (5, 0.0, {}))
    hit = client.search(name, [[5.0, 0.0]], limit=1, output_fields=["kind", "v", "age"])[0][0]
    same(dict(hit["entity"]), {"kind": "pear", "v": [5.0, 0.0], "age": 5})


@case("several queries in one search are answered in order")
def several_queries(client, name):
    orchard(client, name)
    found = client.search(name, [[float(n), 0.0] for n in (90, 10, 50)], limit=1)
    same([hits[0]["id"] for hits in found], [90, 10, 50])


@case("pages of a query and of a search meet without gaps")
def pages(client, name):
    orchard(client, name)

    def query_page(offset, limit):
        return [row["id"] for row in client.query(name, "id >= 0", offset=offset, limit=limit)]

    def search_page(offset, limit):
        hits = client.search(
            name, [[0.0, 0.0]], limit=limit, search_params={"metric_type": "L2", "offset": offset}
        )
        return [hit["id"] for hit in hits[0]]

    for page in (query_page, search_page):
        same([key for offset in range(0, 100, 7) for key in page(offset, 7)], list(range(100)))
        same(page(99, 10), [99])
        same(page(100, 10), [])


@case("a limit without a filter is enough, no limit and no filter is refused")
def no_filter(client, name):
    orchard(client, name)
    same(len(client.query(name, "", limit=5)), 5)
    fails(
        lambda: client.query(name, "", output_fields=["id"]),
        text="empty expression should be used with limit",
    )


@case("count(*) is exact with and without a filter")
def count(client, name):
    orchard(client, name)

    def counted(filter):
        return client.query(name, filter, output_fields=["count(*)"])[0]["count(*)"]

    same((counted(""), counted("id < 10"), counted('kind == "none"')), (100, 10, 0))
    client.delete(name, filter="id >= 90")
    same(counted(""), 90)


@case("get returns the rows of its keys and leaves unknown ones out")
def get(client, name):
    orchard(client, name)
    same(sorted(row["id"] for row in client.get(name, [5, 3, 1000])), [3, 5])
    same(client.get(name, 7, output_fields=["kind"])[0]["kind"], "fig")
    same(client.get(name, []), [])


@case("a search that matches nothing gives empty lists, one for each query")
def nothing(client, name):
    orchard(client, name)
    found = client.search(name, [[0.0, 0.0]] * 3, filter="id > 1000", limit=5, output_fields=["*"])
    same([list(hits) for hits in found], [[], [], []])


@case("a row is seen by every consistency level right after its insert")
def consistency_levels(client, name):
    orchard(client, name)
    for n, level in enumerate(["Strong", "Session", "Bounded", "Eventually"], start=100):
        client.insert(name, [tree(n)])
        same(len(client.query(name, f"id == {n}", consistency_level=level)), 1)
        hits = client.search(name, [[float(n), 0.0]], limit=1, consistency_level=level)[0]
        same(hits[0]["id"], n)


@case("a query iterator visits every row once, also while rows are written")
def query_iterator(client, name):
    orchard(client, name)
    iterator = client.query_iterator(name, batch_size=7, filter="id < 60", output_fields=["kind"])
    keys = []
    while batch := iterator.next():
        keys += [row["id"] for row in batch]
        client.upsert(name, [tree(n) for n in range(60, 65)])
    iterator.close()
    same(keys, list(range(60)))


@case("a search iterator visits the rows from near to far")
def search_iterator(client, name):
    orchard(client, name)
    iterator = client.search_iterator(name, [[0.0, 0.0]], batch_size=9, limit=40, output_fields=["kind"])
    keys = []
    while batch := iterator.next():
        keys += [hit.id for hit in batch]
    iterator.close()
    same(keys, list(range(40)))



@case("rows are found by the vectors of other rows", since="3.0")
def search_by_keys(client, name):
    orchard(client, name)
    found = client.search(name, ids=[50, 3, 50], limit=3, anns_field="v")
    same([[hit["id"] for hit in hits] for hits in found], [[50, 49, 51], [3, 2, 4], [50, 49, 51]])
    [hits] = client.search(name, ids=[10], limit=2, anns_field="v", filter="id > 20")
    same([hit["id"] for hit in hits], [21, 22])
    missing = "some of the provided primary key IDs do not exist: missing IDs = [100, 777]"
    fails(lambda: client.search(name, ids=[5, 100, 777], limit=2, anns_field="v"), 1100, missing)
    fails(lambda: client.search(name, ids=["5"], limit=2, anns_field="v"), 1100, "ids")


@case("what one client has written another one sees, at every consistency level")
def two_clients(client, name):
    orchard(client, name)
    other = MilvusClient(URI)
    for n, level in enumerate(["Strong", "Bounded", "Session", "Eventually", "Customized"]):
        options = {"consistency_level": level}
        key = 1000 + n
        client.insert(name, [{**tree(1), "id": key, "v": [float(key), 0.0]}])
        same([r["id"] for r in other.query(name, filter=f"id == {key}", **options)], [key])
        [[hit]] = other.search(name, [[float(key), 0.0]], limit=1, anns_field="v", **options)
        same(hit["id"], key)
        client.upsert(name, [{**tree(1), "id": key, "kind": level, "v": [float(key), 0.0]}])
        [found] = other.query(name, filter=f"id == {key}", output_fields=["kind"], **options)
        same(found["kind"], level)
        client.delete(name, ids=[key])
        same(list(other.query(name, filter=f"id == {key}", **options)), [])
    other.close()


@case("a write of many rows is seen whole or not at all")
def whole_writes(client, name):
    orchard(client, name)
    seen = set()

    def read():
        own = MilvusClient(URI)
        for _ in range(150):
            [count] = own.query(name, filter="age >= 1000", output_fields=["count(*)"])
            seen.add(count["count(*)"])
        own.close()

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for round in range(10):
            client.insert(name, [{**tree(n), "id": 1000 + 40 * round + n, "age": 1000} for n in range(40)])
        for reader in readers:
            reader.result()
    assert all(count % 40 == 0 for count in seen), seen


run_cases()
