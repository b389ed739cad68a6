"""Files of the client's bulk writer, imported over REST and in the ORM style; the rows are read back and compared.

The environment says where the server may read files: ELANUS_IMPORT_FILES.
"""

import json
import os
import time

import ml_dtypes
import numpy as np
from cases import ADDRESS, URI, case, fails, run_cases, same
from pymilvus import DataType, Function, FunctionType, connections, utility
from pymilvus.bulk_writer import BulkFileType, LocalBulkWriter, bulk_import, get_import_progress, list_import_jobs

DIRECTORY = os.environ["ELANUS_IMPORT_FILES"]
DIM = 8
ROWS = 300
# Of vectors whose numbers are not those of Python.
PACKED = {"half": np.float16, "brain": ml_dtypes.bfloat16, "bytes": np.int8}
ELEMENTS = {
    "BOOL": lambda n: n % 2 == 0,
    "INT8": lambda n: n % 100,
    "INT16": lambda n: -n,
    "INT32": lambda n: n * 100_003,
    "INT64": lambda n: n * 2**40,
    "FLOAT": lambda n: n / 4,
    "DOUBLE": lambda n: n / 3,
}


def schema_of(client, with_arrays=True):
    schema = client.create_schema(auto_id=False, enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("flag", DataType.BOOL)
    schema.add_field("tiny", DataType.INT8)
    schema.add_field("small", DataType.INT16)
    schema.add_field("medium", DataType.INT32)
    schema.add_field("single", DataType.FLOAT)
    schema.add_field("precise", DataType.DOUBLE)
    schema.add_field("name", DataType.VARCHAR, max_length=64)
    schema.add_field("document", DataType.JSON)
    if with_arrays:
        schema.add_field("maybe", DataType.INT64, nullable=True)
        schema.add_field("numbers", DataType.ARRAY, element_type=DataType.INT64, max_capacity=8)
        schema.add_field("words", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=8, max_length=16)
        schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
        schema.add_field("place", DataType.GEOMETRY, nullable=True)
        schema.add_field("time", DataType.TIMESTAMPTZ, nullable=True)
        schema.add_field("usual", DataType.INT64, default_value=7)
        parts = client.create_struct_field_schema()
        parts.add_field("size", DataType.INT64)
        parts.add_field("label", DataType.VARCHAR, max_length=16)
        parts.add_field("e", DataType.FLOAT_VECTOR, dim=2)
        struct = {"element_type": DataType.STRUCT, "struct_schema": parts, "max_capacity": 4}
        schema.add_field("parts", DataType.ARRAY, **struct)
        for element in ELEMENTS:
            own = {"element_type": DataType[element], "max_capacity": 8, "nullable": True}
            schema.add_field(f"list_{element}", DataType.ARRAY, **own)
    schema.add_field("half", DataType.FLOAT16_VECTOR, dim=4)
    schema.add_field("brain", DataType.BFLOAT16_VECTOR, dim=4)
    schema.add_field("bytes", DataType.INT8_VECTOR, dim=4)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=16)
    return schema


def row_of(key, with_arrays=True):
    row = {
        "id": key,
        "flag": key % 2 == 0,
        "tiny": key % 100 - 50,
        "small": key * 7 % 30000,
        "medium": key * 100003,
        "single": key / 4,
        "precise": key / 3,
        "name": f"näme, \"{key}\"",
        "document": {"key": key, "list": [1, 2.5, "three"]},
        "dense": [float(np.float32(key + at / 8)) for at in range(DIM)],
        "bits": [key % 2, 1, 0, 1, 1, 0, 0, 1] * 2,
        "half": [key, 0.5, -0.25, 1],
        "brain": [key % 100, 0.5, -0.25, 1],
        "bytes": [key % 100, -1, 127, -128],
        "colour": "red" if key % 3 else "blue",
    }
    if with_arrays:
        row["maybe"] = None if key % 5 == 0 else key * 2**40
        row["numbers"] = [key, -key]
        row["words"] = ["a", f"b{key}"]
        row["sparse"] = {key + 1: 0.5, 100000: 1.25}
        row["place"] = None if key % 5 == 0 else f"POINT ({key} 2)"
        row["time"] = None if key % 5 == 0 else "2024-01-02T03:04:05Z"
        row["usual"] = None if key % 5 == 0 else key
        row["parts"] = [{"size": key, "label": f"part {at}", "e": [float(at), 0.5]} for at in range(key % 3 + 1)]
        for element, value in ELEMENTS.items():
            row[f"list_{element}"] = None if key % 5 == 0 else [value(key + at) for at in range(key % 4)]
    return row


def create(client, name, with_arrays=True):
    schema = schema_of(client, with_arrays)
    index = client.prepare_index_params()
    index.add_index("dense", index_type="FLAT", metric_type="L2")
    index.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
    for field in ("half", "brain", "bytes"):
        index.add_index(field, index_type="AUTOINDEX", metric_type="L2")
    if with_arrays:
        index.add_index("parts[e]", index_type="AUTOINDEX", metric_type="MAX_SIM")
        index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    return schema


