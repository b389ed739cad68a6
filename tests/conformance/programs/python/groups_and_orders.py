"""Grouped searches, orders, aggregates: compared with what plain Python makes of the same rows."""

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import DataType

ROWS = 600
COLORS = ["red", "green", "blue", "grey", None]
random = np.random.default_rng(11)
# Each color lies in its own corner, so that the nearest rows of a query are all of one color.
PLACES = (random.standard_normal((ROWS, 4)) + np.array([[20 * (n % 5), 0, 0, 0] for n in range(ROWS)])).astype(
    np.float32
)


def row(n):
    return {
        "id": n,
        "color": COLORS[n % 5],
        "shelf": n % 37,
        "rare": n % 3 == 0,
        "price": float(n % 11) / 4 if n % 7 else None,
        "big": 9_007_199_254_740_993 + n,
        "info": {"maker": f"m{n % 4}", "year": 1990 + n % 6} if n % 9 else {"maker": n, "year": "?"},
        "v": PLACES[n].tolist(),
        "lot": f"l{n % 13}",
    }


DATA = [row(n) for n in range(ROWS)]


def shop(client, name):
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("color", DataType.VARCHAR, max_length=8, nullable=True)
    schema.add_field("shelf", DataType.INT16)
    schema.add_field("rare", DataType.BOOL)
    schema.add_field("price", DataType.FLOAT, nullable=True)
    schema.add_field("big", DataType.INT64)
    schema.add_field("info", DataType.JSON)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=4)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(
        name, schema=schema, index_params=index, consistency_level="Strong", num_shards=2
    )
    client.insert(name, DATA)


def ranked(query, keep=lambda r: True):
    distances = ((PLACES - np.array(query, dtype=np.float32)) ** 2).sum(axis=1)
    return [n for n in np.lexsort((np.arange(ROWS), distances)) if keep(DATA[n])]


def grouped(query, key, limit, size=1, strict=False, keep=lambda r: True):
    """As the documentation has it: hits best first, each into its group, until there are enough."""
    groups = {}
    for n in ranked(query, keep):
        value = key(DATA[n])
        if value not in groups:
            if len(groups) == limit:
                continue
            groups[value] = []
        if len(groups[value]) < size:
            groups[value].append(int(n))
        done = len(groups) == limit and (not strict or all(len(g) == size for g in groups.values()))
        if done:
            break
    return [n for group in groups.values() for n in group]


QUERY = [0.5, 0.2, -0.1, 0.3]


def search(client, name, **options):
    return [[hit["id"] for hit in hits] for hits in client.search(name, [QUERY], anns_field="v", **options)][0]


@case("a grouped search finds the best row of every group, however far the groups lie")
def group_search(client, name):
    shop(client, name)
    for field in ("color", "shelf", "rare"):
        for limit in (1, 3, 5, 40):
            got = search(client, name, limit=limit, group_by_field=field)
            same(got, grouped(QUERY, lambda r: r[field], limit))


@case("groups have the size that was asked for, strictly or not", since="2.5")
def group_sizes(client, name):
    shop(client, name)
    for field in ("color", "shelf", "rare"):
        for strict in (False, True):
            for limit, size in ((2, 3), (5, 10), (30, 4)):
                got = search(
                    client,
                    name,
                    limit=limit,
                    group_by_field=field,
                    group_size=size,
                    strict_group_size=strict,
                )
                same(got, grouped(QUERY, lambda r: r[field], limit, size, strict))


@case("an offset counts groups, and a filter comes first", since="2.5")
def group_pages(client, name):
    shop(client, name)
    keep = {"filter": "shelf in [1, 2, 3, 5, 8] and big > 0"}
    whole = grouped(QUERY, lambda r: r["shelf"], 5, keep=lambda r: r["shelf"] in (1, 2, 3, 5, 8))
    same(search(client, name, limit=5, group_by_field="shelf", **keep), whole)
    same(search(client, name, limit=2, offset=2, group_by_field="shelf", **keep), whole[2:4])


@case("values inside JSON and undeclared keys make groups", since="2.6")
def json_groups(client, name):
    shop(client, name)
    text = lambda key: lambda r: r["info"][key] if isinstance(r["info"][key], str) else None
    number = lambda key: lambda r: r["info"][key] if isinstance(r["info"][key], int) else None
    for size in (1, 4):
        options = {"limit": 20, "group_size": size, "strict_group_size": True}
        got = search(client, name, group_by_field="lot", **options)
        same(got, grouped(QUERY, lambda r: r["lot"], 20, size, True))
        got = search(client, name, group_by_field='info["year"]', **options)
        same(got, grouped(QUERY, lambda r: r["info"]["year"], 20, size, True))
        got = search(
            client, name, group_by_field="info", json_path='["maker"]', json_type=DataType.VARCHAR, **options
        )
        same(got, grouped(QUERY, text("maker"), 20, size, True))
        got = search(
            client, name, group_by_field='info["year"]', json_type=DataType.INT64, **options
        )
        same(got, grouped(QUERY, number("year"), 20, size, True))
        fails(
            lambda: search(
                client, name, group_by_field='info["year"]', json_type=DataType.INT64, strict_cast=True, **options
            ),
            1100,
            "strict_cast",
        )


