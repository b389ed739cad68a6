"""Hybrid search and reranking, compared with the same sums worked out here."""

import math

import numpy as np
import pymilvus
from cases import case, fails, run_cases, same
from pymilvus import AnnSearchRequest, DataType, MilvusClient, RRFRanker, WeightedRanker

NEWEST = pymilvus.__version__.startswith("3.")
ROWS = 300
DIM = 8
random = np.random.default_rng(7)
DENSE = random.standard_normal((ROWS, DIM)).astype(np.float32)
OTHER = random.standard_normal((ROWS, DIM)).astype(np.float32)
BITS = random.integers(0, 2, (ROWS, 16))
SPARSE = [
    {int(i): float(np.float32(v)) for i, v in zip(random.choice(40, 6, replace=False), random.random(6))}
    for _ in range(ROWS)
]
QUERY = random.standard_normal(DIM).astype(np.float32)
OTHER_QUERY = random.standard_normal(DIM).astype(np.float32)
BITS_QUERY = random.integers(0, 2, 16)
SPARSE_QUERY = {int(i): float(np.float32(random.random())) for i in range(0, 40, 3)}
DAYS = [int(n * 7 % 100) if n % 11 else None for n in range(ROWS)]


def library(client: MilvusClient, name):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("bits", DataType.BINARY_VECTOR, dim=16)
    schema.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("shelf", DataType.VARCHAR, max_length=8)
    schema.add_field("day", DataType.INT32, nullable=True)
    index = client.prepare_index_params()
    index.add_index("dense", index_type="FLAT", metric_type="COSINE")
    index.add_index("other", index_type="FLAT", metric_type="L2")
    index.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
    index.add_index("sparse", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [row(n) for n in range(ROWS)])


def row(n):
    return {
        "id": n,
        "dense": DENSE[n].tolist(),
        "other": OTHER[n].tolist(),
        "bits": np.packbits(BITS[n]).tobytes(),
        "sparse": SPARSE[n],
        "shelf": f"s{n % 7}",
        "day": DAYS[n],
        "pages": n * 3,
    }


def score_of(field, n):
    if field == "dense":
        return float(DENSE[n] @ QUERY / np.linalg.norm(DENSE[n]) / np.linalg.norm(QUERY))
    if field == "other":
        return float(((OTHER[n] - OTHER_QUERY) ** 2).sum())
    if field == "bits":
        return float((BITS[n] != BITS_QUERY).sum())
    return sum(v * SPARSE_QUERY.get(i, 0.0) for i, v in SPARSE[n].items())


METRICS = {"dense": "COSINE", "other": "L2", "bits": "HAMMING", "sparse": "IP"}
DISTANCES = ("other", "bits")
DATA = {
    "dense": [QUERY.tolist()],
    "other": [OTHER_QUERY.tolist()],
    "bits": [np.packbits(BITS_QUERY).tobytes()],
    "sparse": [SPARSE_QUERY],
}


def leg(field, limit=20, expr=None, **params):
    return AnnSearchRequest(
        data=DATA[field],
        anns_field=field,
        param={"metric_type": METRICS[field], "params": params},
        limit=limit,
        expr=expr,
    )


def best(field, limit=20, keep=lambda n: True):
    """(id, score) of the best rows, ties by id."""
    sign = 1 if field in DISTANCES else -1
    rows = [(n, score_of(field, n)) for n in range(ROWS) if keep(n)]
    if field == "sparse":
        rows = [(n, score) for n, score in rows if set(SPARSE[n]) & set(SPARSE_QUERY)]
    return sorted(rows, key=lambda hit: (sign * round(hit[1], 5), hit[0]))[:limit]


def normalised(field, score):
    if field == "dense":
        return (1 + score) / 2
    if field == "sparse":
        return 0.5 + math.atan(score) / math.pi
    return 1 - 2 * math.atan(score) / math.pi


def fused(parts, limit, falling=True):
    total = {}
    for part in parts:
        for n, score in part:
            total[n] = total.get(n, 0.0) + score
    order = sorted(total.items(), key=lambda hit: (-hit[1] if falling else hit[1], hit[0]))
    return order[:limit]


def check(hits, wanted, tolerance=2e-5):
    got = [(hit["id"], hit["distance"]) for hit in hits]
    same(len(got), len(wanted))
    for place, ((_, a), (_, b)) in enumerate(zip(got, wanted)):
        assert abs(a - b) < tolerance, f"score {place}: {a} instead of {b}"
    # Rows whose scores are the same but for rounding may change places.
    for place, (n, a) in enumerate(got):
        near = {m for m, b in wanted if abs(a - b) < tolerance} | {m for m, _ in wanted[-1:]}
        assert n in near or abs(a - wanted[-1][1]) < tolerance, f"row {n} at {place}: {got} not {wanted}"


