"""Common mistakes, and the codes and texts by which Milvus' users know them."""

from cases import URI, case, fails, run_cases, same
from pymilvus import DataType, MilvusClient


def shelf(client, name, load=True):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("title", DataType.VARCHAR, max_length=20)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index)
    client.insert(name, [{"id": 1, "title": "one", "v": [0.0, 0.0, 0.0, 1.0]}])
    if not load:
        client.release_collection(name)


VECTOR = [0.0, 0.0, 0.0, 1.0]

# What is done, to a loaded collection called `name`; the code (None: any); a part of the text.
ON_A_COLLECTION = [
    ("a query of a field that does not exist", lambda c, name: c.query(name, "size > 1"), 1100, "size"),
    (
        "a filter that ends too early",
        lambda c, name: c.query(name, "id >"),
        1100,
        "cannot parse expression: id >",
    ),
    (
        "a filter that compares text with a number",
        lambda c, name: c.query(name, "title > 5"),
        1100,
        "cannot parse expression",
    ),
    (
        "an output field that does not exist",
        lambda c, name: c.query(name, "id > 0", output_fields=["size"]),
        1100,
        "field size not exist",
    ),
    ("a limit of 0", lambda c, name: c.search(name, [VECTOR], limit=0), None, ""),
    (
        "a limit of 16385",
        lambda c, name: c.search(name, [VECTOR], limit=16385),
        1100,
        "should be in range [1, 16384]",
    ),
    (
        "an offset and a limit beyond 16384",
        lambda c, name: c.search(
            name, [VECTOR], limit=1, search_params={"metric_type": "L2", "offset": 16384}
        ),
        1100,
        "16384",
    ),
    (
        "a query vector of another dimension",
        lambda c, name: c.search(name, [[0.0, 1.0]]),
        None,
        "dimension mismatch",
    ),
    ("an unknown vector field", lambda c, name: c.search(name, [VECTOR], anns_field="w"), 1100, "w"),
    (
        "another metric than the index has",
        lambda c, name: c.search(name, [VECTOR], search_params={"metric_type": "IP"}),
        1100,
        "metric type not match",
    ),
    (
        "an unknown partition",
        lambda c, name: c.query(name, "id > 0", partition_names=["none"]),
        None,
        "partition name none not found",
    ),
    (
        "statistics of an unknown partition",
        lambda c, name: c.get_partition_stats(name, "none"),
        200,
        "partition not found",
    ),
    (
        "a partition whose name is not one",
        lambda c, name: c.create_partition(name, "a b"),
        1100,
        "Invalid partition name: a b",
    ),
    (
        "a second index on a field",
        lambda c, name: c.create_index(name, index(c, "v", "IP")),
        65535,
        "at most one distinct index is allowed per field",
    ),
    (
        "an index on a field that does not exist",
        lambda c, name: c.create_index(name, index(c, "w", "L2")),
        None,
        "cannot create index on non-exist",
    ),
    (
        "a rename to a name that exists",
        lambda c, name: c.rename_collection(name, name),
        65535,
        "duplicated new collection name",
    ),
]


def index(client, field, metric):
    params = client.prepare_index_params()
    params.add_index(field, index_type="FLAT", metric_type=metric)
    return params


def register_on_collection(sentence, action, code, text):
    @case(f"{sentence} is refused")
    def refused(client, name):
        shelf(client, name)
        fails(lambda: action(client, name), code, text)
        same(len(client.query(name, "id >= 0")), 1)


for mistake in ON_A_COLLECTION:
    register_on_collection(*mistake)


NOT_FOUND = "collection not found[database=default][collection=nowhere]"
CANNOT_FIND = "can't find collection[database=default][collection=nowhere]"
NOWHERE = [
    ("describe", lambda c: c.describe_collection("nowhere"), 100, CANNOT_FIND),
    ("query", lambda c: c.query("nowhere", "id > 0"), 100, "[collection=nowhere]"),
    ("search", lambda c: c.search("nowhere", [VECTOR]), 100, "[collection=nowhere]"),
    ("insert", lambda c: c.insert("nowhere", [{"id": 1}]), 100, CANNOT_FIND),
    ("load", lambda c: c.load_collection("nowhere"), 100, NOT_FOUND),
    ("release", lambda c: c.release_collection("nowhere"), 100, NOT_FOUND),
    ("list the partitions of", lambda c: c.list_partitions("nowhere"), 100, NOT_FOUND),
    ("count the rows of", lambda c: c.get_collection_stats("nowhere"), 100, NOT_FOUND),
    ("index", lambda c: c.create_index("nowhere", index(c, "v", "L2")), 100, "[collection=nowhere]"),
    ("flush", lambda c: c.flush("nowhere"), 100, NOT_FOUND),
    ("rename", lambda c: c.rename_collection("nowhere", "elsewhere"), 100, NOT_FOUND),
]