def written(schema, file_type, rows, **options):
    writer = LocalBulkWriter(schema, DIRECTORY, file_type=file_type, **options)
    for row in rows:
        packed = {name: np.array(row[name], dtype=type) for name, type in PACKED.items() if name in row}
        writer.append_row({**row, **packed})
    writer.commit()
    return writer.batch_files


def wait(job):
    for _ in range(600):
        data = get_import_progress(URI, job).json()["data"]
        if data["state"] in ("Completed", "Failed"):
            return data
        time.sleep(0.05)
    raise AssertionError("the import does not end")


def imported(name, files):
    job = bulk_import(URI, name, files=files).json()["data"]["jobId"]
    return wait(job)


def comparable(row):
    packed = {}
    for field, value in row.items():
        if field == "bits" and not isinstance(value, list):
            value = [int(bit) for bit in np.unpackbits(np.frombuffer(value[0], dtype=np.uint8))]
        elif isinstance(value, np.ndarray) or field in ("dense", "numbers", "words"):
            value = list(value)
        elif field == "sparse":
            value = {int(index): float(weight) for index, weight in dict(value).items()}
        elif field in PACKED and isinstance(value[0], bytes):
            value = np.frombuffer(value[0], dtype=PACKED[field]).astype(float).tolist()
        elif field == "parts":
            value = [{**part, "e": [float(number) for number in part["e"]]} for part in value]
        elif field == "usual" and value is None:
            value = 7
        elif field.startswith("list_") and value is not None:
            value = list(value)
        packed[field] = value
    return packed


def compare(client, name, rows):
    found = client.query(name, "id >= 0", output_fields=["*"], limit=ROWS)
    for row in found:
        if isinstance(row["bits"], list) and isinstance(row["bits"][0], bytes):
            row["bits"] = [int(bit) for bit in np.unpackbits(np.frombuffer(row["bits"][0], dtype=np.uint8))]
    same([comparable(row) for row in sorted(found, key=lambda row: row["id"])], [comparable(row) for row in rows])


def of_type(file_type, with_arrays=True):
    def run(client, name):
        schema = create(client, name, with_arrays)
        rows = [row_of(key, with_arrays) for key in range(ROWS)]
        files = written(schema, file_type, rows)
        ended = imported(name, files)
        same((ended["state"], ended["importedRows"], ended.get("reason")), ("Completed", ROWS, None))
        compare(client, name, rows)

    return run


for kind, arrays in [("PARQUET", True), ("JSON", True), ("CSV", True), ("NUMPY", False)]:
    case(f"rows of the bulk writer in {kind} are read", since="3.0")(of_type(BulkFileType[kind], arrays))


@case("a function makes its field of imported texts", since="3.0")
def functions(client, name):
    schema = client.create_schema(auto_id=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=200, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    index = client.prepare_index_params()
    index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    texts = ["a kite over the heath", "two buzzards", "the kite and the hare"]
    files = written(schema, BulkFileType.PARQUET, [{"text": text} for text in texts])
    same(imported(name, files)["state"], "Completed")
    hits = client.search(name, ["kite"], anns_field="words", limit=3, output_fields=["text"])[0]
    same(sorted(hit["entity"]["text"] for hit in hits), sorted([texts[0], texts[2]]))


@case("the ORM style imports by task and sees its states")
def orm(client, name):
    create(client, name)
    rows = [row_of(key) for key in range(20)]
    path = os.path.join(DIRECTORY, f"{name}.json")
    with open(path, "w") as file:
        json.dump({"rows": [{**row, "bits": [int(b) for b in np.packbits(row["bits"])]} for row in rows]}, file)
    connections.connect("imports", uri=URI)
    task = utility.do_bulk_insert(name, [path], using="imports")
    for _ in range(600):
        state = utility.get_bulk_insert_state(task, using="imports")
        if state.state_name in ("Completed", "Failed"):
            break
        time.sleep(0.05)
    same((state.state_name, state.row_count, state.failed_reason), ("Completed", 20, ""))
    same([each.task_id for each in utility.list_bulk_insert_tasks(collection_name=name, using="imports")], [task])
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], 20)


@case("a mistake is told with file and row, and nothing is there", since="3.0")
def mistakes(client, name):
    create(client, name)
    rows = [row_of(key) for key in range(20)]
    rows[17]["dense"] = [1.0]
    path = os.path.join(DIRECTORY, f"{name}.json")
    with open(path, "w") as file:
        json.dump([{**row, "bits": [1, 2]} for row in rows], file)
    ended = imported(name, [[path]])
    same(ended["state"], "Failed")
    assert f"{path}: row 17: the vector field dense" in ended["reason"], ended["reason"]
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], 0)
    jobs = list_import_jobs(URI, name).json()["data"]["records"]
    same([job["state"] for job in jobs], ["Failed"])


run_cases()
