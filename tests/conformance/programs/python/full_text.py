"""Texts: analyzers, BM25 functions and their scores, matches of words and phrases."""

import math

from bm25_scores import TEXTS, agrees, bm25
from cases import case, fails, run_cases, same
from pymilvus import DataType

def collection(client, name, texts=TEXTS, analyzer=None, index=None, **options):
    from pymilvus import Function, FunctionType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field(
        "text",
        DataType.VARCHAR,
        max_length=1000,
        enable_analyzer=True,
        enable_match=True,
        **({} if analyzer is None else {"analyzer_params": analyzer}),
    )
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["text"],
            output_field_names=["words"],
        )
    )
    params = client.prepare_index_params()
    params.add_index(
        "words", **(index or {"index_type": "SPARSE_INVERTED_INDEX"}), metric_type="BM25"
    )
    client.create_collection(
        name, schema=schema, index_params=params, consistency_level="Strong", **options
    )
    client.insert(name, [{"id": i, "text": text} for i, text in enumerate(texts)])


@case("texts are found by words, with the scores of BM25", "2.5")
def scores(client, name):
    collection(client, name)
    texts = dict(enumerate(TEXTS))
    for query in ["fox", "quick brown fox", "fox fox dog", "brown AND butter", "nothing of this"]:
        agrees(client, name, texts, query)


@case("the index says k1 and b", "2.5")
def parameters(client, name):
    index = {"index_type": "SPARSE_WAND", "params": {"bm25_k1": 2, "bm25_b": 0.2}}
    collection(client, name, index=index)
    agrees(client, name, dict(enumerate(TEXTS)), "quick brown fox", k1=2, b=0.2)


@case("scores follow deletes and upserts", "2.5")
def changes(client, name):
    collection(client, name, num_shards=2)
    texts = dict(enumerate(TEXTS))
    client.delete(name, ids=[0, 3])
    del texts[0], texts[3]
    agrees(client, name, texts, "quick fox")
    texts[4] = "a red fox jumps over the brown dog"
    texts[7] = "red butter"
    client.upsert(name, [{"id": key, "text": texts[key]} for key in (4, 7)])
    agrees(client, name, texts, "red brown fox")
    client.flush(name)
    agrees(client, name, texts, "red brown fox")
    client.delete(name, filter='text_match(text, "butter")')
    del texts[5], texts[7]
    agrees(client, name, texts, "red brown fox")


@case("a filter chooses rows and changes no score", "2.5")
def filtered(client, name):
    collection(client, name)
    wanted = bm25(dict(enumerate(TEXTS)), "fox")
    [hits] = client.search(name, ["fox"], anns_field="words", limit=10, filter="id > 0")
    same([hit["id"] for hit in hits], [4, 1])
    same(math.isclose(hits[0]["distance"], wanted[4], rel_tol=1e-5), True)


@case("several texts at once, pages, and a radius", "2.5")
def several(client, name):
    collection(client, name)
    found = client.search(name, ["fox", "dogs", "absent"], anns_field="words", limit=2)
    same([[hit["id"] for hit in hits] for hits in found], [[4, 0], [2], []])
    [second] = client.search(
        name, ["fox"], anns_field="words", limit=1, search_params={"offset": 1, "metric_type": "BM25"}
    )
    same([hit["id"] for hit in second], [0])
    wanted = bm25(dict(enumerate(TEXTS)), "fox")
    [near] = client.search(
        name, ["fox"], anns_field="words", limit=9, search_params={"params": {"radius": wanted[1] + 1e-4}}
    )
    same([hit["id"] for hit in near], [4, 0])
    dropped = {"params": {"drop_ratio_search": 0.5}}
    [few] = client.search(name, ["sleep fox"], anns_field="words", limit=9, search_params=dropped)
    same([hit["id"] for hit in few], [2])


@case("the analyzer of the field cuts texts and queries alike", "2.5")
def english(client, name):
    collection(client, name, analyzer={"type": "english"})
    [hits] = client.search(name, ["the dog sleeping"], anns_field="words", limit=10)
    same([hit["id"] for hit in hits], [2, 1])


@case("Chinese texts are found by their words", "2.5")
def chinese(client, name):
    texts = ["向量数据库存储和检索向量", "今天天气很好", "数据处理"]
    collection(client, name, texts=texts, analyzer={"type": "chinese"})
    [hits] = client.search(name, ["数据库"], anns_field="words", limit=10)
    same([hit["id"] for hit in hits], [0, 2])


