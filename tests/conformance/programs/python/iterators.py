"""Iterators over searches and queries: complete, stable, each row once."""

from contextlib import contextmanager

import numpy as np
from cases import ADDRESS, case, fails, run_cases, same
from pymilvus import Collection, DataType, connections

ROWS = 1200


def field(client, name, metric="L2", kind="float"):
    """Rows whose distances from the origin repeat: there are twelve different ones."""
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("ring", DataType.INT32)
    index = client.prepare_index_params()
    if kind == "bits":
        schema.add_field("v", DataType.BINARY_VECTOR, dim=16)
        index.add_index("v", index_type="BIN_FLAT", metric_type="HAMMING")
    else:
        schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
        index.add_index("v", index_type="FLAT", metric_type=metric)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [row(n, kind) for n in range(ROWS)])


def row(n, kind="float"):
    ring = n * 7 % 12
    if kind == "bits":
        bits = np.array([1] * ring + [0] * (16 - ring))
        return {"id": n, "ring": ring, "v": np.packbits(bits).tobytes()}
    return {"id": n, "ring": ring, "v": [float(ring), 0.0]}


def walk(iterator, between=lambda: None):
    found = []
    while page := iterator.next():
        found += [(hit["id"], hit["distance"]) for hit in page]
        between()
    iterator.close()
    return found


def check(found, falling=False):
    same(sorted(n for n, _ in found), list(range(ROWS)))
    distances = [d for _, d in found]
    same(distances, sorted(distances, reverse=falling))


@case("a search iterator finds every row once, also where scores are equal", since="2.5")
def ties(client, name):
    field(client, name)
    for batch in (1, 7, 100, 150, 1000, 1200, 5000):
        check(walk(client.search_iterator(name, [[0.0, 0.0]], batch_size=batch, anns_field="v")))


@case("so does one by similarity, and one over bits", since="2.5")
def other_metrics(client, name):
    field(client, name, metric="IP")
    check(walk(client.search_iterator(name, [[1.0, 0.0]], batch_size=64, anns_field="v")), falling=True)
    client.drop_collection(name)
    field(client, name, kind="bits")
    check(walk(client.search_iterator(name, [bytes(2)], batch_size=64, anns_field="v")))


@case("a search iterator keeps to its filter, its range and its limit", since="2.5")
def bounded(client, name):
    field(client, name)
    options = {"data": [[0.0, 0.0]], "batch_size": 50, "anns_field": "v"}
    found = walk(client.search_iterator(name, filter="ring < 3 and id >= 60", **options))
    same(sorted(n for n, _ in found), [n for n in range(60, ROWS) if n * 7 % 12 < 3])
    ranged = {"params": {"radius": 30.0, "range_filter": 4.0}}
    found = walk(client.search_iterator(name, search_params=ranged, **options))
    same(sorted(n for n, _ in found), [n for n in range(ROWS) if 4 <= (n * 7 % 12) ** 2 < 30])
    same(len(walk(client.search_iterator(name, limit=130, **options))), 130)


@case("an iterator sees the rows of its beginning, whatever is written meanwhile", since="2.5")
def snapshot(client, name):
    field(client, name)
    written = iter(range(100))

    def write():
        n = next(written)
        client.insert(name, [row(ROWS + n)])
        client.upsert(name, [{**row(n), "v": [50.0 + n, 0.0]}])
        client.delete(name, ids=[ROWS - 1 - n])

    check(walk(client.search_iterator(name, [[0.0, 0.0]], batch_size=100, anns_field="v"), write))
    client.drop_collection(name)
    field(client, name)
    found = []
    iterator = client.query_iterator(name, batch_size=100, output_fields=["id", "ring", "v"])
    while page := iterator.next():
        found += page
        write()
    same([r["id"] for r in found], list(range(ROWS)))
    same([r["v"] for r in found], [row(n)["v"] for n in range(ROWS)])


@case("a query iterator pages by key", since="2.4")
def query(client, name):
    field(client, name)
    for batch in (1000, 7):
        iterator = client.query_iterator(name, batch_size=batch, filter="ring in [3, 5]", output_fields=["id"])
        found = []
        while page := iterator.next():
            found += [r["id"] for r in page]
        same(found, [n for n in range(ROWS) if n * 7 % 12 in (3, 5)])


@contextmanager
def no_tokens():
    """Makes a client that knows both protocols believe that the server knows the first one only."""
    try:
        from pymilvus.client.search_iterator import SearchIteratorV2
    except ImportError:
        yield
        return
    check = SearchIteratorV2._check_token_exists
    SearchIteratorV2._check_token_exists = lambda self, token: check(self, None)
    try:
        yield
    finally:
        SearchIteratorV2._check_token_exists = check


@case("an iterator of the first protocol finds every row once")
def first_protocol(client, name):
    field(client, name)
    host, port = ADDRESS.split(":")
    connections.connect("iterators", host=host, port=port)
    with no_tokens():
        collection = Collection(name, using="iterators")
        parameters = {"metric_type": "L2", "params": {}}
        iterator = collection.search_iterator(
            data=[[0.0, 0.0]], anns_field="v", param=parameters, batch_size=150, limit=-1
        )
        found = []
        while page := iterator.next():
            found += page.ids()
        iterator.close()
    connections.disconnect("iterators")
    same(sorted(found), list(range(ROWS)))


@case("an iterator of a collection that is no more says so", since="2.5")
def stale(client, name):
    field(client, name)
    iterator = client.search_iterator(name, [[0.0, 0.0]], batch_size=100, anns_field="v")
    iterator.next()
    client.drop_collection(name)
    field(client, name)
    fails(iterator.next, 1100, "alias or database may have changed")


run_cases()
