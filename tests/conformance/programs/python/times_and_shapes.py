"""Instants with time zones and shapes: in, out, filtered, null, by default, with bad values; and rows that have had their time."""

import time

from cases import case, fails, run_cases, same
from field_rows import create, read, row
from pymilvus import DataType

NEW_YEAR = "2025-01-01T00:00:00Z"
SQUARE = "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))"


def ids(client, name, text, **more):
    return [found["id"] for found in client.query(name, text, output_fields=["id"], **more)]


def instants(client, name):
    create(client, name, lambda schema: schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True))
    client.insert(
        name,
        [
            row(1, at=NEW_YEAR),
            row(2, at="2025-01-01T08:00:00+08:00"),
            row(3, at="2025-06-15T12:30:00.123456-03:30"),
            row(4, at=None),
            row(5, at="1969-12-31T23:59:59.5Z"),
        ],
    )


@case("instants come back in UTC with no more decimal places than they have", since="3.0")
def in_utc(client, name):
    instants(client, name)
    wanted = [NEW_YEAR, NEW_YEAR, "2025-06-15T16:00:00.123456Z", None, "1969-12-31T23:59:59.5Z"]
    same([found["at"] for found in read(client, name, "at")], wanted)
    found = client.search(name, [[0.0, 1.0]], limit=5, output_fields=["at"])[0]
    same({hit["id"]: hit["entity"]["at"] for hit in found}, dict(enumerate(wanted, 1)))


@case("a request names the zone of the instants that it gets, and of those in its filter", since="3.0")
def in_zones(client, name):
    instants(client, name)
    rows = client.query(name, "id in [1, 3, 4]", output_fields=["at"], timezone="Asia/Shanghai")
    same(
        [found["at"] for found in rows],
        ["2025-01-01T08:00:00+08:00", "2025-06-16T00:00:00.123456+08:00", None],
    )
    same(ids(client, name, "at == ISO '2025-01-01T08:00:00'", timezone="Asia/Shanghai"), [1, 2])
    same(ids(client, name, "at == ISO '2025-01-01T08:00:00'"), [])
    fails(lambda: ids(client, name, "id > 0", timezone="Mars/Olympus"), 1100, "IANA Time Zone ID: Mars/Olympus")
    found = client.search(
        name, [[0.0, 1.0]], limit=1, filter="id == 1", output_fields=["at"], timezone="America/New_York"
    )[0]
    same(found[0]["entity"]["at"], "2024-12-31T19:00:00-05:00")


@case("a collection has a zone of its own, which can be changed", since="3.0")
def zone_of_collection(client, name):
    instants(client, name)
    client.alter_collection_properties(name, {"timezone": "Asia/Kolkata"})
    client.insert(name, [row(6, at="2025-01-01T05:30:00")])
    same(ids(client, name, f"at == ISO '{NEW_YEAR}'"), [1, 2, 6])
    same(read(client, name, "at")[0]["at"], "2025-01-01T05:30:00+05:30")
    fails(lambda: client.alter_collection_properties(name, {"timezone": "Nowhere"}), 1100, "IANA Time Zone ID")
    client.drop_collection_properties(name, ["timezone"])
    same(read(client, name, "at")[0]["at"], NEW_YEAR)


@case("instants are compared, moved by intervals and found to be null", since="3.0")
def filtered(client, name):
    instants(client, name)
    same(ids(client, name, f"at > ISO '{NEW_YEAR}'"), [3])
    same(ids(client, name, f"at != ISO '{NEW_YEAR}'"), [3, 5])
    same(ids(client, name, "at + INTERVAL 'P5M14D' < ISO '2025-06-16T00:00:00Z'"), [1, 2, 5])
    same(ids(client, name, "at - INTERVAL 'PT30M' == ISO '2024-12-31T23:30:00Z'"), [1, 2])
    same(ids(client, name, "at is null"), [4])
    same(ids(client, name, f"not (at <= ISO '{NEW_YEAR}')"), [3])
    client.delete(name, filter=f"at < ISO '{NEW_YEAR}'")
    same(ids(client, name, "id > 0"), [1, 2, 3, 4])
    same(client.query(name, "at is not null", output_fields=["count(*)"])[0]["count(*)"], 3)


@case("parts of an instant come in the order they are asked for", since="3.0")
def parts(client, name):
    instants(client, name)
    rows = client.query(name, "id in [3, 4]", output_fields=["at"], time_fields="month,year,microsecond")
    same([list(rows[0]["at"]), rows[1]["at"]], [[6, 2025, 123456], None])


@case("an instant by default takes the place of nulls", since="3.0")
def by_default(client, name):
    create(client, name, lambda s: s.add_field("at", DataType.TIMESTAMPTZ, default_value=NEW_YEAR))
    client.insert(name, [row(1), row(2, at=None), row(3, at="2024-02-29T00:00:00Z")])
    same([found["at"] for found in read(client, name, "at")], [NEW_YEAR, NEW_YEAR, "2024-02-29T00:00:00Z"])


@case("a database lends its zone to the collections that are made in it", since="3.0")
def zone_of_database(client, name):
    database = f"d_{name}"
    client.create_database(database, properties={"timezone": "Asia/Shanghai"})
    client.use_database(database)
    try:
        create(
            client,
            name,
            lambda s: s.add_field("at", DataType.TIMESTAMPTZ, default_value="2025-01-01T08:00:00"),
        )
        client.insert(name, [row(1), row(2, at="2025-01-01T09:00:00")])
        wanted = ["2025-01-01T08:00:00+08:00", "2025-01-01T09:00:00+08:00"]
        same([found["at"] for found in read(client, name, "at")], wanted)
        same(ids(client, name, f"at == ISO '{NEW_YEAR}'"), [1])
        client.drop_collection(name)
    finally:
        client.use_database("default")
        client.drop_database(database)