@case("several analyzers serve several languages in one field", "2.6")
def languages(client, name):
    from pymilvus import Function, FunctionType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("language", DataType.VARCHAR, max_length=20)
    schema.add_field(
        "text",
        DataType.VARCHAR,
        max_length=1000,
        enable_analyzer=True,
        multi_analyzer_params={
            "by_field": "language",
            "analyzers": {
                "default": {"tokenizer": "icu"},
                "english": {"type": "english"},
                "chinese": {"type": "chinese"},
            },
            "alias": {"en": "english", "cn": "chinese"},
        },
    )
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["text"],
            output_field_names=["words"],
        )
    )
    index = client.prepare_index_params()
    index.add_index("words", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    rows = [("en", "Running dogs"), ("chinese", "数据库"), ("jp", "東京都です"), ("english", "A dog")]
    client.insert(
        name, [{"id": i, "language": language, "text": text} for i, (language, text) in enumerate(rows)]
    )

    def found(text, analyzer):
        params = {"metric_type": "BM25", "analyzer_name": analyzer}
        [hits] = client.search(name, [text], anns_field="words", limit=5, search_params=params)
        return sorted(hit["id"] for hit in hits)

    same(found("dog", "english"), [0, 3])
    same(found("dogs", "default"), [])
    same(found("数据", "cn"), [1])
    same(found("東京", "unknown"), [2])


@case("in several languages the highlighter finds words by the analyzer that the search names", "3.0")
def shown_languages(client, name):
    from pymilvus import Function, FunctionType, LexicalHighlighter

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("language", DataType.VARCHAR, max_length=20)
    params = {"by_field": "language", "analyzers": {"default": {}, "english": {"type": "english"}}}
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True, multi_analyzer_params=params)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    index = client.prepare_index_params()
    index.add_index("words", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": 1, "language": "english", "text": "Running dogs"}])
    marked = LexicalHighlighter(highlight_search_text=True)
    [hits] = client.search(
        name,
        ["dog runs"],
        anns_field="words",
        limit=1,
        output_fields=["text"],
        search_params={"analyzer_name": "english"},
        highlighter=marked,
    )
    same(hits[0]["highlight"]["text"]["fragments"], ["<em>Running</em> <em>dogs</em>"])


@case("the schema tells of its functions", "2.5")
def described(client, name):
    collection(client, name)
    answer = client.describe_collection(name)
    [function] = answer["functions"]
    same(
        (function["name"], function["input_field_names"], function["output_field_names"]),
        ("bm25", ["text"], ["words"]),
    )
    same([field["name"] for field in answer["fields"] if field.get("is_function_output")], ["words"])


@case("what a function makes is neither given nor returned", "2.5")
def outputs(client, name):
    collection(client, name)
    fails(
        lambda: client.query(name, filter="id >= 0", output_fields=["words"]),
        text="not allowed to retrieve raw data of field words",
    )
    rows = client.query(name, filter="id == 1", output_fields=["*"])
    same(sorted(rows[0]), ["id", "text"])


@case("words and phrases are matched by search, query and delete", "2.5")
def matches(client, name):
    collection(client, name)

    def ids(filter):
        return sorted(row["id"] for row in client.query(name, filter=filter, output_fields=["id"]))

    same(ids('text_match(text, "fox dogs")'), [0, 1, 2, 4])
    same(ids('TEXT_MATCH(text, "quick brown", minimum_should_match=2)'), [0])
    same(ids('phrase_match(text, "quick fox")'), [1])
    same(ids('PHRASE_MATCH(text, "quick fox", 1)'), [0, 1])
    same(ids('not text_match(text, "fox") and id > 2'), [3, 5])
    [hits] = client.search(name, ["fox"], anns_field="words", limit=9, filter='text_match(text, "quick")')
    same([hit["id"] for hit in hits], [0, 1])
    client.delete(name, filter='phrase_match(text, "lazy dogs")')
    same(ids("id >= 0"), [0, 1, 3, 4, 5])
    client.insert(name, [{"id": 9, "text": "one more quick fox"}])
    same(ids('phrase_match(text, "quick fox")'), [1, 9])


@case("words are searched by their hashes, too", "2.6")
def hashes(client, name):
    collection(client, name)
    tokens = client.run_analyzer("quick fox", {}, with_hash=True).tokens
    vector = {token["hash"]: 1.0 for token in tokens}
    [by_hash] = client.search(name, [vector], anns_field="words", limit=5)
    [by_text] = client.search(name, ["quick fox"], anns_field="words", limit=5)
    same([dict(hit) for hit in by_hash], [dict(hit) for hit in by_text])


@case("an iterator gives every row that has a word, once and in order", "3.0")
def iterator(client, name):
    texts = [f"fox {'dog ' * (i % 7)}number{i}" for i in range(120)] + ["none of it"] * 30
    collection(client, name, texts=texts)
    pages = client.search_iterator(name, ["fox dog"], anns_field="words", batch_size=17, limit=-1)
    found = []
    while True:
        page = pages.next()
        if not page:
            break
        found += [(hit["id"], hit["distance"]) for hit in page]
    pages.close()
    same(sorted(key for key, _ in found), list(range(120)))
    same([score for _, score in found], sorted((score for _, score in found), reverse=True))


@case("words and vectors are searched together", "2.6")
def hybrid(client, name):
    from pymilvus import AnnSearchRequest, Function, FunctionType, RRFRanker

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["text"],
            output_field_names=["words"],
        )
    )
    index = client.prepare_index_params()
    index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": i, "text": text, "v": [i, 0]} for i, text in enumerate(TEXTS)])
    legs = [
        AnnSearchRequest(["fox"], "words", {"metric_type": "BM25"}, limit=3),
        AnnSearchRequest([[1.0, 0.0]], "v", {"metric_type": "L2"}, limit=3),
    ]
    [hits] = client.hybrid_search(name, legs, RRFRanker(60), limit=3)
    # By words 4, 0, 1; by distance 1, 0, 2.
    same(hits[0]["id"] in (0, 1), True)
    same({hit["id"] for hit in hits}, {0, 1, 4})


