"""Analyzers that ask a service for the words of each text: it cuts at hyphens."""

import os

from cases import case, fails, run_cases, same
from pymilvus import DataType, Function, FunctionType, LexicalHighlighter
from pymilvus.orm.schema import FieldSchema

ENDPOINT = os.environ["ELANUS_ANALYZER_GRPC_URL"]
TEXTS = ["red kite-of the-open fields", "black kites-of the-water", "red kite-red kite"]
BM25 = Function("bm25", FunctionType.BM25, ["text"], ["words"])


def asking(filters=(), **options):
    return {"tokenizer": {"type": "grpc", "endpoint": ENDPOINT, **options}, "filter": list(filters)}


def created(client, name, functions=(BM25,), **text):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True, **text)
    index = client.prepare_index_params()
    if functions:
        schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
        index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    else:
        schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
        index.add_index("v", index_type="FLAT", metric_type="L2")
    for each in functions:
        schema.add_function(each)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def filled(client, name, **text):
    created(client, name, **text)
    client.insert(name, [{"id": i, "text": text} for i, text in enumerate(TEXTS)])


def found(client, name, text, **options):
    [hits] = client.search(name, [text], anns_field="words", limit=9, **options)
    return [hit["id"] for hit in hits]


@case("texts are counted and found by its words, before and after a flush")
def counted(client, name):
    filled(client, name, analyzer_params=asking())
    same(found(client, name, "red kite"), [2, 0])
    same(found(client, name, "kite"), [])
    client.flush(name)
    client.upsert(name, [{"id": 1, "text": "red kite"}])
    client.delete(name, ids=[0])
    same(found(client, name, "of the-red kite"), [2, 1])


@case("it is told its parameters, and filters follow; details are in bytes")
def detailed(client, name):
    params = asking(["lowercase"], parameters=[{"key": "case", "values": ["upper"]}])
    same(client.run_analyzer("One-Two", params).tokens, ["one", "two"])
    tokens = client.run_analyzer("é-dogs", asking(), with_detail=True).tokens
    same([(each["token"], each["start_offset"], each["end_offset"]) for each in tokens], [("é", 0, 2), ("dogs", 3, 7)])


@case("it is one of several analyzers, and of languages")
def several(client, name):
    analyzers = {"by_field": "language", "analyzers": {"default": {}, "hyphens": asking()}}
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("language", DataType.VARCHAR, max_length=20)
    schema.add_field("text", DataType.VARCHAR, max_length=100, enable_analyzer=True, multi_analyzer_params=analyzers)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(BM25)
    index = client.prepare_index_params()
    index.add_index("words", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    rows = [("hyphens", "a b-c"), ("", "a b-c")]
    client.insert(name, [{"id": i, "language": language, "text": text} for i, (language, text) in enumerate(rows)])
    same(found(client, name, "a b", search_params={"analyzer_name": "hyphens"}), [0])
    same(found(client, name, "a b"), [1])


@case("its words are shown in the texts that were found")
def shown(client, name):
    filled(client, name, analyzer_params=asking())
    marked = LexicalHighlighter(highlight_search_text=True, pre_tags=["<"], post_tags=[">"])
    [hits] = client.search(
        name, ["of the"], anns_field="words", limit=1, output_fields=["text"], highlighter=marked
    )
    [fragment] = hits[0]["highlight"]["text"]["fragments"]
    same("<of the>" in fragment, True)


@case("a text that it does not answer for is not written, unless there are words for such texts")
def failing(client, name):
    filled(client, name, analyzer_params=asking())
    for text in ["ERROR", "RUBBISH", "OUTSIDE"]:
        rows = [{"id": 10, "text": "good"}, {"id": 11, "text": text}]
        fails(lambda: client.insert(name, rows), 2400, f"grpc tokenizer of {ENDPOINT}")
    fails(lambda: client.search(name, ["ERROR"], anns_field="words", limit=3), 2400, "no words today")
    same(client.query(name, output_fields=["count(*)"])[0]["count(*)"], 3)
    client.drop_collection(name)
    created(client, name, analyzer_params=asking(default_tokens=["none"]))
    client.insert(name, [{"id": 1, "text": "ERROR"}])
    same(found(client, name, "none"), [1])


@case("what it can not do is refused by name")
def refused(client, name):
    elsewhere = {"tokenizer": {"type": "grpc", "endpoint": "http://169.254.169.254"}}
    fails(lambda: created(client, name, analyzer_params=elsewhere), 1100, "elanus.analyzer.grpc.url")
    fails(lambda: client.run_analyzer("x", elsewhere), 1100, "elanus.analyzer.grpc.url")
    fails(lambda: created(client, name, analyzer_params=asking(), enable_match=True), 1100, "enable_match of field text")
    fails(lambda: created(client, name, analyzer_params={"tokenizer": "grpc"}), 1100, "grpc tokenizer must set endpoint")
    created(client, name, functions=(), analyzer_params=asking())
    index = client.prepare_index_params()
    index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    words = FieldSchema("words", DataType.SPARSE_FLOAT_VECTOR)
    fails(lambda: client.add_function_field(name, words, BM25, index), 1100, "its tokenizer is a service")


run_cases()
