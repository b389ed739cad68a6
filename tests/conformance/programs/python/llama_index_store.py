"""LlamaIndex' Milvus store: nodes go in, the ones that a query is about come back."""

import logging

from cases import URI, case, run_cases, same
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
)
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.milvus import MilvusVectorStore
from llama_index.vector_stores.milvus.utils import BM25BuiltInFunction
from made_up_embeddings import DIMENSIONS, embed
from pymilvus import DataType

logging.disable(logging.WARNING)


def node(key, text, document, **metadata):
    return TextNode(
        id_=key,
        text=text,
        metadata=metadata,
        embedding=embed(text),
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document)},
    )


NODES = [
    node("a", "A detective and a missing bird of gold", "crime", year=1930, genre="crime"),
    node("b", "The detective sleeps long and drinks much", "crime", year=1939, genre="crime"),
    node("c", "Worms in the desert of a dry planet", "worms", year=1965, genre="space"),
    node("d", "A planet that thinks, and a sea", "sea", year=1961, genre="space"),
]


def store(name, nodes=NODES, **options):
    options = {"similarity_metric": "COSINE", "consistency_level": "Strong", "dim": DIMENSIONS, **options}
    made = MilvusVectorStore(uri=URI, collection_name=name, use_async_client=False, **options)
    if nodes:
        same(made.add(nodes), [each.node_id for each in nodes])
    return made


def asked(text, top=4, mode=VectorStoreQueryMode.DEFAULT, **options):
    return VectorStoreQuery(
        query_embedding=embed(text), query_str=text, similarity_top_k=top, mode=mode, **options
    )


def where(*filters, condition=FilterCondition.AND):
    return MetadataFilters(
        filters=[MetadataFilter(key=key, operator=operator, value=value) for key, operator, value in filters],
        condition=condition,
    )


@case("nodes come back by what they are about, whole")
def similar(client, name):
    result = store(name).query(asked("worms of the desert", top=2))
    same(result.ids[0], "c")
    same((result.nodes[0].text, result.nodes[0].metadata), (NODES[2].text, NODES[2].metadata))
    same(result.nodes[0].ref_doc_id, "worms")
    wanted = sum(a * b for a, b in zip(embed("worms of the desert"), NODES[2].embedding))
    assert abs(result.similarities[0] - wanted) < 1e-5


@case("an index over the store answers a retriever")
def retriever(client, name):
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class MadeUp(BaseEmbedding):
        def _get_query_embedding(self, query):
            return embed(query)

        def _get_text_embedding(self, text):
            return embed(text)

        async def _aget_query_embedding(self, query):
            return embed(query)

    context = StorageContext.from_defaults(vector_store=store(name, nodes=[]))
    index = VectorStoreIndex(nodes=NODES, storage_context=context, embed_model=MadeUp())
    same([found.node_id for found in index.as_retriever(similarity_top_k=1).retrieve("a bird of gold")], ["a"])
    index.delete_ref_doc("crime")
    same({found.node_id for found in index.as_retriever(similarity_top_k=9).retrieve("bird")}, {"c", "d"})


@case("filters of every operator are over metadata")
def filters(client, name):
    made = store(
        name,
        nodes=[],
        scalar_field_names=["tags"],
        scalar_field_types=[DataType.JSON],
    )
    made.add([with_tags(each) for each in NODES])
    for found, wanted in {
        ("genre", FilterOperator.EQ, "space"): "cd",
        ("genre", FilterOperator.NE, "space"): "ab",
        ("year", FilterOperator.GT, 1939): "cd",
        ("year", FilterOperator.GTE, 1939): "bcd",
        ("year", FilterOperator.LT, 1939): "a",
        ("year", FilterOperator.LTE, 1939): "ab",
        ("genre", FilterOperator.TEXT_MATCH, "sp"): "cd",
        ("tags", FilterOperator.CONTAINS, "first"): "a",
    }.items():
        same(matching(made, where(found)), wanted)
    same(matching(made, where(("year", FilterOperator.IN, [1930, 1961]))), "ad")
    same(matching(made, where(("genre", FilterOperator.NIN, ["space"]))), "ab")
    same(matching(made, where(("tags", FilterOperator.ANY, ["first", "fourth"]))), "ad")
    same(matching(made, where(("tags", FilterOperator.ALL, ["first", "tag"]))), "a")
    same(matching(made, where(("nosuch", FilterOperator.IS_EMPTY, None))), "")
    either = where(
        ("year", FilterOperator.LT, 1935), ("genre", FilterOperator.EQ, "space"), condition=FilterCondition.OR
    )
    same(matching(made, either), "acd")
    nested = MetadataFilters(filters=[either, MetadataFilter(key="year", operator=FilterOperator.GT, value=1940)])
    same(matching(made, nested), "cd")
    same(sorted(made.query(asked("planet", doc_ids=["crime"])).ids), ["a", "b"])
    same(sorted(made.query(asked("planet", node_ids=["a", "d"])).ids), ["a", "d"])


