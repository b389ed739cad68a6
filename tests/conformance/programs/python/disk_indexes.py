"""DISKANN and AISAQ over enough rows that they are built, from memory and from their files."""

import time

import ml_dtypes
import numpy as np
from cases import case, fails, run_cases, same
from indexed_rows import (
    ASKED,
    QUERIES,
    ROWS,
    VECTORS,
    clustered,
    collection,
    drop_index,
    make_index,
    nearest,
    reaches,
)

BUILD = {"max_degree": 32, "search_list_size": 100}
MOVE_SECONDS = 10


@case("DISKANN is built over rows that are there, searched, filtered and dropped")
def built(client, name):
    collection(client, name)
    group = np.arange(ROWS) % 100
    for metric in ("L2", "COSINE", "IP"):
        make_index(client, name, "DISKANN", metric, BUILD)
        same(client.describe_index(name, "v")["index_type"], "DISKANN")
        client.load_collection(name)
        search = {"search_list": 100}
        reaches(client, name, 0.95, metric, search)
        for share in (50, 10, 1):
            options = {"allowed": group < share, "filter": f"group < {share}"}
            reaches(client, name, 0.93, metric, search, **options)
        drop_index(client, name)


@case("DISKANN finds from its file what it found before")
def from_file(client, name):
    collection(client, name)
    make_index(client, name, "DISKANN", "L2", BUILD)
    client.load_collection(name)
    client.flush(name)
    # While searches go on the index moves to its file.
    end = time.monotonic() + MOVE_SECONDS
    while time.monotonic() < end:
        reaches(client, name, 0.95, "L2", {"search_list": 100})
        time.sleep(0.5)
    query = ASKED[0]
    best = np.argsort(nearest("L2", VECTORS, query))
    client.delete(name, ids=[int(best[0])])
    found = client.search(name, [query.tolist()], limit=3, search_params={"params": {"search_list": 50}})[0]
    same([hit["id"] for hit in found], [int(i) for i in best[1:4]])
    bound = float(np.sort(nearest("L2", VECTORS, query))[40])
    near = client.search(name, [query.tolist()], limit=100, search_params={"params": {"radius": bound}})[0]
    assert len(near) >= 38 and all(hit["distance"] < bound for hit in near), len(near)
    scores = np.sort(np.delete(nearest("L2", VECTORS, query), best[0]))
    ring = {"params": {"radius": float(scores[60]), "range_filter": float(scores[20])}}
    same(len(client.search(name, [query.tolist()], limit=100, search_params=ring)[0]), 40)
    pages = client.search_iterator(name, [query.tolist()], batch_size=50, limit=200, anns_field="v")
    seen = []
    while page := pages.next():
        seen += [hit.distance for hit in page]
    pages.close()
    same(len(seen), 200)
    np.testing.assert_allclose(seen, scores[:200], rtol=1e-4)


@case("DISKANN keeps shorter vectors, and AISAQ is served by the same graph")
def other_kinds(client, name):
    vectors, asked = (clustered(count, seed, 128).astype(np.float16) for count, seed in ((ROWS, 2), (QUERIES, 3)))
    collection(client, name, "FLOAT16_VECTOR", vectors)
    make_index(client, name, "DISKANN", "COSINE", BUILD)
    client.load_collection(name)
    # Short numbers have ties, at which the last rows may be others.
    reaches(client, name, 0.93, "COSINE", {"search_list": 100}, vectors=vectors, asked=asked)
    # Old clients remember the schema of a name.
    other = f"{name}_other"
    vectors, asked = (array.astype(ml_dtypes.bfloat16) for array in (vectors, asked))
    collection(client, other, "BFLOAT16_VECTOR", vectors)
    make_index(client, other, "AISAQ", "L2", {**BUILD, "inline_pq": -1, "rearrange": True, "num_entry_points": 100})
    described = client.describe_index(other, "v")
    same((described["index_type"], described["num_entry_points"]), ("AISAQ", "100"))
    client.load_collection(other)
    search = {"search_list": 100, "beamwidth": 2, "vectors_beamwidth": 1}
    reaches(client, other, 0.9, "L2", search, vectors=vectors, asked=asked)
    few = {"allowed": np.arange(ROWS) % 100 < 10, "filter": "group < 10"}
    reaches(client, other, 0.9, "L2", search, vectors=vectors, asked=asked, **few)
    drop_index(client, other)
    client.drop_collection(other)


@case("what DISKANN and AISAQ cannot be is refused")
def refusals(client, name):
    collection(client, name, vectors=VECTORS[:100])

    def making(index_type="DISKANN", **build):
        index = client.prepare_index_params()
        index.add_index("v", index_type=index_type, metric_type="L2", params=build)
        return lambda: client.create_index(name, index)

    fails(
        making(max_degree=0), 1100, "Out of range in json: param 'max_degree' (0) should be in range [1, 2048]"
    )
    fails(making(search_list_size="many"), 1100, "invalid integer value, key: 'search_list_size', value: 'many'")
    fails(
        making("AISAQ", inline_pq=-2), 1100, "Out of range in json: param 'inline_pq' (-2) should be in range [-1, 2048]"
    )
    fails(
        making("AISAQ", num_entry_points=1001),
        1100,
        "Out of range in json: param 'num_entry_points' (1001) should be in range [0, 1000]",
    )
    making(**BUILD)()
    client.load_collection(name)
    search = {"params": {"search_list": 5}}
    fails(
        lambda: client.search(name, [ASKED[0].tolist()], limit=10, search_params=search),
        text="search_list_size(5) should be larger than k(10)",
    )


run_cases()
