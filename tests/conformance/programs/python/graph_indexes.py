"""Every type of graph index over enough rows that it is built: its recall, its filters, its end."""

import time

import ml_dtypes
import numpy as np
from cases import case, run_cases, same
from indexed_rows import (
    ASKED,
    BUILD_SECONDS_MAX,
    LIMIT,
    QUERIES,
    ROWS,
    VECTORS,
    by_nearness,
    clustered,
    collection,
    drop_index,
    make_index,
    nearest,
    reaches,
    recall,
)

GRAPH = {"M": 16, "efConstruction": 100}
REFINED = {**GRAPH, "refine": True, "refine_type": "FP16"}

# The type, its parameters, those of a search, the recall to be reached.
TYPES = [
    ("FLAT", {}, {}, 1.0),
    ("HNSW", GRAPH, {"ef": 100}, 0.97),
    ("HNSW", {**GRAPH, "graph_layout": "compact"}, {"ef": 100}, 0.97),
    ("HNSW", {**GRAPH, "graph_layout": "fast"}, {"ef": 100}, 0.97),
    ("HNSW_SQ", {**GRAPH, "sq_type": "SQ8"}, {"ef": 100}, 0.9),
    ("HNSW_SQ", {**REFINED, "sq_type": "SQ4U"}, {"ef": 100, "refine_k": 3}, 0.9),
    ("HNSW_PQ", {**REFINED, "m": 16, "nbits": 8}, {"ef": 100, "refine_k": 5}, 0.85),
    ("HNSW_PRQ", {**REFINED, "m": 8, "nrq": 2, "nbits": 8}, {"ef": 100, "refine_k": 5}, 0.85),
    ("AUTOINDEX", {}, {}, 0.95),
]

# Kinds of vectors of fewer bytes, with more dimensions: as many bytes as are worth an index.
OTHER_KINDS = [
    ("FLOAT16_VECTOR", np.float16, 128, "2.4"),
    ("BFLOAT16_VECTOR", ml_dtypes.bfloat16, 128, "2.4"),
    ("INT8_VECTOR", np.int8, 256, "2.6"),
]


def first_hits_are_the_same(client, name, search):
    """Whatever the limit, with the same parameters: those of a longer list begin a shorter one."""
    search = {**search, "ef": 100}
    options = {"anns_field": "v", "search_params": {"params": search}}
    longest = client.search(name, ASKED.tolist(), limit=100, **options)
    for limit in (1, 10, 50):
        found = client.search(name, ASKED.tolist(), limit=limit, **options)
        for hits, all_hits in zip(found, longest):
            same([hit["id"] for hit in hits], [hit["id"] for hit in all_hits][:limit])