def register_nowhere(verb, action, code, text):
    @case(f"who wants to {verb} a collection that does not exist is told so")
    def refused(client, name):
        fails(lambda: action(client), code, text)


for mistake in NOWHERE:
    register_nowhere(*mistake)


@case("has_collection and the load state of a collection that does not exist are no errors")
def not_there(client, name):
    same(client.has_collection("nowhere"), False)
    same(client.get_load_state("nowhere")["state"].name, "NotExist")
    same(client.drop_collection("nowhere"), None)


@case("query, search and load progress of a released collection are refused")
def released(client, name):
    shelf(client, name, load=False)
    fails(lambda: client.query(name, "id > 0"), 101, "collection not loaded")
    fails(lambda: client.search(name, [VECTOR]), 101, "collection not loaded")
    same(client.get_load_state(name)["state"].name, "NotLoad")


@case("a load without an index is refused")
def no_index(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    client.create_collection(name, schema=schema)
    fails(lambda: client.load_collection(name), 700, "index not found")


def create_with(client, name, *fields, **options):
    schema = client.create_schema(**options)
    for field_name, data_type, field_options in fields:
        schema.add_field(field_name, data_type, **field_options)
    client.create_collection(name, schema=schema)


KEY = ("id", DataType.INT64, {"is_primary": True})
PLACE = ("v", DataType.FLOAT_VECTOR, {"dim": 4})

SCHEMAS = [
    ("a dimension of 1", [KEY, ("v", DataType.FLOAT_VECTOR, {"dim": 1})], "invalid dimension: 1"),
    ("a dimension of 32769", [KEY, ("v", DataType.FLOAT_VECTOR, {"dim": 32769})], "invalid dimension: 32769"),
    ("a binary dimension of 12", [KEY, ("v", DataType.BINARY_VECTOR, {"dim": 12})], "multiple of 8"),
    ("a VarChar of length 65536", [KEY, PLACE, ("t", DataType.VARCHAR, {"max_length": 65536})], "65535"),
    (
        "an array of capacity 4097",
        [KEY, PLACE, ("a", DataType.ARRAY, {"element_type": DataType.INT8, "max_capacity": 4097})],
        "4096",
    ),
    ("a field name with a space", [KEY, PLACE, ("a b", DataType.INT8, {})], "a b"),
    ("a field name that starts with a digit", [KEY, PLACE, ("1a", DataType.INT8, {})], "1a"),
    (
        "two fields of one name",
        [KEY, PLACE, ("t", DataType.INT8, {}), ("t", DataType.INT8, {})],
        "duplicated field name t",
    ),
    ("no vector field", [KEY, ("t", DataType.INT8, {})], "schema does not contain vector field"),
    (
        "more than 64 fields",
        [KEY, PLACE] + [(f"f{n}", DataType.INT8, {}) for n in range(63)],
        "maximum field's number should be limited to 64",
    ),
]


def register_schema(sentence, fields, text):
    @case(f"{sentence} is refused and nothing is created")
    def refused(client, name):
        fails(lambda: create_with(client, name, *fields), text=text)
        same(client.has_collection(name), False)


for mistake in SCHEMAS:
    register_schema(*mistake)

NAMES = ["1st", "with space", "dot.dot", "ünï", "x" * 256]


@case("names that are none are refused")
def names(client, name):
    for bad in NAMES:
        fails(lambda: create_with(client, bad, KEY, PLACE), 1100, "Invalid collection name")


@case("more than 16 shards are refused")
def shards(client, name):
    fails(
        lambda: client.create_collection(name, dimension=4, num_shards=17),
        text="maximum shards's number should be limited to 16",
    )


@case("an unknown database is refused")
def database(client, name):
    fails(
        lambda: MilvusClient(URI, db_name="nowhere").list_collections(),
        800,
        "database not found[database=nowhere]",
    )


run_cases()