@case("an update of some fields counts the words anew", "3.0")
def partial(client, name):
    collection(client, name)
    client.upsert(name, [{"id": 2, "text": "a fox again"}], partial_update=True)
    texts = dict(enumerate(TEXTS)) | {2: "a fox again"}
    agrees(client, name, texts, "fox again")


@case("a highlighter shows the words that were found", "3.0")
def highlights(client, name):
    from pymilvus import LexicalHighlighter

    collection(client, name, analyzer={"type": "english"})
    marked = LexicalHighlighter(highlight_search_text=True, pre_tags=["{", "["], post_tags=["}", "]"])
    options = {"anns_field": "words", "limit": 2, "output_fields": ["text"]}
    [first, second] = client.search(name, ["fox dog", "lazy"], highlighter=marked, **options)
    same(
        [hit["highlight"]["text"]["fragments"] for hit in first],
        [["{fox} and a slow [dog]"], ["{fox} [fox] {fox}"]],
    )
    same([hit["highlight"]["text"]["fragments"] for hit in second], [["{lazy} dogs sleep"]])
    asked = LexicalHighlighter(fragment_size=9, num_of_fragments=1)
    asked.with_query("text", "brown", "TextMatch")
    [hits] = client.search(name, ["bread"], highlighter=asked, **options)
    same([hit["highlight"]["text"]["fragments"] for hit in hits], [["<em>brown</em> bre"]])


@case("a long text of type Text is stored, matched and found", "3.0")
def long_text(client, name):
    from pymilvus import Function, FunctionType

    if not hasattr(DataType, "TEXT"):
        return
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.TEXT, enable_analyzer=True, enable_match=True, nullable=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25",
            function_type=FunctionType.BM25,
            input_field_names=["text"],
            output_field_names=["words"],
        )
    )
    index = client.prepare_index_params()
    index.add_index("words", index_type="AUTOINDEX", metric_type="BM25")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    long = "filler " * 200_000 + "needle"
    client.insert(name, [{"id": 1, "text": long}, {"id": 2, "text": "short"}, {"id": 3, "text": None}])
    [hits] = client.search(name, ["needle"], anns_field="words", limit=5, output_fields=["text"])
    same([(hit["id"], hit["entity"]["text"] == long) for hit in hits], [(1, True)])
    same([row["id"] for row in client.query(name, filter='text_match(text, "needle")')], [1])
    same(client.query(name, ids=[3], output_fields=["text"])[0]["text"], None)
    fails(lambda: client.query(name, filter='text == "short"'), text="filter on text field (text)")
    too_long = [{"id": 4, "text": "x" * (2 * 1024 * 1024 + 1)}]
    fails(lambda: client.insert(name, too_long), text="exceeds max length")


@case("analyzers show what they make of texts", "2.6")
def run_analyzer(client, name):
    same(client.run_analyzer("Don't panic", {}).tokens, ["don", "t", "panic"])
    [first, second] = client.run_analyzer(["Running dogs", "The end"], {"type": "english"})
    same((first.tokens, second.tokens), (["run", "dog"], ["end"]))
    detailed = client.run_analyzer("é dogs", {}, with_detail=True, with_hash=True)
    last = detailed.tokens[-1]
    same((last["token"], last["start_offset"], last["end_offset"], last["position"]), ("dogs", 3, 7, 1))
    collection(client, name, analyzer={"type": "english"})
    of_field = client.run_analyzer("Running dogs", collection_name=name, field_name="text")
    same(of_field.tokens, ["run", "dog"])
    fails(
        lambda: client.run_analyzer("x", {"type": "elvish"}), text="unknown build-in analyzer type: elvish"
    )