def reciprocal(hits, k=60):
    return [(n, 1 / (k + rank)) for rank, (n, _) in enumerate(hits, 1)]


@case("reciprocal rank fusion adds up places")
def rrf(client, name):
    library(client, name)
    for k in (60, 1, 100.5):
        [hits] = client.hybrid_search(name, [leg("dense"), leg("sparse")], RRFRanker(k), limit=15)
        check(hits, fused([reciprocal(best("dense"), k), reciprocal(best("sparse"), k)], 15))


@case("legs of every kind have their own filters and limits")
def legs(client, name):
    library(client, name)
    requests = [
        leg("dense", 10, "id < 200"),
        leg("other", 25, 'shelf in ["s1", "s2"]'),
        leg("bits", 5),
        leg("sparse", 30, "pages > 300"),
    ]
    parts = [
        best("dense", 10, lambda n: n < 200),
        best("other", 25, lambda n: n % 7 in (1, 2)),
        best("bits", 5),
        best("sparse", 30, lambda n: n * 3 > 300),
    ]
    [hits] = client.hybrid_search(name, requests, RRFRanker(), limit=50)
    check(hits, fused([reciprocal(part) for part in parts], 50))


@case("weights count scores that are brought to the same scale")
def weighted(client, name):
    library(client, name)
    fields = ["dense", "other", "bits", "sparse"]
    weights = [0.7, 0.2, 0.05, 1.0]
    requests = [leg(field) for field in fields]
    parts = [
        [(n, weight * normalised(field, score)) for n, score in best(field)]
        for field, weight in zip(fields, weights)
    ]
    [hits] = client.hybrid_search(name, requests, WeightedRanker(*weights, norm_score=True), limit=20)
    check(hits, fused(parts, 20))


@case("weights without normalisation keep scores, and distances among themselves stay distances")
def raw_weights(client, name):
    library(client, name)
    parts = [
        [(n, 0.5 * score) for n, score in best("dense")],
        [(n, 0.5 * normalised("other", score)) for n, score in best("other")],
    ]
    ranker = WeightedRanker(0.5, 0.5, norm_score=False)
    [hits] = client.hybrid_search(name, [leg("dense"), leg("other")], ranker, limit=12)
    check(hits, fused(parts, 12))
    everything = ROWS
    parts = [
        [(n, 0.5 * score) for n, score in best("other", everything)],
        [(n, 0.25 * score) for n, score in best("bits", everything)],
    ]
    ranker = WeightedRanker(0.5, 0.25, norm_score=False)
    requests = [leg("other", everything), leg("bits", everything)]
    [hits] = client.hybrid_search(name, requests, ranker, limit=12)
    check(hits, fused(parts, 12, falling=False))


@case("offset, limit, output fields and rounding are of the fused list")
def pages(client, name):
    library(client, name)
    requests = [leg("dense"), leg("sparse")]
    options = {"ranker": RRFRanker(), "output_fields": ["shelf", "pages", "id"]}
    [whole] = client.hybrid_search(name, requests, limit=20, **options)
    [page] = client.hybrid_search(name, requests, limit=5, offset=10, **options)
    same([hit["id"] for hit in page], [hit["id"] for hit in whole][10:15])
    for hit in page:
        n = hit["id"]
        same(dict(hit["entity"]), {"shelf": f"s{n % 7}", "pages": n * 3, "id": n})
    [rounded] = client.hybrid_search(name, requests, limit=5, round_decimal=2, ranker=RRFRanker(1))
    [exact] = client.hybrid_search(name, requests, limit=5, ranker=RRFRanker(1))
    for a, b in zip(rounded, exact):
        assert abs(a["distance"] - math.floor(b["distance"] * 100 + 0.5) / 100) < 1e-6


@case("several queries are fused one by one")
def several(client, name):
    library(client, name)
    both = [QUERY.tolist(), (-QUERY).tolist()]
    dense = AnnSearchRequest(both, "dense", {"metric_type": "COSINE"}, limit=10)
    other = AnnSearchRequest([OTHER_QUERY.tolist()] * 2, "other", {"metric_type": "L2"}, limit=10)
    answers = client.hybrid_search(name, [dense, other], RRFRanker(), limit=8)
    same(len(answers), 2)
    check(answers[0], fused([reciprocal(best("dense", 10)), reciprocal(best("other", 10))], 8))


