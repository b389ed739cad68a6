"""What Elanus exports, a Milvus 2.3 imports. The environment says where both may read and write: MILVUS, MILVUS_FILES,
ELANUS_IMPORT_FILES."""

import json
import os
import shutil
import time
import urllib.request

from cases import ADDRESS, case, run_cases, same
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility

DIRECTORY = os.environ["ELANUS_IMPORT_FILES"]
MILVUS_FILES = os.environ["MILVUS_FILES"]
ROWS = 200

connections.connect("elanus", uri=f"http://{ADDRESS}")
connections.connect("milvus", uri=f"http://{os.environ['MILVUS']}")


def rest(path, body):
    url = f"http://{ADDRESS}/v2/vectordb/{path}"
    answer = urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode()))
    return json.loads(answer.read())["data"]


def schema():
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("name", DataType.VARCHAR, max_length=64),
        FieldSchema("single", DataType.FLOAT),
        FieldSchema("precise", DataType.DOUBLE),
        FieldSchema("flag", DataType.BOOL),
        FieldSchema("tiny", DataType.INT8),
        FieldSchema("medium", DataType.INT32),
        FieldSchema("document", DataType.JSON),
        FieldSchema("v", DataType.FLOAT_VECTOR, dim=8),
    ]
    return CollectionSchema(fields, enable_dynamic_field=True)


def row(key):
    return {
        "id": key,
        "name": f"näme {key}",
        "single": key / 4,
        "precise": key / 3,
        "flag": key % 2 == 0,
        "tiny": key % 100,
        "medium": key * 1000,
        "document": {"key": key},
        "v": [key + at / 8 for at in range(8)],
        "colour": "red",
    }


def exported(name, format):
    folder = os.path.join(DIRECTORY, f"{name}_{format}")
    job = rest("jobs/export/create", {"collectionName": name, "format": format, "path": folder})["jobId"]
    while True:
        told = rest("jobs/export/describe", {"jobId": job})
        if told["state"] == "Completed":
            return folder, [os.path.basename(file) for file in told["files"]]
        assert told["state"] != "Failed", told
        time.sleep(0.1)


def read_by_milvus(name, format):
    folder, files = exported(name, format)
    target = os.path.join(MILVUS_FILES, f"{name}_{format}")
    shutil.copytree(folder, target)
    if format == "jsonl":
        # Milvus 2.3 knows no JSON lines: they are the rows of its own form.
        with open(os.path.join(target, files[0])) as lines:
            rows = [json.loads(line) for line in lines]
        files = ["rows.json"]
        with open(os.path.join(target, files[0]), "w") as file:
            json.dump({"rows": rows}, file)
    there = Collection(name, schema(), using="milvus")
    there.create_index("v", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
    task = utility.do_bulk_insert(name, [os.path.join(target, file) for file in files], using="milvus")
    for _ in range(300):
        state = utility.get_bulk_insert_state(task, using="milvus")
        if state.state_name in ("Persisted", "Completed", "Failed"):
            break
        time.sleep(0.2)
    same((state.row_count, state.failed_reason), (ROWS, ""))
    there.flush()
    there.load()
    for _ in range(100):
        rows = there.query("id >= 0", output_fields=["*"], limit=ROWS, consistency_level="Strong")
        if len(rows) == ROWS:
            break
        time.sleep(0.2)
    utility.drop_collection(name, using="milvus")
    for found in rows:
        found["v"] = [float(number) for number in found["v"]]
        found["single"] = float(found["single"])
    return sorted(rows, key=lambda found: found["id"])


for format in ["parquet", "numpy", "jsonl"]:

    @case(f"rows exported as {format} are imported by Milvus 2.3.5")
    def reads(client, name, format=format):
        here = Collection(name, schema(), using="elanus")
        here.insert([row(key) for key in range(ROWS)])
        same(read_by_milvus(name, format), [row(key) for key in range(ROWS)])


run_cases()
