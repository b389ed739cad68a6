"""Rows from their insertion to their end, by MilvusClient."""

import os
import sys

from pymilvus import DataType, MilvusClient
from steps import step

client = MilvusClient(f"http://{sys.argv[-1]}", timeout=30)
NAME = f"harbour_{os.getpid()}"
ABOVE_2_53 = 9007199254740993
INT64_MIN = -9223372036854775808


def create():
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("ship", DataType.INT64, is_primary=True)
    schema.add_field("name", DataType.VARCHAR, max_length=64)
    schema.add_field("tons", DataType.DOUBLE)
    schema.add_field("place", DataType.FLOAT_VECTOR, dim=4)
    index = client.prepare_index_params()
    index.add_index("place", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=index, consistency_level="Strong")
    return client.has_collection(NAME)


def row(ship, name, tons, x, **dynamic):
    return {"ship": ship, "name": name, "tons": tons, "place": [x, 0.0, 0.0, 0.0], **dynamic}


def describe():
    fields = client.describe_collection(NAME)["fields"]
    return [f"{field['field_id']} {field['name']} {field['type'].name}" for field in fields]


def insert():
    rows = [
        row(1, "Ada", 10.5, 1.0, berth="7"),
        row(2, "Bea", 20.25, 2.0, berth="8"),
        row(3, "Cleo", 30.0, 3.0, crew=ABOVE_2_53),
        row(ABOVE_2_53, "Dora", 40.0, 4.0),
        row(INT64_MIN, "Eva", 50.0, 5.0),
    ]
    return [str(key) for key in client.insert(NAME, rows)["ids"]]


def keys(filter, **options):
    rows = client.query(NAME, filter, output_fields=["ship"], **options)
    return [str(row["ship"]) for row in rows]


def names(filter):
    return [row["name"] for row in client.query(NAME, filter, output_fields=["name"])]


def count(filter=""):
    return client.query(NAME, filter, output_fields=["count(*)"])[0]["count(*)"]


def get(*ids):
    return sorted(row["name"] for row in client.get(NAME, list(ids), output_fields=["name"]))


def search(limit, filter="", offset=0, vector=(0.0, 0.0, 0.0, 0.0)):
    params = {"metric_type": "L2", "offset": offset}
    hits = client.search(
        NAME, [list(vector)], filter=filter, limit=limit, output_fields=["name"], search_params=params
    )[0]
    return [f"{hit['entity']['name']} {hit['distance']:g}" for hit in hits]


def vector_of(ship):
    return [float(x) for x in client.get(NAME, [ship], output_fields=["place"])[0]["place"]]


def upsert():
    client.upsert(NAME, [row(2, "Bettina", 21.0, 2.5), row(6, "Fay", 60.0, 6.0)])
    return names("ship == 2 or ship == 6")


def delete(**what):
    client.delete(NAME, **what)
    return count()


step("a collection is created, indexed and loaded", create)
step("it is described field by field", describe)
step("rows are inserted and their keys returned", insert)
step("a query returns rows by ascending key", lambda: keys("tons > 0"))
step("a key above 2^53 is found exactly", lambda: names(f"ship == {ABOVE_2_53}"))
step("its neighbour is not found", lambda: names(f"ship == {ABOVE_2_53 - 1}"))
step("a dynamic int64 above 2^53 is compared exactly", lambda: names(f"crew == {ABOVE_2_53}"))
step("a dynamic string is compared", lambda: names('berth == "8"'))
step("rows are counted", count)
step("rows are counted under a filter", lambda: count("tons >= 30"))
step("rows are fetched by their keys", lambda: get(1, 3, 99))
step("a vector comes back", lambda: vector_of(3))
step("a query has a limit and an offset", lambda: keys("ship > 0", limit=2, offset=1))
step("a search returns the nearest first", lambda: search(3))
step("a search has an offset", lambda: search(2, offset=2))
step("a search takes a filter", lambda: search(3, filter='name like "C%" or tons > 35'))
step("a vector of another dimension is refused", lambda: search(3, vector=(0.0, 0.0)))
step("an upsert replaces one row and adds another", upsert)
step("an upsert moves the vector too", lambda: search(2))
step("rows are deleted by key", lambda: delete(ids=[1, INT64_MIN]))
step("rows are deleted by filter", lambda: delete(filter="tons > 35"))
step("what was deleted is not found", lambda: search(10))
step("a filter that can't be parsed is refused", lambda: names("tons >>> 1"))
step("an unknown collection is refused", lambda: client.query("nowhere", "ship > 0"))
client.drop_collection(NAME)
step("a dropped collection is gone", lambda: client.has_collection(NAME))
