"""Searches by lists of vectors (MAX_SIM), compared with the same sums worked out here."""

import time

import ml_dtypes
import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import AnnSearchRequest, DataType, RRFRanker
from pymilvus.client.embedding_list import EmbeddingList

DIM = 16
ROWS = 60
random = np.random.default_rng(11)
#: Of each row up to five vectors, of every seventh none.
LISTS = [random.standard_normal((0 if n % 7 == 3 else n % 5 + 1, DIM)).astype(np.float32) for n in range(ROWS)]
QUERIES = [random.standard_normal((count, DIM)).astype(np.float32) for count in (1, 3, 20)]
FLOATS = {
    DataType.FLOAT_VECTOR: np.float32,
    DataType.FLOAT16_VECTOR: np.float16,
    DataType.BFLOAT16_VECTOR: ml_dtypes.bfloat16,
}


def create(client, name, metric, kind=DataType.FLOAT_VECTOR, index_type="HNSW", nullable=False):
    schema = client.create_schema(enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("shelf", DataType.INT32)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    struct = client.create_struct_field_schema()
    struct.add_field("at", DataType.INT32)
    struct.add_field("spot", kind, dim=8 * DIM if kind == DataType.BINARY_VECTOR else DIM)
    schema.add_field(
        "parts",
        DataType.ARRAY,
        element_type=DataType.STRUCT,
        struct_schema=struct,
        max_capacity=10,
        nullable=nullable,
    )
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    params = {"M": 8, "efConstruction": 64} if index_type == "HNSW" else {}
    index.add_index("parts[spot]", index_type=index_type, metric_type=metric, params=params)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")


def insert(client, name, lists):
    rows = [
        {
            "id": n,
            "shelf": n % 3,
            "v": [float(n), 0.0],
            "parts": [{"at": at, "spot": vector} for at, vector in enumerate(vectors)],
        }
        for n, vectors in enumerate(lists)
    ]
    client.insert(name, rows)


def filled(client, name, metric="MAX_SIM_COSINE", **options):
    create(client, name, metric, **options)
    insert(client, name, LISTS)


def score(metric, query, vectors):
    """The sum, over the query's vectors, of the best score among the row's."""
    query, vectors = query.astype(np.float64), vectors.astype(np.float64)
    if metric == "MAX_SIM_L2":
        return ((query[:, None, :] - vectors[None, :, :]) ** 2).sum(2).min(1).sum()
    if metric in ("MAX_SIM", "MAX_SIM_COSINE"):
        query = query / np.linalg.norm(query, axis=1, keepdims=True)
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return (query @ vectors.T).max(1).sum()


def best(metric, query, limit, lists=LISTS, keep=lambda n: True):
    scores = {n: score(metric, query, vectors) for n, vectors in enumerate(lists) if len(vectors) and keep(n)}
    sign = 1 if metric == "MAX_SIM_L2" else -1
    return sorted(scores.items(), key=lambda each: (sign * each[1], each[0]))[:limit]


def alike(hits, wanted, tolerance=1e-4):
    same([hit["id"] for hit in hits], [key for key, _ in wanted])
    for hit, (_, value) in zip(hits, wanted):
        assert abs(hit["distance"] - value) <= tolerance * max(1, abs(value)), f"{hit['distance']} is not {value}"


def lists_of(queries, dtype=np.float32):
    return [EmbeddingList(query.astype(dtype)) for query in queries]


@case("every metric adds up the best scores of the query's vectors", since="3.0")
def metrics(client, name):
    for number, metric in enumerate(["MAX_SIM", "MAX_SIM_COSINE", "MAX_SIM_IP", "MAX_SIM_L2"]):
        own = f"{name}_{number}"
        filled(client, own, metric)
        try:
            found = client.search(own, lists_of(QUERIES), anns_field="parts[spot]", limit=10)
            for hits, query in zip(found, QUERIES):
                alike(hits, best(metric, query, 10))
        finally:
            client.drop_collection(own)


@case("vectors of half the width are compared as they are kept", since="3.0")
def halves(client, name):
    for number, (kind, dtype) in enumerate(FLOATS.items()):
        own = f"{name}_{number}"
        create(client, own, "MAX_SIM_IP", kind=kind)
        lists = [vectors.astype(dtype) for vectors in LISTS]
        insert(client, own, lists)
        try:
            queries = [query.astype(dtype) for query in QUERIES]
            found = client.search(own, lists_of(queries, dtype), anns_field="parts[spot]", limit=10)
            for hits, query in zip(found, queries):
                alike(hits, best("MAX_SIM_IP", query, 10, lists), 1e-3)
        finally:
            client.drop_collection(own)


@case("bits are counted", since="3.0")
def bits(client, name):
    lists = [random.integers(0, 256, (len(vectors), DIM), dtype=np.uint8) for vectors in LISTS]
    query = random.integers(0, 256, (4, DIM), dtype=np.uint8)
    create(client, name, "MAX_SIM_HAMMING", kind=DataType.BINARY_VECTOR)
    insert(client, name, [[vector.tobytes() for vector in vectors] for vectors in lists])

    def distance(vectors):
        return np.unpackbits(query[:, None, :] ^ vectors[None, :, :], axis=2).sum(2).min(1).sum()

    wanted = sorted((int(distance(vectors)), n) for n, vectors in enumerate(lists) if len(vectors))[:8]
    asked = EmbeddingList([vector for vector in query], dtype=DataType.BINARY_VECTOR)
    [hits] = client.search(name, [asked], anns_field="parts[spot]", limit=8)
    same([(int(hit["distance"]), hit["id"]) for hit in hits], wanted)


@case("filters, offsets and output fields are those of any search", since="3.0")
def wishes(client, name):
    filled(client, name)
    [query] = lists_of(QUERIES[1:2])
    wanted = best("MAX_SIM_COSINE", QUERIES[1], 8, keep=lambda n: n % 3 == 1 and n > 5)
    options = {"anns_field": "parts[spot]", "filter": "shelf == 1 and id > 5", "output_fields": ["parts", "shelf"]}
    [hits] = client.search(name, [query], limit=8, **options)
    alike(hits, wanted)
    for hit in hits:
        same((hit["entity"]["shelf"], len(hit["entity"]["parts"])), (1, len(LISTS[hit["id"]])))
    [page] = client.search(name, [query], limit=3, offset=2, **options)
    alike(page, wanted[2:5])
    [deep] = client.search(
        name, [query], anns_field="parts[spot]", limit=4, filter="match_any(parts, $[at] == 4)"
    )
    alike(deep, best("MAX_SIM_COSINE", QUERIES[1], 4, keep=lambda n: len(LISTS[n]) == 5))
    [rounded] = client.search(name, [query], anns_field="parts[spot]", limit=2, round_decimal=2)
    same([hit["distance"] for hit in rounded], [round(hit["distance"], 2) for hit in rounded])


@case("rows without a vector are never found, and a flush changes nothing", since="3.0")
def empty(client, name):
    filled(client, name, nullable=True)
    client.insert(name, [{"id": 100, "shelf": 0, "v": [0.0, 0.0], "parts": None}])
    queries = lists_of(QUERIES)
    before = client.search(name, queries, anns_field="parts[spot]", limit=200)
    with_vectors = [n for n, vectors in enumerate(LISTS) if len(vectors)]
    for hits in before:
        same(sorted(hit["id"] for hit in hits), with_vectors)
    client.flush(name)
    client.release_collection(name)
    client.load_collection(name)
    after = client.search(name, queries, anns_field="parts[spot]", limit=200)
    same([[dict(hit) for hit in hits] for hits in after], [[dict(hit) for hit in hits] for hits in before])


@case("a hybrid search has legs of lists", since="3.0")
def legs(client, name):
    filled(client, name)
    [query] = lists_of(QUERIES[1:2])
    asked = [
        AnnSearchRequest([query], "parts[spot]", {"metric_type": "MAX_SIM_COSINE"}, limit=ROWS),
        AnnSearchRequest([[0.0, 0.0]], "v", {}, limit=ROWS),
    ]
    [hits] = client.hybrid_search(name, asked, RRFRanker(60), limit=5)
    places = {n: place for place, (n, _) in enumerate(best("MAX_SIM_COSINE", QUERIES[1], ROWS), 1)}
    scores = {n: 1 / (60 + n + 1) + (1 / (60 + places[n]) if n in places else 0) for n in range(ROWS)}
    same([hit["id"] for hit in hits], sorted(scores, key=lambda n: (-scores[n], n))[:5])


@case("rows like a row are those with its list", since="3.0")
def like(client, name):
    filled(client, name)
    found = client.search(name, ids=[4, 0], anns_field="parts[spot]", limit=3)
    for hits, key in zip(found, (4, 0)):
        alike(hits, best("MAX_SIM_COSINE", LISTS[key], 3))
    fails(lambda: client.search(name, ids=[3], anns_field="parts[spot]", limit=3), 1100, "without a vector")


@case("what makes no sense of lists is refused", since="3.0")
def refused(client, name):
    filled(client, name)
    [query] = lists_of(QUERIES[:1])

    def search(data, text, **options):
        fails(lambda: client.search(name, data, anns_field="parts[spot]", limit=3, **options), 1100, text)

    lists = "is not supported for vector array (embedding list) fields, fieldName:->parts[spot]"
    search([query], f"range search {lists}", search_params={"params": {"radius": 0.1}})
    search([query], f"group by search {lists}", group_by_field="shelf")
    search([query], "metric type not match", search_params={"metric_type": "MAX_SIM_L2"})
    search([[0.5] * DIM], "vector type must be the same, field parts[spot]")
    search(lists_of([np.ones((2, DIM + 4))]), "vector dimension mismatch")
    search(lists_of([np.full((2, DIM), np.nan)]), "NaN")
    fails(lambda: client.search(name, [query], anns_field="v", limit=3), 1100, "vector type must be the same")
    hybrid = [AnnSearchRequest([query], "parts[spot]", {"params": {"radius": 0.1}}, limit=3)]
    wanted = "range search is not supported for vector array (embedding list) fields in hybrid search"
    fails(lambda: client.hybrid_search(name, hybrid, RRFRanker(), limit=3), 1100, wanted)


@case("a metric of single vectors compares no lists", since="3.0")
def plain_metric(client, name):
    filled(client, name, "COSINE")
    [query] = lists_of(QUERIES[:1])
    fails(lambda: client.search(name, [query], anns_field="parts[spot]", limit=3), 1100, "only those that begin with MAX_SIM")


@case("an index over the vectors of lists names the rows that are compared", since="3.0")
def through_an_index(client, name):
    lists = indexed_lists(client, name, "MAX_SIM_COSINE")
    asked = [lists[n] + 0.1 * random.standard_normal(lists[n].shape).astype(np.float32) for n in range(4, 200, 5)]
    near = client.search(name, lists_of(asked), anns_field="parts[spot]", limit=5)
    same([hits[0]["id"] for hits in near], list(range(4, 200, 5)))
    wide = {"params": {"retrieval_ann_ratio": 12, "ef": 128}}
    found = client.search(name, lists_of(asked), anns_field="parts[spot]", limit=5, search_params=wide)
    right = 0
    for hits, query in zip(found, asked):
        wanted = best("MAX_SIM_COSINE", query, 5, lists)
        right += sum(hit["distance"] >= wanted[-1][1] - 1e-4 for hit in hits)
        scores = {n: score("MAX_SIM_COSINE", query, lists[n]) for n in (hit["id"] for hit in hits)}
        for hit in hits:
            assert abs(hit["distance"] - scores[hit["id"]]) < 1e-3, "scores are those of whole lists"
    # Vectors without any structure are the hardest.
    assert right >= 0.85 * 5 * len(asked), f"{right} of {5 * len(asked)} hits are right"
    exact = client.search(
        name, lists_of(asked[:3]), anns_field="parts[spot]", limit=5, search_params={"params": {"recall_target": 0.9}}
    )
    for hits, query in zip(exact, asked):
        alike(hits, best("MAX_SIM_COSINE", query, 5, lists))
    ratio = {"params": {"retrieval_ann_ratio": "many"}}
    fails(
        lambda: client.search(name, lists_of(asked[:1]), anns_field="parts[spot]", limit=5, search_params=ratio),
        1100,
        "retrieval_ann_ratio",
    )


@case("an index over the vectors of lists finds single ones, each with its place", since="3.0")
def elements_through_an_index(client, name):
    lists = indexed_lists(client, name, "IP")
    asked = [random.standard_normal(DIM).astype(np.float32) for _ in range(20)]
    wide = {"params": {"ef": 256}}
    right = 0
    for filter, shelves in ((None, {0, 1, 2}), ("shelf == 1", {1})):
        found = client.search(
            name, asked, anns_field="parts[spot]", limit=5, search_params=wide, **({"filter": filter} if filter else {})
        )
        for hits, query in zip(found, asked):
            scores = {
                (n, at): float(vector @ query) for n in range(len(lists)) if n % 3 in shelves for at, vector in enumerate(lists[n])
            }
            least = sorted(scores.values())[-5]
            same(len({(hit["id"], hit["offset"]) for hit in hits}), 5)
            for hit in hits:
                value = scores[hit["id"], hit["offset"]]
                assert abs(hit["distance"] - value) < 1e-3, "scores are those of the vector at its place"
                right += value >= least - 1e-4
    assert right >= 0.85 * 200, f"{right} of 200 hits are right"


def indexed_lists(client, name, metric):
    lists = [random.standard_normal((n % 5 + 1, DIM)).astype(np.float32) for n in range(2500)]
    create(client, name, metric)
    for first in range(0, len(lists), 500):
        rows = [
            {"id": n, "shelf": n % 3, "v": [0.0, 0.0], "parts": [{"at": 0, "spot": vector} for vector in lists[n]]}
            for n in range(first, first + 500)
        ]
        client.insert(name, rows)
    client.flush(name)
    until_indexed(client, name, "parts[spot]", len(lists))
    return lists


def until_indexed(client, name, index, rows):
    for _ in range(300):
        told = client.describe_index(name, index)
        if told["pending_index_rows"] == 0 and told["indexed_rows"] >= rows and told["state"] == "Finished":
            return
        time.sleep(0.1)
    raise AssertionError(f"{index} is not built: {told}")


def elements_of(metric, query, keep=lambda n, at: True):
    """(key, element, score) of all elements, best first, then by key and element."""
    found = [
        (n, at, score(metric, query[None, :], vector[None, :]))
        for n, vectors in enumerate(LISTS)
        for at, vector in enumerate(vectors)
        if keep(n, at)
    ]
    sign = 1 if metric == "MAX_SIM_L2" else -1
    return sorted(found, key=lambda each: (sign * each[2], each[:2]))


def alike_elements(hits, wanted, tolerance=1e-4):
    same([(hit["id"], hit["offset"]) for hit in hits], [each[:2] for each in wanted])
    for hit, (_, _, value) in zip(hits, wanted):
        assert abs(hit["distance"] - value) <= tolerance * max(1, abs(value)), f"{hit['distance']} is not {value}"


@case("a search by vectors finds the elements of lists, each with its place", since="3.0")
def elements(client, name):
    queries = [query[0] for query in QUERIES]
    for number, metric in enumerate(["L2", "IP", "COSINE"]):
        own = f"{name}_{number}"
        filled(client, own, metric)
        try:
            for flushed in (False, True):
                if flushed:
                    client.flush(own)
                found = client.search(own, queries, anns_field="parts[spot]", limit=20, output_fields=["shelf"])
                for hits, query in zip(found, queries):
                    alike_elements(hits, elements_of(f"MAX_SIM_{metric}", query)[:20])
                    same([hit["entity"]["shelf"] for hit in hits], [hit["id"] % 3 for hit in hits])
        finally:
            client.drop_collection(own)


@case("filters choose rows, or elements", since="3.0")
def chosen_elements(client, name):
    filled(client, name, "L2")
    query = QUERIES[0][0]

    def search(filter, keep, **options):
        [hits] = client.search(name, [query], anns_field="parts[spot]", limit=12, filter=filter, **options)
        alike_elements(hits, elements_of("MAX_SIM_L2", query, keep)[options.get("offset", 0) :][:12])

    search("shelf == 1", lambda n, at: n % 3 == 1)
    search("shelf == 1", lambda n, at: n % 3 == 1, offset=5)
    search("element_filter(parts, $[at] >= 2)", lambda n, at: at >= 2)
    search("shelf == 1 and element_filter(parts, $[at] == 3)", lambda n, at: n % 3 == 1 and at == 3)
    client.delete(name, ids=list(range(20)))
    search("element_filter(parts, $[at] >= 2)", lambda n, at: n >= 20 and at >= 2)


@case("ranges, iterators and groups by key are of elements, too", since="3.0")
def element_forms(client, name):
    filled(client, name, "L2")
    query = QUERIES[0][0]
    every = elements_of("MAX_SIM_L2", query)
    near, far = (float(every[at - 1][2] + every[at][2]) / 2 for at in (10, 40))
    ring = {"params": {"radius": far, "range_filter": near}}
    [hits] = client.search(name, [query], anns_field="parts[spot]", limit=200, search_params=ring)
    alike_elements(hits, every[10:40])
    pages = client.search_iterator(name, [query], anns_field="parts[spot]", batch_size=7)
    found = []
    while page := pages.next():
        found += [(hit["id"], hit["offset"]) for hit in page]
    pages.close()
    same(found, [each[:2] for each in every])
    [hits] = client.search(name, [query], anns_field="parts[spot]", limit=9, group_by_field="id")
    best_of_row = {}
    for each in every:
        best_of_row.setdefault(each[0], each)
    alike_elements(hits, list(best_of_row.values())[:9])


@case("a query iterator goes through matching elements, wherever its pages are cut", since="3.0")
def element_iterator(client, name):
    filled(client, name, "L2")
    wanted = [(n, at) for n, vectors in enumerate(LISTS) for at in range(len(vectors)) if at >= 1]
    for size in (1, 4, 7, 100):
        pages = client.query_iterator(name, filter="element_filter(parts, $[at] >= 1)", batch_size=size, output_fields=["id"])
        found = []
        while page := pages.next():
            found += [(row["id"], row["offset"]) for row in page]
            assert len(found) <= len(wanted), f"pages of {size} do not end"
        pages.close()
        same(found, wanted)


@case("what makes no sense of elements is refused", since="3.0")
def refused_elements(client, name):
    filled(client, name, "L2")
    query = QUERIES[0][0]

    def search(text, **options):
        fails(lambda: client.search(name, [query], anns_field="parts[spot]", limit=3, **options), 1100, text)

    search("group by another field", group_by_field="shelf")
    search("group_size above 1", group_by_field="id", group_size=2)
    legs = [AnnSearchRequest([query], "parts[spot]", {}, limit=3)]
    fails(lambda: client.hybrid_search(name, legs, RRFRanker(), limit=3), 1100, "hybrid search is not supported")
    fails(lambda: client.search(name, ids=[1], anns_field="parts[spot]", limit=3), 1100, "only those that begin with MAX_SIM")


if __name__ == "__main__":
    run_cases()