@case("$leg_scores and $leg_ranks say how a score came about", since="3.0")
def explained(client, name):
    library(client, name)
    requests = [leg("dense", 10), leg("other", 10), leg("sparse", 10)]
    fields = ["$leg_scores", "$leg_ranks", "shelf"]
    decays = [
        decay_function("gauss", origin=30, scale=15, decay=0.4, score_mode=mode, norm_score=norm)
        for mode in ("max", "sum", "avg")
        for norm in ("true", "false")
    ]
    weights = [WeightedRanker(0.5, 0.3, 0.9, norm_score=norm) for norm in (True, False)]
    for ranker in (RRFRanker(), *weights, *decays):
        [hits] = client.hybrid_search(name, requests, ranker, limit=30, output_fields=fields)
        assert len(hits) > 10
        for hit in hits:
            scores, ranks = hit["entity"]["$leg_scores"], hit["entity"]["$leg_ranks"]
            same([part["anns_field"] for part in scores], ["dense", "other", "sparse"])
            parts = [part["normalised"] * part["weight"] for part in scores if part["raw"] is not None]
            same(np.float32(sum(parts)), np.float32(hit["distance"]))
            same([rank is None for rank in ranks], [part["raw"] is None for part in scores])
            for rank, field in zip(ranks, ("dense", "other", "sparse")):
                if rank is not None:
                    same(best(field, 10)[rank - 1][0], hit["id"])


@case("hits of a hybrid search come in groups", since="2.5")
def groups(client, name):
    library(client, name)
    requests = [leg("dense", 30), leg("other", 30)]
    [hits] = client.hybrid_search(
        name, requests, RRFRanker(), limit=4, group_by_field="shelf", group_size=2, output_fields=["shelf"]
    )
    shelves = [hit["entity"]["shelf"] for hit in hits]
    order = list(dict.fromkeys(shelves))
    same(len(order), 4)
    assert all(shelves.count(shelf) <= 2 for shelf in order), shelves
    same(shelves, [shelf for shelf in order for _ in range(shelves.count(shelf))])
    firsts = [hits[shelves.index(shelf)]["distance"] for shelf in order]
    same(firsts, sorted(firsts, reverse=True))


def decay_function(curve, **params):
    from pymilvus import Function, FunctionType

    return Function(
        name="fresh",
        function_type=FunctionType.RERANK,
        input_field_names=["day"],
        params={"reranker": "decay", "function": curve, **params},
    )


def factor(curve, day, origin, scale, offset, decay):
    if day is None:
        return 0.0
    x = max(0, abs(day - origin) - offset)
    if curve == "gauss":
        return math.exp(x * x * math.log(decay) / scale**2)
    if curve == "exp":
        return math.exp(x * math.log(decay) / scale)
    return max(decay, 1 - (1 - decay) * x / scale)


@case("scores decay with the distance from an origin", since="2.6")
def decay(client, name):
    library(client, name)
    for curve in ("gauss", "exp", "linear"):
        function = decay_function(curve, origin=40, scale=20, offset=5, decay=0.3)
        [hits] = client.search(name, DATA["dense"], anns_field="dense", limit=40, ranker=function)
        wanted = [
            (n, score * factor(curve, DAYS[n], 40, 20, 5, 0.3)) for n, score in best("dense", 40)
        ]
        check(hits, sorted(wanted, key=lambda hit: (-hit[1], hit[0])))
        [hits] = client.search(name, DATA["other"], anns_field="other", limit=40, ranker=function)
        wanted = [
            (n, normalised("other", score) * factor(curve, DAYS[n], 40, 20, 5, 0.3))
            for n, score in best("other", 40)
        ]
        check(hits, sorted(wanted, key=lambda hit: (-hit[1], hit[0])))


@case("scores of a hybrid search decay", since="2.6")
def hybrid_decay(client, name):
    library(client, name)
    requests = [leg("dense"), leg("sparse")]
    for mode, together in (("max", max), ("sum", sum), ("avg", lambda s: sum(s) / len(s))):
        function = decay_function(
            "exp", origin=10, scale=30, offset=0, decay=0.5, score_mode=mode, norm_score="true"
        )
        [hits] = client.hybrid_search(name, requests, function, limit=15)
        scores = {}
        for field in ("dense", "sparse"):
            for n, score in best(field):
                scores.setdefault(n, []).append(normalised(field, score))
        wanted = [(n, together(s) * factor("exp", DAYS[n], 10, 30, 0, 0.5)) for n, s in scores.items()]
        check(hits, sorted(wanted, key=lambda hit: (-hit[1], hit[0]))[:15])