@case("texts that are no instants are refused, and nothing is written", since="3.0")
def no_instants(client, name):
    instants(client, name)
    for text in ["soon", "2025-13-01T00:00:00Z", "2025-02-30T00:00:00Z", "2025-01-01T00:00:00+24:00", ""]:
        fails(lambda: client.insert(name, [row(9, at=text)]), 1100, "got invalid timestamptz string")
    same(ids(client, name, "id == 9"), [])


def shapes(client, name):
    create(client, name, lambda schema: schema.add_field("area", DataType.GEOMETRY, nullable=True))
    client.insert(
        name,
        [
            row(1, area="POINT (1 2)"),
            row(2, area="LINESTRING (0 0, 5 5)"),
            row(3, area=SQUARE),
            row(4, area=None),
            row(5, area="POINT (9 9)"),
        ],
    )


@case("shapes come back as WKT", since="3.0")
def wkt(client, name):
    shapes(client, name)
    wanted = ["POINT (1 2)", "LINESTRING (0 0, 5 5)", SQUARE, None, "POINT (9 9)"]
    same([found["area"] for found in read(client, name, "area")], wanted)
    found = client.search(name, [[0.0, 1.0]], limit=5, output_fields=["area"])[0]
    same({hit["id"]: hit["entity"]["area"] for hit in found}, dict(enumerate(wanted, 1)))


@case("shapes are found by how they lie to others", since="3.0")
def relations(client, name):
    shapes(client, name)
    same(ids(client, name, f"st_within(area, '{SQUARE}')"), [1, 3])
    same(ids(client, name, f"ST_INTERSECTS(area, '{SQUARE}')"), [1, 2, 3])
    same(ids(client, name, f"not st_intersects(area, '{SQUARE}')"), [5])
    same(ids(client, name, f"st_crosses(area, '{SQUARE}')"), [2])
    same(ids(client, name, "st_contains(area, 'POINT (1 1)')"), [2, 3])
    same(ids(client, name, f"st_equals(area, '{SQUARE}')"), [3])
    same(ids(client, name, "st_dwithin(area, 'POINT (1 2)', 1)"), [1, 3])
    same(ids(client, name, "area is null"), [4])
    fails(lambda: ids(client, name, "st_within(area, 'SQUARE (1)')"), 1100, "failed to create query plan")


@case("texts that are no shapes are refused, and nothing is written", since="3.0")
def no_shapes(client, name):
    shapes(client, name)
    for text in ["POINT", "POINT (1)", "POLYGON ((0 0, 1 1))", "POINT (1 2", "hello", ""]:
        fails(lambda: client.insert(name, [row(9, area=text)]), 1100, "invalid Geometry data")
    same(ids(client, name, "id == 9"), [])


@case("indexes on instants and shapes change no answer", since="3.0")
def indexed(client, name):
    def fields(schema):
        schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True)
        schema.add_field("area", DataType.GEOMETRY, nullable=True)

    create(client, name, fields)
    rows = [row(n, at=f"2025-01-{1 + n % 28:02}T00:00:00Z", area=f"POINT ({n % 50} {n % 7})") for n in range(3000)]
    client.insert(name, rows)
    filters = ["at < ISO '2025-01-05T00:00:00Z'", "st_within(area, 'POLYGON ((1 1, 9 1, 9 5, 1 5, 1 1))')"]
    before = [ids(client, name, text) for text in filters]
    same([len(found) for found in before], [432, 180])
    index = client.prepare_index_params()
    index.add_index("at", index_type="STL_SORT")
    index.add_index("area", index_type="RTREE")
    client.create_index(name, index)
    client.flush(name)
    same([ids(client, name, text) for text in filters], before)


def left(client, name, wanted):
    """Rows are deleted within a second of their time, more or less as busy as the machine is."""
    for _ in range(50):
        if ids(client, name, "id > 0", consistency_level="Strong") == wanted:
            break
        time.sleep(0.2)
    same(ids(client, name, "id > 0", consistency_level="Strong"), wanted)
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], len(wanted))
    same(sorted(hit["id"] for hit in client.search(name, [[0.0, 1.0]], limit=9)[0]), wanted)


@case("rows are gone when they are as old as a property says")
def as_old(client, name):
    create(client, name, lambda schema: None)
    client.insert(name, [row(1), row(2)])
    client.flush(name)
    time.sleep(3)
    client.insert(name, [row(3)])
    client.upsert(name, [row(2)])
    client.alter_collection_properties(name, {"collection.ttl.seconds": "3"})
    left(client, name, [2, 3])
    client.alter_collection_properties(name, {"collection.ttl.seconds": "-1"})


@case("rows are gone at the instant that a field says", since="3.0")
def at_an_instant(client, name):
    instants(client, name)
    client.insert(name, [row(6, at="2999-01-01T00:00:00Z")])
    client.alter_collection_properties(name, {"ttl_field": "at"})
    left(client, name, [4, 6])
    fails(
        lambda: client.alter_collection_properties(name, {"collection.ttl.seconds": "60"}),
        1100,
        "can't be set together",
    )
    fails(lambda: client.alter_collection_properties(name, {"ttl_field": "id"}), 1100, "must be a Timestamptz field")


if __name__ == "__main__":
    run_cases()
