"""Texts that a model turns into vectors, and hits that a model ranks; a stand-in on this machine is the model."""

import os

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import AnnSearchRequest, DataType, Function, FunctionType, RRFRanker

DIM = 256
STAND_IN = os.environ["STAND_IN_URL"]
SECRET = "a-secret-key"
TEXTS = {
    1: "a detective and a bird of gold",
    2: "the detective sleeps long",
    3: "worms in the desert of a dry planet",
    4: "a planet that thinks",
}


def embedding(**params):
    return Function(
        name="meaning",
        function_type=FunctionType.TEXTEMBEDDING,
        input_field_names=["text"],
        output_field_names=["vector"],
        params={"provider": "openai", "model_name": "m", **params},
    )


def create(client, name, function=None, dim=DIM, nullable=False, plain=False):
    schema = client.create_schema(enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=1000, nullable=nullable)
    schema.add_field("shelf", DataType.INT32)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    if not plain:
        schema.add_function(function or embedding())
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def filled(client, name):
    create(client, name)
    client.insert(name, [{"id": id, "text": text, "shelf": id % 2} for id, text in TEXTS.items()])


def ids(hits):
    return [hit["id"] for hit in hits]


def reranker(provider="cohere", queries='["a dry planet"]', **params):
    return Function(
        name="model",
        function_type=FunctionType.RERANK,
        input_field_names=["text"],
        params={"reranker": "model", "provider": provider, "queries": queries, "model_name": "m", **params},
    )


@case("texts become vectors when they are written, and when they are asked for")
def embedded(client, name):
    filled(client, name)
    same([function["type"] for function in client.describe_collection(name)["functions"]], [FunctionType.TEXTEMBEDDING])
    rows = client.query(name, "id > 0", output_fields=["text", "vector"])
    vectors = {row["id"]: np.asarray(row["vector"]) for row in rows}
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-5 for vector in vectors.values())
    [hits] = client.search(name, ["worms of the desert"], anns_field="vector", limit=2, output_fields=["text"])
    same((hits[0]["id"], hits[0]["entity"]["text"]), (3, TEXTS[3]))
    [same_hits] = client.search(name, [vectors[4].tolist()], anns_field="vector", limit=1)
    same((ids(same_hits), round(same_hits[0]["distance"], 4)), ([4], 1.0))
    found = client.search(name, ["detective", "planet"], anns_field="vector", limit=2, filter="shelf == 1")
    same([ids(hits)[0] for hits in found], [1, 3])


@case("an update of a text asks the model again, that of another field does not")
def updated(client, name):
    filled(client, name)
    client.upsert(name, [{"id": 1, "text": "a whale", "shelf": 5}])
    [hits] = client.search(name, ["a whale"], anns_field="vector", limit=1)
    same((ids(hits), round(hits[0]["distance"], 4)), ([1], 1.0))
    before = client.query(name, "id == 2", output_fields=["vector"])[0]["vector"]
    client.upsert(name, [{"id": 2, "shelf": 9}], partial_update=True)
    row = client.query(name, "id == 2", output_fields=["vector", "shelf"])[0]
    same((row["shelf"], list(row["vector"])), (9, list(before)))
    client.upsert(name, [{"id": 2, "text": "an ox"}], partial_update=True)
    [hits] = client.search(name, ["an ox"], anns_field="vector", limit=1)
    same((ids(hits), round(hits[0]["distance"], 4)), ([2], 1.0))


@case("many texts go to the model in batches, more than it takes are refused")
def batches(client, name):
    create(client, name)
    rows = [{"id": n, "text": f"text number {n}", "shelf": 0} for n in range(641)]
    fails(lambda: client.insert(name, rows), 1100, "numRows [641] > function [meaning]'s max batch [640]")
    client.insert(name, rows[:640])
    [hits] = client.search(name, ["text number 500"], anns_field="vector", limit=1)
    assert hits[0]["distance"] > 0.9999


@case("a model that errs, answers rubbish or hangs is an error, and nothing is written")
def failures(client, name):
    filled(client, name)
    for word, text in {
        "ERROR": "Call service failed, errs:[400 Bad Request, ",
        "RUBBISH": "the number of texts and embeddings does not match",
        "HANG": "Call service failed, errs:[no answer within 2000 ms]",
    }.items():
        rows = [{"id": 10, "text": "good", "shelf": 0}, {"id": 11, "text": f"some {word}", "shelf": 0}]
        fails(lambda: client.insert(name, rows), 2400, text)
        fails(lambda: client.upsert(name, rows), 2400, text)
        fails(lambda: client.search(name, [f"some {word}"], anns_field="vector", limit=1), 2400, text)
        legs = [
            AnnSearchRequest([f"some {word}"], "vector", {}, limit=2),
            AnnSearchRequest(["fine"], "vector", {}, limit=2),
        ]
        fails(lambda: client.hybrid_search(name, legs, RRFRanker(), limit=1), 2400, text)
        same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], 4)
        try:
            client.insert(name, rows)
        except Exception as error:
            assert SECRET not in str(error), error
    fails(lambda: client.insert(name, [{"id": 10, "text": "", "shelf": 0}]), 1100, "does not support empty text")


@case("functions that can't be are refused with their collection")
def definitions(client, name):
    def refused(code, text, function=None, **options):
        fails(lambda: create(client, name, function, **options), code, text)
        same(client.has_collection(name), False)

    refused(1100, "unsupported text embedding service provider: [acme]", embedding(provider="acme"))
    refused(1100, "text embedding model provider [gemini] is disabled", embedding(provider="gemini"))
    refused(1100, "configure the MILVUS_VOYAGEAI_API_KEY environment variable", embedding(provider="voyageai"))
    refused(1100, "does not match the dimension [32]", embedding(dim="32"))
    refused(1100, "is not among those that the server's configuration names", embedding(provider="tei", endpoint=STAND_IN))
    refused(1100, "function input field cannot be nullable", nullable=True)
    refused(2400, "check function [meaning:TextEmbedding] failed, the err is: the required embedding dim is [32]", dim=32)


