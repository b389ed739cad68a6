"""Indexes over binary vectors: exact ones by every metric, and lists over enough rows that they are built."""

import time

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import DataType

DIM = 2048
# A little more than 4 MiB of vectors: fewer get no index.
ROWS = 17_000
QUERIES = 20
LIMIT = 10
BATCH = 3_400
BUILD_SECONDS_MAX = 300


def bits_around(count, seed, dim=DIM, centres=150, turned=0.12):
    """Random vectors as centres, and around them others, a part of whose bits is turned over."""
    middles = np.random.default_rng(1).integers(0, 2, (centres, dim), dtype=np.uint8)
    draw = np.random.default_rng(seed)
    noise = (draw.random((count, dim), dtype=np.float32) < turned).astype(np.uint8)
    return middles[draw.integers(0, centres, count)] ^ noise


def packed(bits):
    return [row.tobytes() for row in np.packbits(bits, axis=1)]


def words_of(bits):
    """64 bits in a number: so they are counted together."""
    return np.packbits(bits, axis=1).view(np.uint64)


def distances(metric, rows, query):
    """The score of each row of words, infinity where the metric leaves it out."""

    def count(words):
        return np.bitwise_count(words).sum(axis=-1, dtype=np.int64)

    if metric == "HAMMING":
        return count(rows ^ query).astype(np.float64)
    both = count(rows & query)
    if metric == "JACCARD":
        return 1 - both / np.maximum(count(rows | query), 1)
    contained = both == count(query if metric == "SUBSTRUCTURE" else rows)
    return np.where(contained, 0.0, np.inf)


def collection(client, name, bits):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("group", DataType.INT64)
    schema.add_field("v", DataType.BINARY_VECTOR, dim=bits.shape[1])
    client.create_collection(name, schema=schema, consistency_level="Strong")
    vectors = packed(bits)
    for start in range(0, len(vectors), BATCH):
        rows = enumerate(vectors[start : start + BATCH], start)
        client.insert(name, [{"id": i, "group": i % 100, "v": v} for i, v in rows])


def make_index(client, name, index_type, metric, build):
    index = client.prepare_index_params()
    index.add_index("v", index_type=index_type, metric_type=metric, params=build)
    client.create_index(name, index, sync=False)
    deadline = time.monotonic() + BUILD_SECONDS_MAX
    while True:
        described = client.describe_index(name, "v")
        same(described["total_rows"], described["indexed_rows"] + described["pending_index_rows"])
        if described["state"] == "Finished":
            break
        assert time.monotonic() < deadline, f"not finished: {described}"
        time.sleep(0.05)
    same((described["index_type"], described["metric_type"]), (index_type, metric))
    client.load_collection(name)


def drop_index(client, name):
    client.release_collection(name)
    client.drop_index(name, "v")


@case("BIN_FLAT finds by each metric of bits what brute force finds")
def every_metric(client, name):
    draw = np.random.default_rng(5)
    bits = (draw.random((400, 64)) < 0.25).astype(np.uint8)
    bits[7] = bits[8]
    collection(client, name, bits)
    # A part of one row, and more than another.
    asked = np.array([bits[3], bits[5] & bits[6], bits[9] | bits[10], bits[11] & 0])
    rows = words_of(bits)
    for metric in ("HAMMING", "JACCARD", "SUBSTRUCTURE", "SUPERSTRUCTURE"):
        make_index(client, name, "BIN_FLAT", metric, {})
        found = client.search(name, packed(asked), limit=20, anns_field="v")
        for query, words, hits in zip(asked, words_of(asked), found):
            wanted = distances(metric, rows, words)
            best = [int(i) for i in np.argsort(wanted, kind="stable")[:20] if np.isfinite(wanted[i])]
            same([hit["id"] for hit in hits], best)
            np.testing.assert_allclose([hit["distance"] for hit in hits], wanted[best], rtol=1e-6)
            few = [i for i in np.argsort(wanted, kind="stable") if i % 100 < 50 and np.isfinite(wanted[i])][:20]
            some = client.search(name, packed(query[None]), limit=20, anns_field="v", filter="group < 50")[0]
            same([hit["id"] for hit in some], [int(i) for i in few])
        drop_index(client, name)


