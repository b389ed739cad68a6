"""Indexes of lists, the IVF family and SCANN, over enough rows that they are built: their recall, their filters, their end."""

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

LISTS = {"nlist": 128}
REFINED = {**LISTS, "refine": True}

# The type, its parameters, those of a search, the recall to be reached.
TYPES = [
    ("IVF_FLAT", LISTS, {"nprobe": 16}, 0.97),
    ("IVF_SQ8", LISTS, {"nprobe": 16}, 0.9),
    ("IVF_SQ8", {**REFINED, "refine_type": "FP16", "sq_type": "SQ6"}, {"nprobe": 16, "refine_k": 2}, 0.95),
    ("IVF_PQ", {**LISTS, "m": 16, "nbits": 8}, {"nprobe": 16}, 0.4),
    ("IVF_PQ", {**REFINED, "refine_type": "SQ8", "m": 16, "nbits": 8}, {"nprobe": 16, "refine_k": 5}, 0.85),
    ("IVF_PQ", {**REFINED, "m": 32, "nbits": 4}, {"nprobe": 16, "refine_k": 8}, 0.85),
    ("IVF_RABITQ", LISTS, {"nprobe": 16, "rbq_bits_query": 6}, 0.2),
    ("IVF_RABITQ", {**REFINED, "refine_type": "FLAT"}, {"nprobe": 16, "refine_k": 10}, 0.85),
    ("IVF_RABITQ_FASTSCAN", {**REFINED, "refine_type": "FLAT"}, {"nprobe": 16, "refine_k": 10}, 0.85),
    ("SCANN", LISTS, {"nprobe": 16, "reorder_k": 100}, 0.85),
    ("SCANN", {**LISTS, "with_raw_data": False, "sub_dim": 4}, {"nprobe": 16}, 0.2),
]

# Kinds of vectors of fewer bytes, with more dimensions: as many bytes as are worth an index.
# Short numbers have ties, at which the last rows may be others.
FLAT = ("IVF_FLAT", LISTS, {"nprobe": 16}, 0.93)
OTHER_KINDS = [
    (
        "FLOAT16_VECTOR",
        np.float16,
        [FLAT, ("IVF_SQ8", LISTS, {"nprobe": 16}, 0.88), ("SCANN", LISTS, {"nprobe": 16, "reorder_k": 100}, 0.85)],
    ),
    (
        "BFLOAT16_VECTOR",
        ml_dtypes.bfloat16,
        [
            FLAT,
            ("IVF_PQ", {**REFINED, "m": 32, "nbits": 4}, {"nprobe": 16, "refine_k": 8}, 0.85),
            ("IVF_RABITQ", {**REFINED, "refine_type": "FLAT"}, {"nprobe": 16, "refine_k": 10}, 0.85),
        ],
    ),
]


@case("every type of index of lists is built over rows that are there, searched, and dropped")
def every_type(client, name):
    collection(client, name)
    group = np.arange(ROWS) % 100
    for index_type, build, search, wanted in TYPES:
        make_index(client, name, index_type, "L2", build)
        described = client.describe_index(name, "v")
        same(described["index_type"], index_type)
        same(described["nlist"], "128")
        client.load_collection(name)
        reaches(client, name, wanted, "L2", search)
        for share in (50, 10):
            options = {"allowed": group < share, "filter": f"group < {share}"}
            reaches(client, name, wanted - 0.05, "L2", {**search, "nprobe": 128}, **options)
        drop_index(client, name)


@case("inner product and cosine have lists, too")
def other_metrics(client, name):
    collection(client, name)
    for metric in ("IP", "COSINE"):
        for index_type, search in (("IVF_FLAT", {"nprobe": 32}), ("SCANN", {"nprobe": 32, "reorder_k": 100})):
            make_index(client, name, index_type, metric, LISTS)
            client.load_collection(name)
            reaches(client, name, 0.9, metric, search)
            drop_index(client, name)


def register(kind, dtype, types):
    @case(f"lists over {kind}", "2.4")
    def other_kind(client, name):
        vectors, asked = (clustered(count, seed, 128).astype(dtype) for count, seed in ((ROWS, 2), (QUERIES, 3)))
        collection(client, name, kind, vectors)
        for index_type, build, search, wanted in types:
            make_index(client, name, index_type, "L2", build)
            client.load_collection(name)
            reaches(client, name, wanted, "L2", search, vectors=vectors, asked=asked)
            drop_index(client, name)