@case("boosts change the scores of the rows they name", since="2.6")
def boost(client, name):
    from pymilvus import Function, FunctionScore, FunctionType

    library(client, name)

    def boosting(**params):
        return Function(
            name="b",
            function_type=FunctionType.RERANK,
            input_field_names=[],
            params={"reranker": "boost", **params},
        )

    candidates = best("dense", 20)
    [hits] = client.search(
        name,
        DATA["dense"],
        anns_field="dense",
        limit=20,
        ranker=boosting(filter='shelf == "s3"', weight=0.5),
    )
    wanted = [(n, score * (0.5 if n % 7 == 3 else 1)) for n, score in candidates]
    check(hits, sorted(wanted, key=lambda hit: (-hit[1], hit[0])))
    score = FunctionScore(
        functions=[boosting(filter="id % 2 == 0", weight=2.0), boosting(weight=0.25)],
        params={"boost_mode": "Sum", "function_mode": "Sum"},
    )
    [hits] = client.search(name, DATA["dense"], anns_field="dense", limit=20, ranker=score)
    wanted = [(n, s + 0.25 + (2 if n % 2 == 0 else 0)) for n, s in candidates]
    check(hits, sorted(wanted, key=lambda hit: (-hit[1], hit[0])))
    lucky = boosting(weight=1.5, random_score={"seed": 126, "field": "id"})
    [first] = client.search(name, DATA["dense"], anns_field="dense", limit=20, ranker=lucky)
    [again] = client.search(name, DATA["dense"], anns_field="dense", limit=20, ranker=lucky)
    same([hit["id"] for hit in first], [hit["id"] for hit in again])
    assert [hit["id"] for hit in first] != [n for n, _ in candidates], "luck changes the order"


@case("a leg may be a text, and updates of texts and searches by keys know it", since="2.5")
def texts(client, name):
    from pymilvus import Function, FunctionType

    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=64, enable_analyzer=True)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    count = {"input_field_names": ["text"], "output_field_names": ["words"]}
    schema.add_function(Function(name="count", function_type=FunctionType.BM25, **count))
    index = client.prepare_index_params()
    index.add_index("words", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25")
    index.add_index("v", index_type="FLAT", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    words = ["whale", "kite", "sea", "sky"]
    client.insert(
        name,
        [
            {"id": n, "text": f"a {words[n % 4]} and a {words[n % 3]} {n}", "v": [1.0, n / 10]}
            for n in range(40)
        ],
    )
    [by_words] = client.search(name, ["whale sea 7"], anns_field="words", limit=10)
    [by_meaning] = client.search(name, [[1.0, 0.0]], anns_field="v", limit=10)
    parts = [reciprocal([(hit["id"], 0) for hit in hits]) for hits in (by_words, by_meaning)]
    legs = [
        AnnSearchRequest(["whale sea 7"], "words", {"metric_type": "BM25"}, limit=10),
        AnnSearchRequest([[1.0, 0.0]], "v", {"metric_type": "COSINE"}, limit=10),
    ]
    [hits] = client.hybrid_search(name, legs, RRFRanker(), limit=20)
    check(hits, fused(parts, 20))
    if NEWEST:
        [like] = client.search(name, ids=[7], anns_field="words", limit=1)
        same([hit["id"] for hit in like], [7])
        client.upsert(name, [{"id": 3, "text": "an albatross"}], partial_update=True)
        [found] = client.search(name, ["albatross"], anns_field="words", limit=5)
        same([hit["id"] for hit in found], [3])


@case("what makes no hybrid search is told")
def wrong(client, name):
    library(client, name)
    fails(
        lambda: client.hybrid_search(name, [leg("dense"), leg("other")], WeightedRanker(0.5), limit=5),
        1100,
        "the length of weights param mismatch with ann search requests",
    )
    fails(
        lambda: client.hybrid_search(name, [leg("dense"), leg("other")], RRFRanker(), limit=16385),
        1100,
        "limit [16385] is invalid",
    )
    fails(
        lambda: client.hybrid_search(name, [leg("dense", expr="nothing ==")], RRFRanker(), limit=5),
        1100,
        "failed to create query plan",
    )


run_cases()
