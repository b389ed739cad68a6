"""Collections whose partitions are chosen by a field."""

from cases import case, fails, run_cases, same
from pymilvus import DataType

IN_KEY_MODE = "if partition key mode is used"


def tenants(client, name, type=DataType.VARCHAR, **options):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    length = {"max_length": 20} if type == DataType.VARCHAR else {}
    schema.add_field("tenant", type, is_partition_key=True, **length)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong", **options)


def rows(count, tenant):
    return [{"id": n, "tenant": tenant(n), "v": [float(n), 0.0]} for n in range(count)]


@case("there are 64 partitions unless the request says otherwise")
def number_of_partitions(client, name):
    tenants(client, name)
    same(client.list_partitions(name), [f"_default_{n}" for n in range(64)])
    client.drop_collection(name)
    tenants(client, name, num_partitions=5)
    same(client.list_partitions(name), [f"_default_{n}" for n in range(5)])


@case("rows are found by their text key, in query, search and delete")
def text_tenants(client, name):
    tenants(client, name)
    client.insert(name, rows(60, lambda n: f"tenant {n % 6}"))
    same(len(client.query(name, 'tenant == "tenant 2"')), 10)
    same(len(client.query(name, 'tenant in ["tenant 1", "tenant 2"]')), 20)
    hits = client.search(name, [[0.0, 0.0]], filter='tenant == "tenant 3"', limit=3)[0]
    same([hit["id"] for hit in hits], [3, 9, 15])
    client.delete(name, filter='tenant == "tenant 3"')
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], 50)


@case("rows are found by their number key and move when an upsert changes it")
def number_tenants(client, name):
    tenants(client, name, type=DataType.INT64)
    client.insert(name, rows(60, lambda n: n % 6))
    client.upsert(name, [{"id": 0, "tenant": 5, "v": [0.0, 0.0]}])
    same(len(client.query(name, "tenant == 0")), 9)
    same(len(client.query(name, "tenant == 5")), 11)
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], 60)


@case("the rows are spread over the partitions")
def spread(client, name):
    tenants(client, name, num_partitions=4)
    client.insert(name, rows(400, lambda n: f"tenant {n}"))
    client.flush(name)
    counts = [int(client.get_partition_stats(name, f"_default_{n}")["row_count"]) for n in range(4)]
    same(sum(counts), 400)
    assert min(counts) > 50, counts


REFUSED = [
    (
        "create",
        lambda client, name: client.create_partition(name, "mine"),
        f"disable create partition {IN_KEY_MODE}",
    ),
    ("drop", lambda client, name: client.drop_partition(name, "_default_0"), "partition key mode"),
    (
        "load",
        lambda client, name: client.load_partitions(name, ["_default_0"]),
        f"disable load partitions {IN_KEY_MODE}",
    ),
    ("release", lambda client, name: client.release_partitions(name, ["_default_0"]), "partition key mode"),
    (
        "insert into",
        lambda client, name: client.insert(name, rows(1, str), partition_name="_default_0"),
        f"not support manually specifying the partition names {IN_KEY_MODE}",
    ),
    (
        "upsert into",
        lambda client, name: client.upsert(name, rows(1, str), partition_name="_default_0"),
        f"not support manually specifying the partition names {IN_KEY_MODE}",
    ),
    (
        "delete from",
        lambda client, name: client.delete(name, filter="id == 1", partition_name="_default_0"),
        f"not support manually specifying the partition names {IN_KEY_MODE}",
    ),
    (
        "query",
        lambda client, name: client.query(name, "id == 1", partition_names=["_default_0"]),
        f"not support manually specifying the partition names {IN_KEY_MODE}",
    ),
    (
        "search",
        lambda client, name: client.search(name, [[0.0, 0.0]], partition_names=["_default_0"]),
        f"not support manually specifying the partition names {IN_KEY_MODE}",
    ),
]


def register(verb, action, text):
    @case(f"nobody can {verb} a partition by hand")
    def refused(client, name):
        tenants(client, name)
        fails(lambda: action(client, name), text=text)


for verb, action, text in REFUSED:
    register(verb, action, text)


@case("a number of partitions without a partition key is refused")
def number_without_key(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    fails(
        lambda: client.create_collection(name, schema=schema, num_partitions=4),
        text="num_partitions should only be specified with partition key field enabled",
    )


run_cases()
