"""Functions that are added to collections with rows in them, each with the field that it makes."""

import time

from bm25_scores import TEXTS, agrees
from cases import case, fails, run_cases, same
from pymilvus import DataType, Function, FunctionType
from pymilvus.orm.schema import FieldSchema

WORDS = FieldSchema("words", DataType.SPARSE_FLOAT_VECTOR)
BM25 = Function("bm25", FunctionType.BM25, ["text"], ["words"])


def filled(client, name, **options):
    """Rows in files, rows in memory, and some that are deleted."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, nullable=True, enable_analyzer=True)
    schema.add_field("plain", DataType.VARCHAR, max_length=10, nullable=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong", **options)
    rows = [{"id": i, "text": text, "v": [i, 0]} for i, text in enumerate(TEXTS)]
    client.insert(name, rows[:4] + [{"id": 100, "text": "a fox that goes", "v": [1, 1]}])
    client.flush(name)
    client.insert(name, rows[4:] + [{"id": 101, "text": None, "v": [1, 1]}])
    client.delete(name, ids=[100])
    return {**dict(enumerate(TEXTS)), 101: ""}


def bound_index(client, field="words", **params):
    index = client.prepare_index_params()
    index.add_index(field, **{"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "BM25", **params})
    return index


def wait_until_filled(client, name, index="words"):
    for _ in range(600):
        if client.describe_index(name, index)["state"] == "Finished":
            return
        time.sleep(0.05)
    raise AssertionError("rows are never filled")


@case("rows that were there get their words, and keep them right", since="3.0")
def added(client, name):
    texts = filled(client, name, num_shards=2)
    client.add_function_field(name, WORDS, BM25, bound_index(client))
    texts[7] = "one quick fox more"
    client.insert(name, [{"id": 7, "text": texts[7], "v": [7, 0]}])
    wait_until_filled(client, name)
    for query in ["fox", "quick brown fox", "butter and bread"]:
        agrees(client, name, texts, query)
    client.delete(name, ids=[4])
    del texts[4]
    texts[1] = "brown butter for a dog"
    client.upsert(name, [{"id": 1, "text": texts[1], "v": [1, 0]}])
    agrees(client, name, texts, "brown fox dog")
    client.flush(name)
    wait_until_filled(client, name)
    agrees(client, name, texts, "brown fox dog")
    described = client.describe_collection(name)
    same([each["name"] for each in described["functions"]], ["bm25"])
    made = [field["name"] for field in described["fields"] if field.get("is_function_output")]
    same(made, ["words"])
    same(sorted(client.list_indexes(name)), ["v", "words"])
    fails(lambda: client.query(name, "id == 1", output_fields=["words"]), text="words")
    [near] = client.search(name, [[2.0, 0.0]], anns_field="v", limit=1, output_fields=["*"])
    same((near[0]["id"], near[0]["entity"]["text"]), (2, TEXTS[2]))


@case("a function goes with its field and its index, and may come again", since="3.0")
def again(client, name):
    texts = filled(client, name)
    client.add_function_field(name, WORDS, BM25, bound_index(client, index_name="by_words"))
    wait_until_filled(client, name, "by_words")
    client.drop_function_field(name, "bm25")
    same(client.list_indexes(name), ["v"])
    same([field["name"] for field in client.describe_collection(name)["fields"]], ["id", "text", "plain", "v"])
    fails(lambda: client.search(name, ["fox"], anns_field="words", limit=3), text="words")
    texts[8] = "foxes and a fox"
    client.insert(name, [{"id": 8, "text": texts[8], "v": [8, 0]}])
    params = {"bm25_k1": 2, "bm25_b": 0.2}
    client.add_function_field(name, WORDS, BM25, bound_index(client, index_type="SPARSE_WAND", params=params))
    wait_until_filled(client, name)
    agrees(client, name, texts, "quick fox", k1=2, b=0.2)
    client.release_collection(name)
    client.load_collection(name)
    agrees(client, name, texts, "quick fox", k1=2, b=0.2)


@case("long texts of several languages get their words by the analyzer of each", since="3.0")
def languages(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("language", DataType.VARCHAR, max_length=10)
    english = {"type": "english"}
    analyzers = {"default": {"tokenizer": "icu"}, "english": english, "chinese": {"type": "chinese"}}
    params = {"by_field": "language", "analyzers": analyzers, "alias": {"en": "english"}}
    schema.add_field("text", DataType.TEXT, enable_analyzer=True, multi_analyzer_params=params)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    long = "filler " * 20_000 + "kites"
    texts = [("en", long), ("chinese", "向量数据库"), ("ja", "東京都の公園"), ("en", "soaring")]
    rows = [{"id": i, "language": language, "text": text, "v": [i, 0]} for i, (language, text) in enumerate(texts)]
    client.insert(name, rows[:3])
    client.flush(name)
    client.insert(name, rows[3:])
    client.add_function_field(name, WORDS, BM25, bound_index(client))
    wait_until_filled(client, name)
    for word, analyzer, key in [
        ("kite", "english", 0),
        ("数据", "chinese", 1),
        ("東京", "default", 2),
        ("soars", "en", 3),
    ]:
        [hits] = client.search(
            name, [word], anns_field="words", limit=5, search_params={"analyzer_name": analyzer}
        )
        same((word, [hit["id"] for hit in hits]), (word, [key]))


@case("signatures are made of earlier texts, too", since="3.0")
def signatures(client, name):
    filled(client, name)
    field = FieldSchema("signature", DataType.BINARY_VECTOR, dim=1024)
    made = Function("hashes", FunctionType.MINHASH, ["text"], ["signature"], params={"num_hashes": 32})
    index = client.prepare_index_params()
    index.add_index("signature", index_type="MINHASH_LSH", metric_type="MHJACCARD", params={"mh_lsh_band": 16})
    client.add_function_field(name, field, made, index)
    wait_until_filled(client, name, "signature")
    [hits] = client.search(name, [TEXTS[1]], anns_field="signature", limit=1)
    same(hits[0]["id"], 1)


@case("functions that can not be added are refused, and nothing changes", since="3.0")
def refused(client, name):
    filled(client, name)
    before = client.describe_collection(name)
    add = lambda made, field=WORDS, index=None: client.add_function_field(
        name, field, made, index or bound_index(client, field.name)
    )
    fails(lambda: add(Function("f", FunctionType.BM25, ["plain"], ["words"])), 1100, "enable_analyzer")
    fails(lambda: add(Function("f", FunctionType.BM25, ["nosuch"], ["words"])), 1100, "nosuch")
    fails(lambda: add(Function("f", FunctionType.BM25, ["text"], ["v"])), 1100, "must be the newly-added field")
    fails(lambda: add(BM25, FieldSchema("plain", DataType.SPARSE_FLOAT_VECTOR)), 1100, "duplicate field name: plain")
    fails(lambda: add(BM25, index=bound_index(client, metric_type="IP")), text="BM25")
    fails(lambda: add(BM25, index=bound_index(client, index_type="HNSW")), text="HNSW")
    fails(lambda: add(BM25, index=bound_index(client, index_name="v")), 1100, "index name v already exists")
    same(client.describe_collection(name), before)
    same(client.list_indexes(name), ["v"])


run_cases()
