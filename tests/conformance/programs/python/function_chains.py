"""Chains of functions that rank hits again, compared with the same sums worked out here."""

import math

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import DataType
from pymilvus.function_chain import FunctionChain, FunctionChainStage, col, fn

ROWS = 60
random = np.random.default_rng(5)
VECTORS = random.standard_normal((ROWS, 4)).astype(np.float32)
QUERY = random.standard_normal(4).astype(np.float32)
POPULARITY = [float(np.float32(random.random())) for _ in range(ROWS)]
YEARS = [1900 + n if n % 6 else None for n in range(ROWS)]


def filled(client, name):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
    schema.add_field("popularity", DataType.FLOAT)
    schema.add_field("year", DataType.INT32, nullable=True)
    schema.add_field("title", DataType.VARCHAR, max_length=20)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    rows = [
        {"id": n, "vector": VECTORS[n], "popularity": POPULARITY[n], "year": YEARS[n], "title": f"t{n % 7}"}
        for n in range(ROWS)
    ]
    client.insert(name, rows)


def chain():
    return FunctionChain(FunctionChainStage.L2_RERANK, name="test")


def search(client, name, chains, limit=ROWS, data=None, **options):
    return client.search(name, data or [QUERY], anns_field="vector", limit=limit, function_chains=chains, **options)


def scores():
    return {n: float(VECTORS[n] @ QUERY) for n in range(ROWS)}


def found(limit):
    """The nearest rows, best first: what a chain begins with."""
    values = scores()
    return sorted(values, key=lambda n: (-values[n], n))[:limit]


def alike(hits, wanted):
    same([hit["id"] for hit in hits], [key for key, _ in wanted])
    for hit, (_, value) in zip(hits, wanted):
        assert abs(hit["distance"] - value) < 1e-4 * max(1, abs(value)), f"{hit['distance']} is not {value}"


@case("numbers are combined in every mode", since="3.0")
def combined(client, name):
    filled(client, name)
    modes = {
        "sum": lambda a, b: a + b,
        "multiply": lambda a, b: a * b,
        "max": max,
        "min": min,
        "avg": lambda a, b: (a + b) / 2,
    }
    values = scores()
    for mode, combine in modes.items():
        made = chain().map("$score", fn.num_combine(col("$score"), col("popularity"), mode=mode))
        [hits] = search(client, name, made.sort(col("$score"), desc=True, tie_break_col=col("$id")))
        total = {n: combine(values[n], POPULARITY[n]) for n in range(ROWS)}
        alike(hits, [(n, total[n]) for n in [hit["id"] for hit in hits]])
        same([hit["distance"] for hit in hits], sorted((hit["distance"] for hit in hits), reverse=True))
    weighted = fn.num_combine(col("$score"), col("popularity"), mode="weighted", weights=[0.25, 3.0])
    [hits] = search(client, name, chain().map("$score", weighted).sort("$score"), limit=10)
    total = {n: 0.25 * values[n] + 3 * POPULARITY[n] for n in found(10)}
    alike(hits, sorted(total.items(), key=lambda each: -each[1]))


@case("a column falls with the distance from where it should be, and nulls stay nulls", since="3.0")
def decayed(client, name):
    filled(client, name)
    made = (
        chain()
        .map("fresh", fn.decay(col("year"), function="gauss", origin=1930, scale=10, offset=2, decay=0.4))
        .map("$score", fn.num_combine(col("$score"), col("fresh"), mode="sum"))
        .sort("$score", desc=True)
    )
    [hits] = search(client, name, made)
    values = scores()

    def factor(year):
        return math.exp(max(0, abs(year - 1930) - 2) ** 2 * math.log(0.4) / 100)

    total = {n: values[n] + factor(YEARS[n]) for n in range(ROWS) if YEARS[n] is not None}
    known = sorted(total.items(), key=lambda each: (-each[1], each[0]))
    alike(hits[: len(known)], known)
    same({hit["id"]: hit["distance"] for hit in hits[len(known) :]}, {n: 0.0 for n in range(0, ROWS, 6)})


@case("scores are rounded, sorted by fields, and cut", since="3.0")
def steps(client, name):
    filled(client, name)
    made = chain().map("$score", fn.round_decimal(col("$score"), decimal=1)).sort("$score", desc=True)
    [hits] = search(client, name, made, limit=20)
    values = {n: math.floor(np.float32(VECTORS[n] @ QUERY) * 10 + 0.5) / 10 for n in found(20)}
    alike(hits, sorted(values.items(), key=lambda each: (-each[1], each[0])))
    [hits] = search(client, name, chain().sort("title", desc=False, tie_break_col="$id").limit(5, offset=2), limit=30)
    same([hit["id"] for hit in hits], sorted(found(30), key=lambda n: (n % 7, n))[2:7])
    [hits] = search(client, name, chain().sort("year", desc=True), limit=6, offset=4)
    wanted = sorted(found(10), key=lambda n: (-(YEARS[n] or 0), n))[4:]
    same([hit["id"] for hit in hits], wanted)


@case("without a sort the order stays, and each query has its own", since="3.0")
def several(client, name):
    filled(client, name)
    made = chain().map("$score", fn.num_combine(col("popularity"), col("popularity"), mode="avg"))
    [hits] = search(client, name, made, limit=8)
    alike(hits, [(n, POPULARITY[n]) for n in found(8)])
    answers = search(client, name, chain().sort("popularity").limit(2), limit=5, data=[QUERY, -QUERY])
    worst = sorted(range(ROWS), key=lambda n: (float(VECTORS[n] @ QUERY), n))[:5]
    for hits, rows in zip(answers, (found(5), worst)):
        same([hit["id"] for hit in hits], sorted(rows, key=lambda n: -POPULARITY[n])[:2])


