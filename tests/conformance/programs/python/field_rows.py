"""Collections with one small vector and whatever else a case is about."""

from pymilvus import DataType


def create(client, name, add_fields, primary=DataType.INT64, dynamic=False, **primary_options):
    """A loaded collection with a key, whatever `add_fields` adds, and a small vector."""
    schema = client.create_schema(enable_dynamic_field=dynamic)
    if primary == DataType.VARCHAR:
        primary_options.setdefault("max_length", 100)
    schema.add_field("id", primary, is_primary=True, **primary_options)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    add_fields(schema)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def row(key, **values):
    return {"id": key, "v": [0.0, 1.0], **values}


def read(client, name, *fields):
    """All rows by ascending key, with these fields only."""
    rows = client.query(name, "id >= 0", output_fields=list(fields))
    return [{field: found[field] for field in fields} for found in rows]