@case("a function comes to a collection that exists, changes, and goes")
def live(client, name):
    if not hasattr(client, "add_collection_function"):
        return
    create(client, name, plain=True)
    client.insert(name, [{"id": 9, "text": "given", "shelf": 0, "vector": [1.0] * DIM}])
    fails(lambda: client.add_collection_function(name, embedding(dim="3")), text="dim")
    client.add_collection_function(name, embedding())
    client.insert(name, [{"id": id, "text": text, "shelf": id % 2} for id, text in TEXTS.items()])
    [hits] = client.search(name, [TEXTS[3]], anns_field="vector", limit=1)
    same((ids(hits), round(hits[0]["distance"], 4)), ([3], 1.0))
    fails(lambda: client.add_collection_function(name, embedding()), text="duplicate function name: meaning")
    client.alter_collection_function(name, "meaning", embedding(model_name="n"))
    [function] = client.describe_collection(name)["functions"]
    same(function["params"]["model_name"], "n")
    client.drop_collection_function(name, "meaning")
    same(client.describe_collection(name)["functions"], [])
    client.insert(name, [{"id": 10, "text": "given", "shelf": 0, "vector": [1.0] * DIM}])
    [hits] = client.search(name, [[1.0] * DIM], anns_field="vector", limit=2)
    same(ids(hits), [9, 10])


@case("a model ranks the hits of a search")
def reranked(client, name):
    filled(client, name)
    [hits] = client.search(name, ["detective"], anns_field="vector", limit=4, ranker=reranker())
    same(ids(hits)[0], 3)
    assert all(a["distance"] >= b["distance"] for a, b in zip(hits, hits[1:]))
    [page] = client.search(name, ["detective"], anns_field="vector", limit=3, offset=1, ranker=reranker())
    same(ids(page), ids(hits)[1:])
    own = reranker("tei", endpoint=f"{STAND_IN}/anything", max_client_batch_size="2")
    [other] = client.search(name, ["detective"], anns_field="vector", limit=4, ranker=own)
    same([(hit["id"], hit["distance"]) for hit in other], [(hit["id"], hit["distance"]) for hit in hits])
    several = reranker(queries='["a dry planet", "gold"]')
    found = client.search(name, ["detective", "planet"], anns_field="vector", limit=4, ranker=several)
    same([ids(hits)[0] for hits in found], [3, 1])


@case("a model ranks the hits of a hybrid search, and groups of them")
def reranked_legs(client, name):
    filled(client, name)
    legs = [AnnSearchRequest([text], "vector", {}, limit=2) for text in ("detective", "a planet that thinks")]
    hits = client.hybrid_search(name, legs, reranker(queries='["thinks"]'), limit=4)[0]
    same(ids(hits)[0], 4)
    fields = ["$leg_scores"]
    for hit in client.hybrid_search(name, legs, reranker(queries='["thinks"]'), limit=4, output_fields=fields)[0]:
        said = [part["normalised"] * part["weight"] for part in hit["entity"]["$leg_scores"] if part["weight"]]
        same(said, [hit["distance"]])
    options = {"group_by_field": "shelf", "group_size": 2, "strict_group_size": True}
    [groups] = client.search(name, ["detective"], anns_field="vector", limit=2, ranker=reranker(), **options)
    same([id % 2 for id in ids(groups)], [1, 1, 0, 0])
    same(ids(groups)[0], 3)


@case("a model is a step of a chain", since="3.0")
def chained(client, name):
    from pymilvus.function_chain import FunctionChain, FunctionChainStage, col, fn

    filled(client, name)
    model = fn.rerank_model(col("text"), queries=["a dry planet"], provider="cohere", model_name="m")
    chain = FunctionChain(FunctionChainStage.L2_RERANK).map("$score", model).sort("$score", desc=True)
    [hits] = client.search(name, ["detective"], anns_field="vector", limit=4, function_chains=chain)
    [ranked] = client.search(name, ["detective"], anns_field="vector", limit=4, ranker=reranker())
    same([(hit["id"], hit["distance"]) for hit in hits], [(hit["id"], hit["distance"]) for hit in ranked])


@case("rerankers that can't be are refused, and one that fails is an error")
def reranker_failures(client, name):
    filled(client, name)

    def search(code, text, **params):
        ranker = reranker(**params)
        fails(lambda: client.search(name, ["planet"], anns_field="vector", limit=4, ranker=ranker), code, text)

    search(1100, "unknown rerank model provider:acme", provider="acme")
    search(1100, "nq must equal to queries size, but got nq [1], queries size [2]", queries='["a", "b"]')
    search(1100, "Parse rerank params [queries] failed", queries="planet")
    search(1100, "Rerank function lost params queries", queries="[]")
    search(1100, "configure the MILVUS_VOYAGEAI_API_KEY environment variable", provider="voyageai")
    search(1100, "is not among those", provider="tei", endpoint="http://169.254.169.254/")
    search(2400, "Call service failed, errs:[400 Bad Request", queries='["ERROR"]')
    search(2400, "4 docs but got 0 scores", queries='["RUBBISH"]')
    search(2400, "no answer within 2000 ms", queries='["HANG"]')
    number = Function(
        name="model", function_type=FunctionType.RERANK, input_field_names=["shelf"], params={"reranker": "model"}
    )
    fails(
        lambda: client.search(name, ["planet"], anns_field="vector", limit=4, ranker=number),
        1100,
        "Rerank model only support varchar",
    )


if __name__ == "__main__":
    run_cases()
