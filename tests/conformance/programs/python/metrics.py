"""Searches with every metric over every type of vector, against brute force."""

import numpy as np
from cases import case, run_cases, same
from pymilvus import DataType
from vectors import add_vector_field, best_first, plainest_index, random_vectors, scores, sendable

ROWS = 400
QUERIES = 3
LIMIT = 10

METRICS = [
    ("FLOAT_VECTOR", ["L2", "IP", "COSINE"], "2.4"),
    ("FLOAT16_VECTOR", ["L2", "IP", "COSINE"], "2.4"),
    ("BFLOAT16_VECTOR", ["L2", "IP", "COSINE"], "2.4"),
    ("INT8_VECTOR", ["L2", "IP", "COSINE"], "2.6"),
    ("BINARY_VECTOR", ["HAMMING", "JACCARD"], "2.4"),
    ("SPARSE_FLOAT_VECTOR", ["IP"], "2.4"),
]


def collection_of(client, name, kind, metric, **options):
    """A loaded collection with one vector field `v`, and the vectors of its rows 0, 1, ..."""
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    add_vector_field(schema, "v", kind)
    index = client.prepare_index_params()
    index.add_index("v", index_type=plainest_index(kind), metric_type=metric)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong", **options)
    vectors = random_vectors(kind, ROWS, seed=1)
    client.insert(name, [{"id": i, "v": sendable(kind, v)} for i, v in enumerate(vectors)])
    return vectors


def search_agrees(client, name, kind, metric, **options):
    vectors = collection_of(client, name, kind, metric, **options)
    queries = random_vectors(kind, QUERIES, seed=2)
    found = client.search(name, [sendable(kind, q) for q in queries], limit=LIMIT, anns_field="v")
    same(len(found), QUERIES)
    for query, hits in zip(queries, found):
        wanted_scores = scores(kind, metric, vectors, query)
        wanted = best_first(metric, wanted_scores)[:LIMIT]
        if kind == "SPARSE_FLOAT_VECTOR":
            wanted = [position for position in wanted if wanted_scores[position] != 0]
        same([hit["id"] for hit in hits], [int(position) for position in wanted])
        got = np.array([hit["distance"] for hit in hits])
        np.testing.assert_allclose(got, wanted_scores[wanted], rtol=1e-5, atol=1e-5)


def register(kind, metric, since):
    @case(f"{metric} over {kind} agrees with brute force", since)
    def agrees(client, name):
        search_agrees(client, name, kind, metric)


for kind, metrics, since in METRICS:
    for metric in metrics:
        register(kind, metric, since)


@case("the results do not depend on the number of shards")
def shards(client, name):
    search_agrees(client, name, "FLOAT_VECTOR", "L2", num_shards=4)


@case("rows at the same distance come by ascending key, page after page")
def ties(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, num_shards=3)
    client.insert(name, [{"id": i, "v": [1.0, 0.0]} for i in reversed(range(50))])

    def page(offset):
        params = {"metric_type": "L2", "offset": offset}
        return [hit["id"] for hit in client.search(name, [[0.0, 0.0]], limit=10, search_params=params)[0]]

    same([key for offset in range(0, 50, 10) for key in page(offset)], list(range(50)))


@case("radius and range_filter keep the distances between them")
def range_search(client, name):
    vectors = collection_of(client, name, "FLOAT_VECTOR", "L2")
    query = random_vectors("FLOAT_VECTOR", 1, seed=3)[0]
    wanted = scores("FLOAT_VECTOR", "L2", vectors, query)
    nearest = np.sort(wanted)
    inner, outer = float(nearest[5] + nearest[6]) / 2, float(nearest[20] + nearest[21]) / 2
    params = {"metric_type": "L2", "params": {"radius": outer, "range_filter": inner}}
    hits = client.search(name, [query.tolist()], limit=100, search_params=params)[0]
    same(len(hits), 15)
    same({hit["id"] for hit in hits}, {int(i) for i in np.argsort(wanted)[6:21]})


@case("a radius alone keeps similarities above it")
def radius_of_similarity(client, name):
    vectors = collection_of(client, name, "FLOAT_VECTOR", "COSINE")
    query = random_vectors("FLOAT_VECTOR", 1, seed=3)[0]
    wanted = scores("FLOAT_VECTOR", "COSINE", vectors, query)
    bound = float(np.sort(wanted)[-8] + np.sort(wanted)[-9]) / 2
    params = {"metric_type": "COSINE", "params": {"radius": bound}}
    hits = client.search(name, [query.tolist()], limit=100, search_params=params)[0]
    same([hit["id"] for hit in hits], [int(i) for i in best_first("COSINE", wanted)[:8]])


@case("round_decimal rounds the scores")
def round_decimal(client, name):
    collection_of(client, name, "FLOAT_VECTOR", "L2")
    query = random_vectors("FLOAT_VECTOR", 1, seed=3)[0].tolist()
    exact = client.search(name, [query], limit=5)[0]
    rounded = client.search(name, [query], limit=5, round_decimal=2)[0]
    for one, other in zip(exact, rounded):
        assert abs(round(one["distance"], 2) - other["distance"]) < 1e-4, (one, other)


@case("a query vector of zeros has cosine similarity 0 with everything")
def cosine_of_zero(client, name):
    collection_of(client, name, "FLOAT_VECTOR", "COSINE")
    hits = client.search(name, [[0.0] * 16], limit=3)[0]
    same([hit["distance"] for hit in hits], [0.0, 0.0, 0.0])


run_cases()
