"""Aliases: MilvusClient and the ORM style, and a switch that no reader notices."""

import threading

from cases import ADDRESS, URI, case, fails, run_cases, same
from pymilvus import Collection, MilvusClient, connections, utility

HOST, PORT = ADDRESS.rsplit(":", 1)
connections.connect("default", host=HOST, port=PORT)

ROWS = 200
SWITCHES = 60
READERS = 4


def filled(client, collection, title, rows=3):
    client.create_collection(collection, dimension=4, consistency_level="Strong")
    vector = [0.0, 0.0, 0.0, 1.0]
    client.insert(collection, [{"id": n, "vector": vector, "title": title} for n in range(rows)])


def titles(client, collection):
    return {row["title"] for row in client.query(collection, "id >= 0", output_fields=["title"])}


@case("an alias is created, described, listed, moved and dropped")
def lifetime(client, name):
    alias, other = f"{name}_alias", f"{name}_other"
    filled(client, name, "old")
    filled(client, other, "new")
    client.create_alias(name, alias)
    client.create_alias(name, alias)
    described = client.describe_alias(alias)
    same((described["alias"], described["collection_name"]), (alias, name))
    same(client.list_aliases(name)["aliases"], [alias])
    same(client.describe_collection(alias)["collection_name"], name)
    same(client.describe_collection(name)["aliases"], [alias])
    same(client.has_collection(alias), True)
    same(alias in client.list_collections(), False)
    fails(lambda: client.create_alias(other, alias), 1602, "alias already exist")
    fails(lambda: client.create_alias(other, name), 1601, "alias and collection name conflict")
    fails(lambda: client.drop_collection(alias), None, f"cannot drop the collection via alias = {alias}")
    fails(lambda: client.drop_collection(name), None, "has associated aliases")
    client.alter_alias(other, alias)
    same(titles(client, alias), {"new"})
    client.drop_alias(alias)
    client.drop_alias(alias)
    fails(lambda: client.describe_alias(alias), 1600, f"alias not found[database=default][alias={alias}]")
    fails(lambda: client.alter_alias(name, alias), 1600, "alias not found")
    same(client.has_collection(alias), False)
    client.drop_collection(other)


@case("rows are written, read, changed and deleted by an alias")
def rows(client, name):
    alias = f"{name}_alias"
    filled(client, name, "first")
    client.create_alias(name, alias)
    vector = [0.0, 0.0, 1.0, 0.0]
    client.insert(alias, [{"id": 10, "vector": vector, "title": "second"}])
    client.upsert(alias, [{"id": 0, "vector": vector, "title": "third"}])
    same(titles(client, name), {"first", "second", "third"})
    found = client.search(alias, [vector], limit=2, output_fields=["title"])[0]
    same({hit["entity"]["title"] for hit in found}, {"second", "third"})
    same(len(client.get(alias, [0, 10])), 2)
    client.delete(alias, ids=[0])
    client.delete(alias, filter='title == "second"')
    same(titles(client, name), {"first"})
    same(client.get_collection_stats(alias)["row_count"], 2)
    client.release_collection(alias)
    fails(lambda: client.query(alias, "id > 0"), 101, "collection not loaded")
    client.load_collection(alias)
    same(titles(client, alias), {"first"})
    client.drop_alias(alias)


@case("an alias that is moved while it is read and written never leads to half of two collections")
def switched(client, name):
    alias, other = f"{name}_alias", f"{name}_other"
    filled(client, name, "old", ROWS)
    filled(client, other, "new", ROWS)
    client.create_alias(name, alias)
    ended = threading.Event()
    seen, failures = set(), []

    def read():
        reader = MilvusClient(URI)
        try:
            while not ended.is_set():
                answer = reader.query(alias, "id >= 0", output_fields=["title"])
                same(len(answer), ROWS)
                one = {row["title"] for row in answer}
                same(len(one), 1)
                seen.update(one)
                hits = reader.search(alias, [[0.0, 0.0, 0.0, 1.0]], limit=50, output_fields=["title"])[0]
                same(len({hit["entity"]["title"] for hit in hits}), 1)
        except Exception as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    for n in range(SWITCHES):
        client.alter_alias(other if n % 2 == 0 else name, alias)
        client.query(alias, "id >= 0", limit=1)
    ended.set()
    for reader in readers:
        reader.join()
    same(failures, [])
    same(seen, {"old", "new"})
    client.drop_alias(alias)
    client.drop_collection(other)


@case("each database has aliases of its own")
def databases(client, name):
    filled(client, name, "outside")
    client.create_alias(name, f"{name}_alias")
    client.create_database(name)
    inside = MilvusClient(URI, db_name=name)
    filled(inside, "shelf", "inside")
    inside.create_alias("shelf", f"{name}_alias")
    same((titles(client, f"{name}_alias"), titles(inside, f"{name}_alias")), ({"outside"}, {"inside"}))
    same(inside.list_aliases()["aliases"], [f"{name}_alias"])
    inside.drop_alias(f"{name}_alias")
    inside.drop_collection("shelf")
    client.drop_database(name)
    client.drop_alias(f"{name}_alias")


@case("the ORM style uses aliases too")
def orm(client, name):
    alias, other = f"{name}_alias", f"{name}_other"
    filled(client, name, "old")
    filled(client, other, "new")
    utility.create_alias(name, alias)
    same(utility.list_aliases(name), [alias])
    same(Collection(name).aliases, [alias])
    same(Collection(alias).num_entities, 3)
    same(utility.has_collection(alias), True)
    utility.alter_alias(other, alias)
    answer = Collection(alias).query("id >= 0", output_fields=["title"], consistency_level="Strong")
    same({row["title"] for row in answer}, {"new"})
    utility.drop_alias(alias)
    same(utility.has_collection(alias), False)
    client.drop_collection(other)


run_cases()