def chain_of(stage, output="$score", **weights):
    """A sum of the score and fields."""
    inputs = [col("$score")] + [col(name) for name in weights]
    total = fn.num_combine(*inputs, mode="weighted", weights=[1.0, *weights.values()])
    return FunctionChain(stage).map(output, total)


@case("segments and nodes have their turn before all hits are together, and leave the best first", since="3.0")
def stages(client, name):
    filled(client, name)
    values = scores()
    ids = {n: n for n in range(ROWS)}
    by_segment = chain_of(FunctionChainStage.L0_RERANK, popularity=2.0)
    total = {n: values[n] + 2 * POPULARITY[n] for n in found(20)}
    alike(search(client, name, by_segment, limit=20)[0], sorted(total.items(), key=lambda each: (-each[1], each[0])))
    aside = chain_of(FunctionChainStage.L0_RERANK, "aside", popularity=2.0)
    alike(search(client, name, aside, limit=20)[0], [(n, values[n]) for n in found(20)])

    by_node = chain_of(FunctionChainStage.L1_RERANK, popularity=1.0).sort("$id", desc=True).limit(8)
    kept = sorted(found(20), key=lambda n: -ids[n])[:8]
    total = {n: values[n] + POPULARITY[n] for n in kept}
    alike(search(client, name, by_node, limit=20)[0], sorted(total.items(), key=lambda each: (-each[1], each[0])))

    at_last = chain().map("$score", fn.num_combine(col("$score"), col("$id"), mode="sum")).sort("$id", desc=False)
    total = {n: values[n] + 3 * POPULARITY[n] + n for n in kept}
    # Whatever their order in the request.
    alike(search(client, name, [at_last, by_node, by_segment], limit=20)[0], sorted(total.items()))
    [hits] = search(client, name, [by_segment, by_node], limit=5, offset=15)
    same(len(hits), 0)


@case("distances are negative where segments and nodes rank them", since="3.0")
def distances(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("gain", DataType.FLOAT)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": n, "vector": [float(n), 0.0], "gain": float(8 * n)} for n in range(6)])
    for stage in (FunctionChainStage.L0_RERANK, FunctionChainStage.L1_RERANK):
        [hits] = search(client, name, chain_of(stage, gain=1.0), data=[[0.0, 0.0]])
        total = {n: n * n - 8 * n for n in range(6)}
        alike(hits, sorted(total.items(), key=lambda each: (each[1], each[0])))
        [hits] = search(client, name, FunctionChain(stage).map("$score", fn.round_decimal(col("$score"), decimal=2)), data=[[0.0, 0.0]])
        alike(hits, [(n, n * n) for n in range(6)])


@case("chains that can't be are refused", since="3.0")
def refused(client, name):
    filled(client, name)

    def wrong(text, made, code=1100, **options):
        fails(lambda: search(client, name, made, limit=5, **options), code, text)

    rounding = fn.round_decimal(col("$score"), decimal=1)
    for stage, word in ((FunctionChainStage.POST_PROCESS, "PostProcess"), (FunctionChainStage.INGESTION, "Ingestion")):
        made = FunctionChain(stage).map("$score", rounding)
        wrong(f"function chain[0] stage FunctionChainStage{word} is not supported in search request", made)
    L0, L1 = FunctionChainStage.L0_RERANK, FunctionChainStage.L1_RERANK
    wrong('op[1]: type "sort" is not supported by L0', FunctionChain(L0).map("$score", rounding).sort("$score"))
    wrong('op[0]: type "limit" is not supported by L0', FunctionChain(L0).limit(3))
    wrong('system output "$id" is not writable by L1', FunctionChain(L1).map("$id", rounding))
    wrong("function chain stage FunctionChainStageL1Rerank appears more than once", [FunctionChain(L1).limit(3)] * 2)
    wrong("function chain[1] must contain at least one op", [chain().limit(1), FunctionChain(L1)])
    model = fn.rerank_model(col("title"), queries=["a"], provider="cohere", model_name="m")
    wrong("rerank_model is not supported at stage L1_rerank", FunctionChain(L1).map("$score", model))
    twice = [chain().map("$score", rounding), chain().map("$score", rounding)]
    wrong("function chain stage FunctionChainStageL2Rerank appears more than once", twice)
    wrong("must contain at least one op", chain())
    wrong("op[0]: column nothing not found", chain().sort("nothing"))
    wrong("op[0]: column title is no number", chain().map("$score", fn.round_decimal(col("title"), decimal=1)))
    wrong("op[0]: column vector has unsupported type FloatVector", chain().sort("vector"))
    wrong("output year is a field of the collection", chain().map("year", rounding))
    wrong('system output "$id" is not writable by L2', chain().map("$id", rounding))
    wrong("op[1]: column later not found", chain().map("a", rounding).sort("later"))
    trees = fn.xgboost(col("year"), model_resource="m")
    wrong("function xgboost is not supported at stage L2_rerank", chain().map("$score", trees))
    wrong('xgboost: file resource "m" not found', FunctionChain(L0).map("$score", trees))
    wrong("lost rerank params:provider", chain().map("$score", fn.rerank_model(col("title"), queries=["a"])))
    wrong("queries count (2) != nq count (1)", chain().map("$score", fn.rerank_model(col("title"), queries=["a", "b"])))
    wrong("function_chains and group by cannot be used together", chain().sort("year"), group_by_field="year")


if __name__ == "__main__":
    run_cases()
