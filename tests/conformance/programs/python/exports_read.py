"""pandas, Polars and DuckDB open what Elanus exports and find every value of every type. ELANUS_IMPORT_FILES is a folder that
the server may write to."""

import json
import math
import os
import time
import urllib.request

import duckdb
import numpy
import pandas
import polars
import pyarrow.parquet
from cases import ADDRESS, case, run_cases, same

FOLDER = os.path.join(os.environ["ELANUS_IMPORT_FILES"], "read")
NAME = "opened"
ROWS = 50


def rest(path, body):
    url = f"http://{ADDRESS}/v2/vectordb/{path}"
    answer = json.loads(urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode())).read())
    assert answer["code"] == 0, answer
    return answer["data"]


def field(name, type, **more):
    return {"fieldName": name, "dataType": type, **more}


def array(name, type, **more):
    params = {"max_capacity": 8, "max_length": 32}
    return field(name, "Array", elementDataType=type, elementTypeParams=params, **more)


SCALARS = {
    "flag": ("Bool", lambda n: n % 2 == 0),
    "tiny": ("Int8", lambda n: n - 25),
    "small": ("Int16", lambda n: -n * 100),
    "medium": ("Int32", lambda n: n * 10_000),
    "large": ("Int64", lambda n: n * 2**50 + 1),
    "single": ("Float", lambda n: n / 4),
    "precise": ("Double", lambda n: n / 3),
    "name": ("VarChar", lambda n: f"näme {n}"),
    "body": ("Text", lambda n: f"some text {n}"),
    "place": ("Geometry", lambda n: f"POINT ({n} 2)"),
    "time": ("Timestamptz", lambda n: f"2024-01-02T03:04:{n % 60:02}.678901Z"),
}
ELEMENTS = ["Bool", "Int8", "Int16", "Int32", "Int64", "Float", "Double", "VarChar"]
VALUE = {type: make for type, make in SCALARS.values()}
DENSE = {"v32": "FloatVector", "v8": "Int8Vector", "v16": "Float16Vector"}
PARTS = {
    "fieldName": "parts",
    "nullable": True,
    "typeParams": {"max_capacity": 4},
    "fields": [
        field("size", "Array", elementDataType="Int64"),
        field("label", "Array", elementDataType="VarChar", elementTypeParams={"max_length": 32}),
    ],
}


def row(key):
    own = {name: None if key % 7 == 3 else make(key) for name, (_, make) in SCALARS.items()}
    for type in ELEMENTS:
        own[f"list_{type}"] = None if key % 7 == 3 else [VALUE[type](key + at) for at in range(key % 4)]
    return {
        "id": key,
        **own,
        "document": {"key": key, "list": [1, None]},
        "v32": [key + at / 8 for at in range(4)],
        "v8": [key, -key, 0, 1],
        "v16": [key, 0.5, -0.25, 1],
        "words": {"3": 0.5, str(key + 10): 1.5},
        "parts": None if key % 7 == 3 else [{"size": key, "label": f"part {at}"} for at in range(key % 3)],
        "colour": "red",
    }


def fill():
    fields = [field("id", "Int64", isPrimary=True), field("document", "JSON")]
    for name, (type, _) in SCALARS.items():
        fields.append(field(name, type, nullable=True, elementTypeParams={"max_length": 64}))
    fields += [array(f"list_{type}", type, nullable=True) for type in ELEMENTS]
    fields += [field(name, type, elementTypeParams={"dim": 4}) for name, type in DENSE.items()]
    fields.append(field("words", "SparseFloatVector"))
    schema = {"enableDynamicField": True, "fields": fields, "structFields": [PARTS]}
    rest("collections/create", {"collectionName": NAME, "schema": schema})
    rest("entities/insert", {"collectionName": NAME, "data": [row(key) for key in range(ROWS)]})
    job = rest("jobs/export/create", {"collectionName": NAME, "path": FOLDER})["jobId"]
    while True:
        told = rest("jobs/export/describe", {"jobId": job})
        assert told["state"] != "Failed", told
        if told["state"] == "Completed":
            return told["files"][0]
        time.sleep(0.05)


def plain(value):
    """A value as JSON would have it, whatever a reader makes of it."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and math.isnan(value):
        return None
    return None if value is pandas.NA else value


def expected(key):
    own = row(key)
    own["document"] = json.dumps(own["document"], separators=(",", ":"))
    own["words"] = json.dumps(own["words"], separators=(",", ":"))
    own["$meta"] = json.dumps({"colour": own.pop("colour")}, separators=(",", ":"))
    return own


def check(rows):
    same(len(rows), ROWS)
    for key, found in enumerate(rows):
        found = {name: plain(value) for name, value in found.items()}
        # Two bytes for each number, as Milvus' own files have them.
        halves = bytes(found["v16"])
        found["v16"] = numpy.frombuffer(halves, numpy.float16).tolist()
        for name in ("document", "words", "$meta"):
            found[name] = json.dumps(json.loads(found[name]), separators=(",", ":"))
        wanted = expected(key)
        same(sorted(found), sorted(wanted))
        for name, value in wanted.items():
            same((key, name, found[name]), (key, name, value))


path = fill()


@case("pandas finds every value")
def pandas_reads(client, name):
    check(pandas.read_parquet(path, dtype_backend="pyarrow").to_dict("records"))


@case("Polars finds every value")
def polars_reads(client, name):
    check(polars.read_parquet(path).to_dicts())


@case("DuckDB finds every value")
def duckdb_reads(client, name):
    found = duckdb.sql(f"select * from '{path}' order by id")
    check([dict(zip(found.columns, values)) for values in found.fetchall()])


@case("pyarrow reads types that say what they are")
def arrow_types(client, name):
    schema = pyarrow.parquet.read_schema(path)
    types = {name: str(schema.field(name).type) for name in ("tiny", "large", "single", "name", "flag")}
    same(types, {"tiny": "int8", "large": "int64", "single": "float", "name": "string", "flag": "bool"})


run_cases()