@case("BIN_IVF_FLAT is built over rows that are there, searched, filtered and dropped")
def lists(client, name):
    bits, asked = bits_around(ROWS, 2), bits_around(QUERIES, 3)
    collection(client, name, bits)
    group = np.arange(ROWS) % 100
    rows = words_of(bits)
    for metric in ("HAMMING", "JACCARD"):
        make_index(client, name, "BIN_IVF_FLAT", metric, {"nlist": 64})
        wanted = [distances(metric, rows, words) for words in words_of(asked)]
        for nprobe, reached in ((8, 0.9), (64, 1.0), (65536, 1.0)):
            search = {"metric_type": metric, "params": {"nprobe": nprobe}}
            same(recall(client, name, search, asked, wanted) >= reached, True)
        for share in (50, 5, 1):
            allowed = [np.where(group < share, each, np.inf) for each in wanted]
            search = {"metric_type": metric, "params": {"nprobe": 16}}
            got = recall(client, name, search, asked, allowed, filter=f"group < {share}")
            assert got >= 0.9, f"recall {got} of {share} %"
        radius = float(np.sort(wanted[0])[30])
        search = {"metric_type": metric, "params": {"nprobe": 64, "radius": radius}}
        near = client.search(name, packed(asked[:1]), limit=100, search_params=search)[0]
        same({hit["id"] for hit in near}, {int(i) for i in np.flatnonzero(wanted[0] < radius)})
        changes(client, name, metric, bits, asked[1], wanted[1])
        drop_index(client, name)


def recall(client, name, search, asked, wanted, **options):
    """The share of hits that are as near as the last that is wanted: there are ties."""
    found = client.search(name, packed(asked), limit=LIMIT, search_params=search, **options)
    good = 0
    for scores, hits in zip(wanted, found):
        same(len({hit["id"] for hit in hits}), LIMIT)
        last = np.sort(scores)[LIMIT - 1]
        good += sum(scores[hit["id"]] <= last for hit in hits)
        for hit in hits:
            assert np.isclose(hit["distance"], scores[hit["id"]], rtol=1e-6), hit
    return good / (LIMIT * len(asked))


def changes(client, name, metric, bits, query, wanted):
    """Deleted rows are not found, new ones are, while the index is there."""
    search = {"metric_type": metric, "params": {"nprobe": 64}}
    first = int(np.argsort(wanted, kind="stable")[0])
    client.delete(name, ids=[first])
    ids = [hit["id"] for hit in client.search(name, packed(query[None]), limit=3, search_params=search)[0]]
    assert first not in ids, ids
    vector = packed(query[None])[0]
    client.insert(name, [{"id": first, "group": first % 100, "v": vector}])
    hits = client.search(name, [vector], limit=1, search_params=search)[0]
    same([(hit["id"], hit["distance"]) for hit in hits], [(first, 0.0)])
    old = packed(bits[first : first + 1])[0]
    client.upsert(name, [{"id": first, "group": first % 100, "v": old}])


@case("the pages of an iterator over lists follow each other without a gap")
def iterator(client, name):
    bits, asked = bits_around(ROWS, 2), bits_around(1, 3)
    collection(client, name, bits)
    make_index(client, name, "BIN_IVF_FLAT", "HAMMING", {"nlist": 32})
    search = {"metric_type": "HAMMING", "params": {"nprobe": 4}}
    pages = client.search_iterator(
        name, packed(asked), batch_size=100, limit=500, anns_field="v", search_params=search
    )
    scores = []
    while page := pages.next():
        scores += [hit.distance for hit in page]
    pages.close()
    same(scores, np.sort(distances("HAMMING", words_of(bits), words_of(asked)[0]))[: len(scores)].tolist())
    assert len(scores) >= 400, len(scores)


@case("what binary indexes cannot be is refused")
def refusals(client, name):
    collection(client, name, bits_around(10, 2, dim=64))

    def making(index_type, metric, build=None):
        index = client.prepare_index_params()
        index.add_index("v", index_type=index_type, metric_type=metric, params=build or {})
        return lambda: client.create_index(name, index)

    fails(making("BIN_FLAT", "L2"), 1100, "binary vector index does not support metric type: L2")
    fails(
        making("BIN_IVF_FLAT", "SUBSTRUCTURE", {"nlist": 8}),
        1100,
        "metric type SUBSTRUCTURE not found or not supported, supported: [HAMMING JACCARD]",
    )
    fails(making("MINHASH_LSH", "HAMMING"), 1100, "supported: [MHJACCARD]")
    fails(
        making("BIN_IVF_FLAT", "HAMMING", {"nlist": 0}),
        1100,
        "Out of range in json: param 'nlist' (0) should be in range [1, 65536]",
    )
    fails(making("HNSW", "HAMMING"), 1100, "data type BinaryVector can't build with this index HNSW")
    making("BIN_IVF_FLAT", "HAMMING", {"nlist": 8})()
    client.load_collection(name)
    for nprobe, text in (
        (0, "Out of range in json: param 'nprobe' (0) should be in range [1, 65536]"),
        ("many", "invalid integer value, key: 'nprobe', value: 'many'"),
    ):
        search = {"metric_type": "HAMMING", "params": {"nprobe": nprobe}}
        fails(lambda: client.search(name, [b"12345678"], limit=3, search_params=search), text=text)


run_cases()