for kind, dtype, types in OTHER_KINDS:
    register(kind, dtype, types)


@case("more lists find more, and a filter goes on to further lists until there are enough")
def probes(client, name):
    collection(client, name)
    make_index(client, name, "IVF_FLAT", "L2", LISTS)
    client.load_collection(name)
    query = [ASKED[3].tolist()]
    wanted = set(np.argsort(nearest("L2", VECTORS, ASKED[3]))[:100].tolist())

    def found(**search):
        # So many rows that they are not just compared one by one.
        options = {"filter": "group < 10"} if search.pop("filtered", False) else {}
        hits = client.search(name, query, limit=100, search_params={"params": search}, **options)[0]
        return {hit["id"] for hit in hits}

    shares = [len(found(nprobe=count) & wanted) for count in (1, 4, 128)]
    same(shares, sorted(shares))
    assert shares[2] >= 99 and shares[0] < shares[2], shares
    same(len(found(nprobe=1, filtered=True)), 100)
    assert len(found(nprobe=1, filtered=True, ensure_topk_full=False)) < 100


@case("a radius keeps what is near, and rows beyond a bound come out whole")
def ranges(client, name):
    collection(client, name)
    make_index(client, name, "IVF_SQ8", "L2", LISTS)
    client.load_collection(name)
    scores = nearest("L2", VECTORS, ASKED[1])
    inner, outer = (float(x) for x in np.sort(scores)[[200, 600]])
    query = [ASKED[1].tolist()]
    near = client.search(name, query, limit=100, search_params={"params": {"radius": inner, "nprobe": 16}})[0]
    same(len(near), 100)
    assert all(hit["distance"] < inner for hit in near)
    bound = {"radius": outer, "range_filter": inner}
    ring = client.search(name, query, limit=1000, search_params={"params": bound})[0]
    assert abs(len(ring) - 400) <= 2, len(ring)


@case("the pages of an iterator follow each other without a gap")
def iterator(client, name):
    collection(client, name)
    make_index(client, name, "SCANN", "L2", LISTS)
    client.load_collection(name)
    search = {"metric_type": "L2", "params": {"nprobe": 16}}
    query = [ASKED[2].tolist()]
    pages = client.search_iterator(name, query, batch_size=200, limit=1000, anns_field="v", search_params=search)
    ids = []
    while page := pages.next():
        ids += [hit.id for hit in page]
    pages.close()
    same(len(set(ids)), 1000)
    wanted = set(np.argsort(nearest("L2", VECTORS, ASKED[2]))[:990].tolist())
    assert wanted <= set(ids), sorted(wanted - set(ids))


@case("parameters out of their ranges are refused in the words of Milvus")
def mistakes(client, name):
    collection(client, name, vectors=VECTORS[:100])

    def build(index_type, **params):
        index = client.prepare_index_params()
        index.add_index("v", index_type=index_type, metric_type="L2", params=params)
        return lambda: client.create_index(name, index)

    fails(build("IVF_FLAT", nlist=0), 1100, "Out of range in json: param 'nlist' (0) should be in range [1, 65536]")
    fails(build("IVF_PQ", nlist=8), 1100, "param 'm' not exist in json")
    fails(build("IVF_PQ", m=7), 1100, "The dimension of the vector (dim) should be a multiple of")
    fails(build("IVF_RABITQ", rbq_bits=10), 1100, "Out of range in json: param 'rbq_bits' (10)")
    fails(build("IVF_SQ8", refine=True, refine_type="SQ5"), 1100, "invalid refine type : SQ5")
    build("SCANN", nlist=8)()
    client.load_collection(name)

    def search(**params):
        sent = [ASKED[0].tolist()]
        return lambda: client.search(name, sent, limit=10, search_params={"params": params})

    fails(search(nprobe=0), 1100, "Out of range in json: param 'nprobe' (0) should be in range [1, 65536]")
    fails(search(reorder_k=9), 1100, "reorder_k(9) should be larger than k(10)")
    same(len(search(nprobe=8, reorder_k=10)()[0]), 10)


run_cases()