@case("Japanese, Korean and Chinese by Lindera, and how Chinese is read", "2.6")
def dictionaries(client, name):
    def words(text, tokenizer, *filters):
        return client.run_analyzer(text, {"tokenizer": tokenizer, "filter": list(filters)}).tokens

    japanese = {"type": "lindera", "dict_kind": "ipadic"}
    same(words("東京の公園を歩く。", japanese, "removepunct"), ["東京", "の", "公園", "を", "歩く"])
    same(words("한국어를 배우다", {"type": "lindera", "dict_kind": "ko-dic"})[:2], ["한국어", "를"])
    same(words("中文", "jieba", "pinyin"), ["中文", "zhong", "wen"])
    same(words("สวัสดี ทดสอบ!", "thai"), ["สวัสดี", "ทดสอบ"])
    same(words("one-two,three", {"type": "char_group", "delimiters": ["-", "punctuation"]}), ["one", "two", "three"])
    same(words("abc", {"type": "ngram", "min_gram": 2, "max_gram": 3}), ["ab", "abc", "bc"])
    fails(lambda: words("x", {"type": "lindera"}), text="lindera tokenizer dict_kind must be set")
    fails(lambda: words("x", {"type": "lindera", "dict_kind": "unidic"}), text="invalid dict_kind")
    collection(client, name, texts=["東京の公園", "京都の寺"], analyzer={"tokenizer": japanese})
    [hits] = client.search(name, ["公園"], anns_field="words", limit=5)
    same([hit["id"] for hit in hits], [0])


@case("texts are rewritten before they are cut, and shown as they were", "3.0")
def rewritten(client, name):
    from pymilvus import LexicalHighlighter

    mapping = {"type": "mapping", "mappings": ["& => \\u0020and\\u0020", "- =>"]}
    params = {"char_filter": [mapping], "tokenizer": "standard", "filter": ["lowercase"]}
    tokens = client.run_analyzer("É: R&D, e-mail", params, with_detail=True).tokens
    same(
        [(each["token"], each["start_offset"], each["end_offset"]) for each in tokens],
        [("é", 0, 2), ("r", 4, 5), ("and", 5, 6), ("d", 6, 7), ("email", 9, 15)],
    )
    collection(client, name, texts=["An e-mail", "R&D", "mail"], analyzer=params)
    marked = LexicalHighlighter(highlight_search_text=True)
    [hits] = client.search(
        name, ["email"], anns_field="words", limit=5, output_fields=["text"], highlighter=marked
    )
    same([(hit["id"], hit["highlight"]["text"]["fragments"]) for hit in hits], [(0, ["<em>e-mail</em>"])])
    same([row["id"] for row in client.query(name, filter='phrase_match(text, "R and D")')], [1])
    fails(
        lambda: client.run_analyzer("x", {**params, "char_filter": [{"type": "html_strip"}]}),
        1100,
        "unsupported char_filter type: html_strip",
    )


@case("words are found after they went to files", "2.5")
def flushed(client, name):
    collection(client, name)
    client.flush(name)
    client.insert(name, [{"id": 9, "text": "one more quick fox"}])

    def ids(filter):
        return sorted(row["id"] for row in client.query(name, filter=filter, output_fields=["id"]))

    same(ids('text_match(text, "quick brown", minimum_should_match=2)'), [0])
    same(ids('phrase_match(text, "quick fox")'), [1, 9])
    same(ids('not text_match(text, "fox") and id > 2'), [3, 5])


@case("a function goes together with the field of its vectors", "3.0")
def dropped_function(client, name):
    from pymilvus import Function, FunctionType

    if not hasattr(client, "drop_function_field"):
        return
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, enable_analyzer=True, enable_match=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    schema.add_function(Function("bm25", FunctionType.BM25, ["text"], ["words"]))
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, consistency_level="Strong")
    client.insert(name, [{"id": i, "text": text, "v": [i, 0]} for i, text in enumerate(TEXTS)])
    fails(lambda: client.drop_function_field(name, "nobody"), text="Function nobody not exists")
    client.drop_function_field(name, "bm25")
    answer = client.describe_collection(name)
    same((answer["functions"], [field["name"] for field in answer["fields"]]), ([], ["id", "text", "v"]))
    client.insert(name, [{"id": 9, "text": "one more quick fox", "v": [9, 0]}])
    client.create_index(name, index)
    client.load_collection(name)
    rows = client.query(name, filter='phrase_match(text, "quick fox")', output_fields=["*"])
    same([sorted(row) for row in rows], [["id", "text", "v"]] * 2)


run_cases()