@case("several fields together make groups", since="3.0")
def several_fields(client, name):
    shop(client, name)
    both = lambda r: (r["color"], r["rare"])
    for size in (1, 3):
        got = search(
            client, name, limit=10, group_by_fields=["color", "rare"], group_size=size, strict_group_size=True
        )
        same(got, grouped(QUERY, both, 10, size, True))


@case("several queries have their own groups")
def several_queries(client, name):
    shop(client, name)
    queries = [QUERY, [80.0, 0.0, 0.0, 0.0]]
    answers = client.search(name, queries, anns_field="v", limit=5, group_by_field="color")
    for query, hits in zip(queries, answers):
        same([hit["id"] for hit in hits], grouped(query, lambda r: r["color"], 5))


def key_of(value, falling=False):
    """Nulls last, whatever the direction."""
    return (value is None, 0 if value is None else (-value if falling else value))


@case("a query comes in the order of fields, ties by key", since="3.0")
def query_order(client, name):
    shop(client, name)
    wanted = sorted(DATA, key=lambda r: (key_of(r["price"], True), r["shelf"], r["id"]))
    options = {"filter": "id >= 0", "output_fields": ["price", "shelf", "id"]}
    order = [{"field": "price", "order": "desc"}, {"field": "shelf", "order": "asc"}]
    for limit, offset in ((10, 0), (100, 95), (600, 0)):
        got = client.query(name, order_by_fields=order, limit=limit, offset=offset, **options)
        same([r["id"] for r in got], [r["id"] for r in wanted][offset : offset + limit])
    got = client.query(name, order_by_fields="color:asc:nulls_first,big:desc", limit=250, **options)
    wanted = sorted(DATA, key=lambda r: (r["color"] is not None, r["color"] or "", -r["big"]))
    same([r["id"] for r in got], [r["id"] for r in wanted][:250])


@case("a search is sorted by fields after its hits are found", since="3.0")
def search_order(client, name):
    shop(client, name)
    nearest = [int(n) for n in ranked(QUERY)][:30]
    got = search(client, name, limit=30, order_by_fields=[{"field": "shelf", "order": "desc"}])
    same(got, sorted(nearest, key=lambda n: (-DATA[n]["shelf"], nearest.index(n))))
    page = [int(n) for n in ranked(QUERY)][10:20]
    got = search(client, name, limit=10, offset=10, order_by_fields=[{"field": "big", "order": "desc"}])
    same(got, sorted(page, reverse=True))


def aggregates(rows):
    prices = [r["price"] for r in rows if r["price"] is not None]
    bigs = [r["big"] for r in rows]
    return {
        "count(*)": len(rows),
        "count(price)": len(prices),
        "sum(price)": sum(prices) if prices else None,
        "avg(price)": sum(prices) / len(prices) if prices else None,
        "min(price)": min(prices) if prices else None,
        "max(color)": max((r["color"] for r in rows if r["color"]), default=None),
        "sum(shelf)": sum(r["shelf"] for r in rows),
        "min(big)": min(bigs),
        "max(big)": max(bigs),
        "sum(big)": sum(bigs),
        "avg(shelf)": sum(r["shelf"] for r in rows) / len(rows),
    }


NAMES = list(aggregates(DATA[:1]))


@case("aggregates are those of all rows, or of each group", since="3.0")
def aggregation(client, name):
    shop(client, name)
    few = [r for r in DATA if r["id"] < 300]
    [got] = client.query(name, filter="id < 300", output_fields=NAMES)
    same(dict(got), aggregates(few))
    got = client.query(name, filter="id < 300", group_by_fields=["color"], output_fields=["color", *NAMES])
    colors = ["blue", "green", "grey", "red", None]
    same([r["color"] for r in got], colors)
    for r in got:
        same(dict(r), {"color": r["color"], **aggregates([m for m in few if m["color"] == r["color"]])})
    got = client.query(
        name, filter="id < 300", group_by_fields=["color", "rare"], output_fields=["rare", "color", "count(*)"]
    )
    same(len(got), 10)
    for r in got:
        members = [m for m in few if m["color"] == r["color"] and m["rare"] == r["rare"]]
        same(r["count(*)"], len(members))


