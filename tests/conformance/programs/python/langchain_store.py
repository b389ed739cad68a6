"""LangChain's Milvus store: documents go in, the ones that a question is about come back."""

import logging

from cases import URI, case, run_cases, same
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_milvus import BM25BuiltInFunction, Milvus
from langchain_milvus.retrievers import MilvusCollectionHybridSearchRetriever
from made_up_embeddings import embed
from pymilvus import Collection, Function, FunctionType, RRFRanker, connections

logging.disable(logging.WARNING)


class MadeUp(Embeddings):
    def embed_documents(self, texts):
        return [embed(text) for text in texts]

    def embed_query(self, text):
        return embed(text)


def book(text, year, genre="crime"):
    return Document(page_content=text, metadata={"year": year, "genre": genre, "place": {"shelf": year % 10}})


BOOKS = [
    book("A detective and a missing bird of gold", 1930),
    book("The detective sleeps long and drinks much", 1939),
    book("Worms in the desert of a dry planet", 1965, "space"),
    book("A planet that thinks, and a sea", 1961, "space"),
]
IDS = ["a", "b", "c", "d"]


def store(name, documents=BOOKS, ids=IDS, embedding=MadeUp(), **options):
    return Milvus.from_documents(
        documents, embedding, collection_name=name, connection_args={"uri": URI}, ids=ids, **options
    )


def texts(documents):
    return [document.page_content for document in documents]


@case("documents come back by what they are about, with their metadata")
def similar(client, name):
    found = store(name).similarity_search_with_score("worms of the desert", k=2)
    (document, score), (_, further) = found
    same(document.page_content, BOOKS[2].page_content)
    same({key: document.metadata[key] for key in BOOKS[2].metadata}, BOOKS[2].metadata)
    distance = sum((a - b) ** 2 for a, b in zip(embed("worms of the desert"), embed(BOOKS[2].page_content)))
    assert abs(score - distance) < 1e-5 and score <= further


@case("filters are over metadata, declared or not")
def filters(client, name):
    for dynamic in (False, True):
        shelf = store(f"{name}", enable_dynamic_field=dynamic, drop_old=True)
        found = shelf.similarity_search("detective", k=4, expr='genre == "space" and year < 1965')
        same(texts(found), [BOOKS[3].page_content])
        same(len(shelf.similarity_search("detective", k=4, expr='place["shelf"] == 0')), 1)
        same(len(shelf.search_by_metadata("year > 1950")), 2)


@case("the most different of the near ones are picked")
def marginal(client, name):
    shelf = store(name)
    found = shelf.max_marginal_relevance_search("detective bird planet", k=3, fetch_k=4, lambda_mult=0.1)
    same(len(set(texts(found))), 3)


@case("documents are replaced, deleted and looked up by keys")
def keys(client, name):
    shelf = store(name)
    shelf.upsert(ids=["a"], documents=[book("A bird of lead", 1931)])
    same(texts(shelf.similarity_search("bird", k=1)), ["A bird of lead"])
    same(sorted(shelf.get_pks("year < 1940")), ["a", "b"])
    same(shelf.delete(ids=["a"]), True)
    same(shelf.delete(expr='genre == "space"'), True)
    same(shelf.get_pks("year > 0"), ["b"])
    same(shelf.delete(expr="genre =="), False)


@case("keys are made by the server")
def generated(client, name):
    shelf = store(name, ids=None)
    added = shelf.add_documents([book("A third planet", 1970, "space")])
    found = shelf.similarity_search("a third planet", k=1)
    same([found[0].metadata["pk"]], added)