def with_tags(each):
    order = {"a": "first", "b": "second", "c": "third", "d": "fourth"}[each.node_id]
    return node(each.node_id, each.text, each.ref_doc_id, **each.metadata, tags=[order, "tag"])


def matching(made, filters):
    return "".join(sorted(made.query(asked("planet", filters=filters)).ids))


@case("meaning and words are searched together, or words alone")
def hybrid(client, name):
    for ranker, params in (("RRFRanker", {"k": 60}), ("WeightedRanker", {"weights": [0.4, 0.6]})):
        made = store(
            name,
            enable_sparse=True,
            sparse_embedding_function=BM25BuiltInFunction(enable_match=True),
            overwrite=True,
            hybrid_ranker=ranker,
            hybrid_ranker_params=params,
        )
        result = made.query(asked("a planet that thinks", mode=VectorStoreQueryMode.HYBRID))
        same(result.ids[0], "d")
        words = asked("dry desert", mode=VectorStoreQueryMode.TEXT_SEARCH)
        same(made.query(words).ids, ["c"])
        words = asked("detective", mode=VectorStoreQueryMode.SPARSE, filters=where(("year", FilterOperator.LT, 1935)))
        same(made.query(words).ids, ["a"])


@case("the most different of the near ones are picked")
def marginal(client, name):
    made = store(name)
    result = made.query(asked("detective bird", top=3, mode=VectorStoreQueryMode.MMR), mmr_threshold=0.2)
    same(len(set(result.ids)), 3)


@case("nodes are replaced, read and deleted")
def changed(client, name):
    made = store(name, upsert_mode=True)
    made.add([node("a", "A bird of lead", "crime", year=1931, genre="crime")])
    same([found.text for found in made.get_nodes(node_ids=["a"])], ["A bird of lead"])
    found = made.get_nodes(filters=where(("year", FilterOperator.GT, 1950)))
    same(sorted(each.node_id for each in found), ["c", "d"])
    made.delete("crime")
    same(sorted(made.query(asked("bird", top=9)).ids), ["c", "d"])
    made.delete_nodes(node_ids=["c"])
    same(made.query(asked("bird", top=9)).ids, ["d"])
    made.clear()
    same(client.has_collection(name), False)


@case("a store finds the collection of an earlier one, with other settings")
def found_again(client, name):
    store(name, index_config={"index_type": "HNSW", "M": 8, "efConstruction": 64})
    again = store(name, nodes=[], search_config={"ef": 64}, collection_properties={"collection.ttl.seconds": 3600})
    same(again.query(asked("worms of the desert", top=1)).ids, ["c"])
    same(client.describe_collection(name)["properties"]["collection.ttl.seconds"], "3600")


@case("everything works without waiting, too")
async def asynchronous(client, name):
    made = MilvusVectorStore(uri=URI, collection_name=name, dim=DIMENSIONS, similarity_metric="COSINE")
    await made.async_add(NODES)
    same((await made.aquery(asked("worms of the desert", top=1))).ids, ["c"])
    await made.adelete("crime")
    same(sorted(each.node_id for each in await made.aget_nodes(filters=where(("year", FilterOperator.GT, 0)))), ["c", "d"])
    await made.adelete_nodes(node_ids=["c"])
    same((await made.aquery(asked("worms", top=4))).ids, ["d"])


if __name__ == "__main__":
    run_cases()