@case("groups come in the order and the window that are asked for", since="3.0")
def group_order(client, name):
    shop(client, name)
    got = client.query(
        name,
        filter="shelf > 3",
        group_by_fields=["shelf"],
        output_fields=["shelf", "count(*)", "sum(big)"],
        order_by_fields=[{"field": "sum(big)", "order": "desc"}],
        limit=5,
        offset=2,
    )
    sums = {}
    for r in DATA:
        if r["shelf"] > 3:
            sums[r["shelf"]] = sums.get(r["shelf"], 0) + r["big"]
    wanted = sorted(sums, key=lambda shelf: (-sums[shelf], shelf))[2:7]
    same([(r["shelf"], r["sum(big)"]) for r in got], [(shelf, sums[shelf]) for shelf in wanted])


@case("groups without aggregates are the values that there are", since="3.0")
def distinct(client, name):
    shop(client, name)
    got = client.query(name, filter="id >= 0", group_by_fields=["shelf"], output_fields=["shelf"])
    same([r["shelf"] for r in got], list(range(37)))


@case("aggregates of no rows are null, and their count is 0", since="3.0")
def nothing(client, name):
    shop(client, name)
    [got] = client.query(name, filter="id < 0", output_fields=["count(*)", "sum(shelf)", "max(color)"])
    same(dict(got), {"count(*)": 0, "sum(shelf)": None, "max(color)": None})
    got = client.query(
        name, filter="id < 0", group_by_fields=["color"], output_fields=["color", "count(*)"]
    )
    same(list(got), [])


@case("hits are put into buckets, with metrics and their best rows", since="3.0")
def buckets(client, name):
    from pymilvus.client.search_aggregation import SearchAggregation, TopHits

    shop(client, name)
    spec = SearchAggregation(
        fields=["color"],
        size=3,
        metrics={
            "average": {"avg": "price"},
            "all": {"sum": "big"},
            "nearest": {"min": "_score"},
            "n": {"count": "*"},
            "last": {"max": "color"},
        },
        order=[{"n": "desc"}, {"_key": "asc"}],
        top_hits=TopHits(size=2, sort=[{"shelf": "desc"}]),
        sub_aggregation=SearchAggregation(fields=["rare"], size=1, order=[{"_count": "asc"}]),
    )
    found = client.search(
        name, [QUERY], anns_field="v", limit=200, search_aggregation=spec, output_fields=["shelf", "price"]
    )
    pool = [DATA[n] for n in ranked(QUERY)[:200]]
    members = {}
    for r in pool:
        members.setdefault(r["color"], []).append(r)
    wanted = sorted(members, key=lambda c: (-len(members[c]), c is None, c or ""))[:3]
    [got] = found.agg_buckets
    same([bucket.key[0]["value"] for bucket in got], wanted)
    places = [r["id"] for r in pool]
    for bucket, color in zip(got, wanted):
        own = members[color]
        prices = [r["price"] for r in own if r["price"] is not None]
        same(bucket.count, len(own))
        metrics = bucket.metrics
        same(metrics["n"], len(own))
        same(metrics["all"], sum(r["big"] for r in own))
        same(metrics.get("last"), color)
        assert abs(metrics["average"] - sum(prices) / len(prices)) < 1e-9
        best = sorted(own, key=lambda r: (-r["shelf"], places.index(r["id"])))[:2]
        same([hit.pk for hit in bucket.hits], [r["id"] for r in best])
        same([hit.fields["shelf"] for hit in bucket.hits], [r["shelf"] for r in best])
        rare = [r["rare"] for r in own]
        fewest = min({True, False} & set(rare), key=rare.count)
        same([(sub.key[0]["value"], sub.count) for sub in bucket.sub_groups], [(fewest, rare.count(fewest))])
    options = {"anns_field": "v", "limit": 10, "search_aggregation": spec}
    fails(lambda: client.search(name, [QUERY], offset=3, **options), 1100, "does not support offset")


@case("a sum that no int64 holds is an error", since="3.0")
def overflow(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("n", DataType.INT64)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": i, "n": 2**63 - 1, "v": [0.0, 0.0]} for i in range(2)])
    fails(
        lambda: client.query(name, filter="id >= 0", output_fields=["sum(n)"]),
        1100,
        "does not fit an int64",
    )
    [got] = client.query(name, filter="id >= 0", output_fields=["avg(n)"])
    same(got["avg(n)"], float(2**63 - 1))


run_cases()