@case("meaning and words are searched together")
def hybrid(client, name):
    shelf = store(name, builtin_function=BM25BuiltInFunction(), vector_field=["dense", "sparse"])
    for options in (
        {"ranker_type": "rrf", "ranker_params": {"k": 60}},
        {"ranker_type": "weighted", "ranker_params": {"weights": [0.3, 0.7]}},
        {"reranker": reranker("rrf", k=10)},
        {"reranker": reranker("weighted", weights=[0.5, 0.5], norm_score=True)},
        {"reranker": reranker("decay", ["year"], function="gauss", origin=1961, scale=1, decay=0.1)},
    ):
        found = shelf.similarity_search("a planet that thinks", k=2, **options)
        same(found[0].page_content, BOOKS[3].page_content)


@case("words alone need no embeddings")
def words(client, name):
    shelf = store(name, embedding=None, builtin_function=BM25BuiltInFunction(), vector_field="sparse")
    same(texts(shelf.similarity_search("dry desert", k=4)), [BOOKS[2].page_content])


@case("several embeddings of one text are searched together")
def several(client, name):
    shelf = store(name, embedding=[MadeUp(), MadeUp()], vector_field=["one", "other"])
    found = shelf.similarity_search("bird of gold", k=2, ranker_type="weighted")
    same(found[0].page_content, BOOKS[0].page_content)


@case("a retriever over a collection ranks several fields")
def retriever(client, name):
    store(name, embedding=[MadeUp(), MadeUp()], vector_field=["one", "other"])
    connections.connect(uri=URI)
    try:
        search = MilvusCollectionHybridSearchRetriever(
            collection=Collection(name),
            rerank=RRFRanker(),
            anns_fields=["one", "other"],
            field_embeddings=[MadeUp(), MadeUp()],
            field_search_params=[{"metric_type": "L2", "params": {}}] * 2,
            top_k=2,
            text_field="text",
        )
        same(texts(search.invoke("worms of the desert"))[0], BOOKS[2].page_content)
    finally:
        connections.disconnect("default")


@case("documents lie in the partitions of a key")
def partitions(client, name):
    shelf = store(name, enable_dynamic_field=True, partition_key_field="genre", num_partitions=4)
    same(len(shelf.similarity_search("planet", k=4, expr='genre == "space"')), 2)
    same(len(client.list_partitions(name)), 4)


@case("indexes of every kind that the store has settings for are made and asked")
def indexes(client, name):
    for kind, params in {
        "FLAT": {},
        "IVF_FLAT": {"nlist": 4},
        "IVF_SQ8": {"nlist": 4},
        "IVF_PQ": {"nlist": 4, "m": 32},
        "HNSW": {"M": 8, "efConstruction": 64},
        "SCANN": {"nlist": 4},
        "AUTOINDEX": {},
    }.items():
        for metric in ("L2", "IP", "COSINE"):
            index = {"index_type": kind, "metric_type": metric, "params": params}
            shelf = store(name, index_params=index, drop_old=True)
            found = shelf.similarity_search_with_relevance_scores(BOOKS[1].page_content, k=1)
            same(found[0][0].page_content, BOOKS[1].page_content)
            assert found[0][1] > 0.9, f"{kind} {metric}: relevance {found[0][1]}"


@case("everything works without waiting, too")
async def asynchronous(client, name):
    shelf = await Milvus.afrom_texts(
        texts(BOOKS),
        MadeUp(),
        [document.metadata for document in BOOKS],
        collection_name=name,
        connection_args={"uri": URI},
        ids=IDS,
    )
    same(texts(await shelf.asimilarity_search("worms of the desert", k=1)), [BOOKS[2].page_content])
    await shelf.aupsert(ids=["c"], documents=[book("A moon", 1970)])
    same(sorted(await shelf.aget_pks("year >= 1961")), ["c", "d"])
    await shelf.adelete(ids=["c"])
    same(await shelf.aget_pks("year >= 1961"), ["d"])


def reranker(kind, inputs=(), **params):
    return Function(
        name=kind,
        function_type=FunctionType.RERANK,
        input_field_names=list(inputs),
        params={"reranker": kind, **params},
    )


if __name__ == "__main__":
    run_cases()
