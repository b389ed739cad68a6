"""Opens segment files as people do with their own tools and prints what they find, as JSON.

Arguments: the file, and the readers to use. One line per reader: its name, or why it can not.
"""

import json
import struct
import sys
from datetime import datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def doubled(value):
    """The bits of a number as a double."""
    return struct.pack(">d", value).hex()


def plain(value):
    """A value as JSON has it: bytes in hexadecimal, whole numbers as texts,
    others by their bits, instants as microseconds."""
    if isinstance(value, datetime):
        return str((value - EPOCH) // timedelta(microseconds=1))
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return doubled(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def columns_of(names, column):
    return {name: [plain(value) for value in column(name)] for name in names}


def with_pyarrow(path):
    with pa.memory_map(path) as source:
        reader = ipc.open_file(source)
        table = reader.read_all()
        table.validate(full=True)
        schema = {
            field.name: {
                "type": str(field.type),
                "nullable": field.nullable,
                "metadata": {key.decode(): value.decode() for key, value in (field.metadata or {}).items()},
            }
            for field in table.schema
        }
        metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        columns = columns_of(table.column_names, lambda name: table[name].to_pylist())
        return {"batches": reader.num_record_batches, "schema": schema, "metadata": metadata, "columns": columns}


def with_stream(path):
    with open(path, "rb") as file:
        file.seek(8)
        table = ipc.open_stream(file).read_all()
        return {"columns": columns_of(table.column_names, lambda name: table[name].to_pylist())}


def with_polars(path):
    import polars as pl

    frame = pl.read_ipc(path)
    return {"columns": columns_of(frame.columns, lambda name: frame[name].to_list())}


def with_pandas(path):
    import pandas as pd

    with pa.memory_map(path) as source:
        names = ipc.open_file(source).schema.names
    # pandas has no lists of binary vectors.
    frame = pd.read_feather(path, columns=[name for name in names if name != "struct[bits]"])
    return {"rows": len(frame), "columns": {name: None for name in frame.columns}}


def with_duckdb(path):
    import duckdb

    with pa.memory_map(path) as source:
        file = ipc.open_file(source).read_all()
        names = file.column_names
        # Its instants become Python's by a package of their own.
        rows = duckdb.sql("select * replace (epoch_us(instant) as instant) from file").fetchall()
        return {"columns": columns_of(names, lambda name: [row[names.index(name)] for row in rows])}


def with_numpy(path):
    """Vectors without a copy, as whoever trains on them wants them."""
    with pa.memory_map(path) as source:
        table = ipc.open_file(source).read_all()
        vectors = table["floatVector"].chunk(0)
        matrix = vectors.flatten().to_numpy(zero_copy_only=True).reshape(len(vectors), -1)
        halves = np.frombuffer(table["halfVector"].chunk(0).buffers()[1], dtype=np.float16, count=8 * len(vectors))
        return {
            "shape": list(matrix.shape),
            "sum": doubled(float(matrix.sum())),
            "halves": plain(halves),
        }


for name in sys.argv[2:]:
    try:
        found = globals()[f"with_{name}"](sys.argv[1])
    except Exception as error:  # The test says what it expected; here every failure is a result.
        found = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"reader": name, **found}))