def finds_what_is_far(client, name, search):
    """Of the half of the rows that is farthest from a query the best are about as far away as hundreds of others."""
    found = 0
    for query, order in zip(ASKED, by_nearness("L2")):
        far = order[ROWS // 2 :]
        options = {"anns_field": "v", "search_params": {"params": search}, "filter": f"id in {far.tolist()}"}
        hits = client.search(name, [query.tolist()], limit=LIMIT, **options)[0]
        found += len({hit["id"] for hit in hits} & set(far[:LIMIT].tolist()))
    unfiltered = recall(client, name, "L2", search)
    assert found >= (unfiltered - 0.01) * QUERIES * LIMIT, f"{found} of {QUERIES * LIMIT}, else {unfiltered}"


@case("every type of graph index is built over rows that are there, searched, and dropped")
def every_type(client, name):
    collection(client, name)
    group = np.arange(ROWS) % 100
    for index_type, build, search, wanted in TYPES:
        make_index(client, name, index_type, "L2", build)
        described = client.describe_index(name, "v")
        same(described["index_type"], index_type)
        client.load_collection(name)
        reaches(client, name, wanted, "L2", search)
        first_hits_are_the_same(client, name, search)
        for share in (50, 10, 1):
            options = {"allowed": group < share, "filter": f"group < {share}"}
            reaches(client, name, wanted - 0.02, "L2", search, **options)
        finds_what_is_far(client, name, search)
        drop_index(client, name)


@case("a flush changes no exact hit, and takes nothing from the recall")
def flushed(client, name):
    collection(client, name)
    make_index(client, name, "HNSW", "L2", GRAPH)
    client.load_collection(name)

    def exact():
        found = client.search(name, ASKED.tolist(), limit=LIMIT, anns_field="v", filter="group == 7")
        return [[(hit["id"], hit["distance"]) for hit in hits] for hits in found]

    wanted, before = exact(), recall(client, name, "L2", {"ef": 32})
    client.flush(name)
    for _ in range(20):
        same(exact(), wanted)
        after = recall(client, name, "L2", {"ef": 32})
        assert after >= before - 0.01, f"{after} after the flush, {before} before"
        time.sleep(0.05)


@case("inner product and cosine have graphs, too")
def other_metrics(client, name):
    collection(client, name)
    for metric in ("IP", "COSINE"):
        make_index(client, name, "HNSW", metric, GRAPH)
        client.load_collection(name)
        reaches(client, name, 0.95, metric, {"ef": 150})
        drop_index(client, name)


def register(kind, dtype, dim, since):
    @case(f"a graph over {kind}", since)
    def other_kind(client, name):
        vectors, asked = (clustered(count, seed, dim) for count, seed in ((ROWS, 2), (QUERIES, 3)))
        if dtype == np.int8:
            vectors, asked = (np.rint(20 * x).clip(-128, 127) for x in (vectors, asked))
        vectors, asked = vectors.astype(dtype), asked.astype(dtype)
        collection(client, name, kind, vectors)
        make_index(client, name, "HNSW", "L2", GRAPH)
        client.load_collection(name)
        # Short numbers have ties, at which the last rows may be others.
        reaches(client, name, 0.93, "L2", {"ef": 150}, vectors=vectors, asked=asked)


for kind, dtype, dim, since in OTHER_KINDS:
    register(kind, dtype, dim, since)


@case("searches see deletions, upserts and new rows at once, while an index is built and after it")
def changing_rows(client, name):
    collection(client, name)
    client.create_index(name, hnsw(client), sync=False)
    client.load_collection(name)
    query = ASKED[0]
    order = np.argsort(nearest("L2", VECTORS, query))
    for round in range(4):
        gone = [int(i) for i in order[10 * round : 10 * round + 10]]
        client.delete(name, ids=gone)
        ids = first_ids(client, name, query)
        assert not set(ids) & set(gone), f"deleted rows in {ids}"
        client.insert(name, [{"id": ROWS + round, "group": 0, "v": query.tolist()}])
        same(first_ids(client, name, query)[: round + 1], [ROWS + i for i in range(round + 1)])
    make_sure_finished(client, name)
    same(first_ids(client, name, query)[:4], [ROWS + i for i in range(4)])
    client.upsert(name, [{"id": ROWS, "group": 0, "v": (query + 100).tolist()}])
    assert ROWS not in first_ids(client, name, query)


def hnsw(client):
    index = client.prepare_index_params()
    index.add_index("v", index_type="HNSW", metric_type="L2", params=GRAPH)
    return index


def make_sure_finished(client, name):
    deadline = time.monotonic() + BUILD_SECONDS_MAX
    while client.describe_index(name, "v")["state"] != "Finished":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def first_ids(client, name, query):
    found = client.search(name, [query.tolist()], limit=LIMIT, search_params={"params": {"ef": 64}})
    return [hit["id"] for hit in found[0]]


@case("a radius keeps what is near, and rows beyond a bound come out whole")
def ranges(client, name):
    collection(client, name)
    make_index(client, name, "HNSW", "L2", GRAPH)
    client.load_collection(name)
    query = ASKED[1]
    scores = nearest("L2", VECTORS, query)
    inner, outer = (float(x) for x in np.sort(scores)[[200, 600]])
    near = client.search(name, [query.tolist()], limit=100, search_params={"params": {"radius": inner}})[0]
    same(len(near), 100)
    assert all(hit["distance"] < inner for hit in near)
    bound = {"radius": outer, "range_filter": inner}
    ring = client.search(name, [query.tolist()], limit=1000, search_params={"params": bound})[0]
    assert abs(len(ring) - 400) <= 2, len(ring)
    wanted = np.argsort(scores)[201:599].tolist()
    missing = set(wanted) - {hit["id"] for hit in ring}
    assert not missing, missing


@case("the pages of an iterator follow each other without a gap")
def iterator(client, name):
    collection(client, name)
    make_index(client, name, "HNSW", "L2", GRAPH)
    client.load_collection(name)
    query = ASKED[2]
    search = {"metric_type": "L2", "params": {"ef": 200}}
    pages = client.search_iterator(
        name, [query.tolist()], batch_size=200, limit=1000, anns_field="v", search_params=search
    )
    ids = []
    while page := pages.next():
        ids += [hit.id for hit in page]
    pages.close()
    same(len(ids), 1000)
    wanted = np.argsort(nearest("L2", VECTORS, query))[:990].tolist()
    assert set(wanted) <= set(ids), sorted(set(wanted) - set(ids))


@case("a search that names a recall is exact until that is calibrated, and keeps its word with other queries", "3.0")
def recall_targets(client, name):
    collection(client, name)
    make_index(client, name, "HNSW", "L2", {"M": 8, "efConstruction": 40})
    client.load_collection(name)
    group = np.arange(ROWS) % 100
    asked, held_out = clustered(100, seed=4), clustered(200, seed=5)
    target = {"recall_target": 0.95}

    def told(**options):
        params = {"params": target}
        found = client.search(
            name, asked.tolist(), limit=LIMIT, anns_field="v", search_params=params, **options
        )
        same(len(found.recalls), len(asked))
        return found.recalls[0]

    same(told(), 1)
    deadline = time.monotonic() + BUILD_SECONDS_MAX
    while told() == 1:
        assert time.monotonic() < deadline, "nothing is calibrated"
        time.sleep(0.1)
    assert told() >= 0.95
    reaches(client, name, 0.94, "L2", target, asked=held_out)
    for share in (50, 10):
        for _ in range(10):
            told(filter=f"group < {share}")
            time.sleep(0.1)
        options = {"allowed": group < share, "filter": f"group < {share}"}
        reaches(client, name, 0.94, "L2", target, asked=held_out, **options)
    client.alter_collection_properties(name, {"elanus.recall_target": "0.9"})
    reaches(client, name, 0.89, "L2", {}, asked=held_out)


@case("an index of few rows is finished at once, and exact")
def few_rows(client, name):
    collection(client, name, vectors=VECTORS[:3000])
    same(make_index(client, name, "HNSW", "COSINE", GRAPH), [1.0])
    client.load_collection(name)
    same(recall(client, name, "COSINE", {"ef": 10}, vectors=VECTORS[:3000]), 1.0)


run_cases()
