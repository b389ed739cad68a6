"""Databases: MilvusClient and the ORM style."""

from cases import ADDRESS, URI, case, fails, run_cases, same
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, MilvusClient, connections, db, utility

HOST, PORT = ADDRESS.rsplit(":", 1)
connections.connect("default", host=HOST, port=PORT)


def filled(client, collection, title):
    client.create_collection(collection, dimension=4, consistency_level="Strong")
    client.insert(collection, [{"id": 1, "vector": [0.0, 0.0, 0.0, 1.0], "title": title}])


def titles(client, collection):
    return [row["title"] for row in client.query(collection, "id > 0", output_fields=["title"])]


@case("a database is created, described, used and dropped")
def lifetime(client, name):
    client.create_database(name)
    assert name in client.list_databases()
    same(client.describe_database(name)["name"], name)
    fails(lambda: client.create_database(name), 65535, f"database already exist: {name}")
    inside = MilvusClient(URI, db_name=name)
    filled(inside, "shelf", "inside")
    same(inside.list_collections(), ["shelf"])
    same(titles(inside, "shelf"), ["inside"])
    same("shelf" in client.list_collections(), False)
    fails(lambda: client.drop_database(name), None, "not empty, must drop all collections")
    inside.drop_collection("shelf")
    client.drop_database(name)
    same(name in client.list_databases(), False)
    fails(lambda: client.describe_database(name), 800, f"database not found[database={name}]")


@case("a client that changes its database sees the other collections of the same names")
def use_database(_, name):
    client = MilvusClient(URI)
    filled(client, name, "outside")
    client.create_database(name)
    client.use_database(name)
    same(client.has_collection(name), False)
    filled(client, name, "inside")
    same(titles(client, name), ["inside"])
    client.use_database("default")
    same(titles(client, name), ["outside"])
    client.using_database(name)
    same(titles(client, name), ["inside"])
    client.drop_collection(name)
    client.using_database("default")
    client.drop_database(name)
    same(titles(client, name), ["outside"])


@case("an unknown database can't be used", since="3.0")
def unknown(_, name):
    client = MilvusClient(URI)
    fails(lambda: client.use_database(name), 800, f"database not found[database={name}]")


@case("a database has properties, which change and go")
def properties(client, name):
    client.create_database(name, properties={"database.replica.number": 2, "note": "old"})
    described = client.describe_database(name)
    same((described["database.replica.number"], described["note"]), ("2", "old"))
    client.alter_database_properties(name, {"note": "new"})
    same(client.describe_database(name)["note"], "new")
    client.drop_database_properties(name, ["note"])
    same("note" in client.describe_database(name), False)
    fails(
        lambda: client.alter_database_properties(name, {"database.replica.number": "many"}),
        1100,
        "database.replica.number",
    )
    client.drop_database(name)


@case("a database that forbids writing refuses it until it is allowed again")
def forbidden(client, name):
    client.create_database(name)
    inside = MilvusClient(URI, db_name=name)
    filled(inside, "shelf", "before")
    client.alter_database_properties(name, {"database.force.deny.writing": True})
    row = {"id": 2, "vector": [0.0] * 4, "title": "after"}
    fails(lambda: inside.insert("shelf", [row]), 9, "access has been disabled by the administrator")
    same(titles(inside, "shelf"), ["before"])
    client.drop_database_properties(name, ["database.force.deny.writing"])
    inside.insert("shelf", [row])
    same(titles(inside, "shelf"), ["before", "after"])
    inside.drop_collection("shelf")
    client.drop_database(name)


@case("the ORM style uses databases too")
def orm(_, name):
    db.create_database(name)
    assert name in db.list_database()
    db.using_database(name)
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("v", DataType.FLOAT_VECTOR, dim=2),
    ]
    Collection("shelf", CollectionSchema(fields))
    same(utility.list_collections(), ["shelf"])
    same(utility.has_collection("shelf"), True)
    db.using_database("default")
    same("shelf" in utility.list_collections(), False)
    connections.connect("inside", host=HOST, port=PORT, db_name=name)
    same(utility.list_collections(using="inside"), ["shelf"])
    same(db.describe_database(name)["name"], name)
    utility.drop_collection("shelf", using="inside")
    connections.disconnect("inside")
    db.drop_database(name)
    same(name in db.list_database(), False)


@case("a collection moves to another database with its rows")
def moved(client, name):
    filled(client, name, "moved")
    client.create_database(name)
    client.rename_collection(name, "shelf", target_db=name)
    same(client.has_collection(name), False)
    inside = MilvusClient(URI, db_name=name)
    same(titles(inside, "shelf"), ["moved"])
    inside.drop_collection("shelf")
    client.drop_database(name)


run_cases()
