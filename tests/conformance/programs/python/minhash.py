"""MinHash: functions that make signatures of texts, and the index that finds what has a band in common."""

import time

import numpy as np
from cases import case, fails, run_cases, same
from pymilvus import DataType

HASHES = 128
BUILD_SECONDS_MAX = 300

TEXTS = [
    "information retrieval is a field of study in computer science",
    "information retrieval is a field of study in computer science today",
    "the quick brown fox jumps over the lazy dog near the river bank",
    "vector databases store embeddings and find near neighbours of them quickly",
    "",
]


def signature_schema(client, params=None, hashes=HASHES, **text):
    from pymilvus import Function, FunctionType

    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("text", DataType.VARCHAR, max_length=5000, **({"enable_analyzer": True} | text))
    schema.add_field("signature", DataType.BINARY_VECTOR, dim=32 * hashes)
    made = Function(
        name="minhash",
        function_type=FunctionType.MINHASH,
        input_field_names=["text"],
        output_field_names=["signature"],
        params=params or {},
    )
    schema.add_function(made)
    return schema


def lsh(client, **build):
    index = client.prepare_index_params()
    params = {"mh_lsh_band": 32, "mh_element_bit_width": 32, "with_raw_data": True} | build
    index.add_index("signature", index_type="MINHASH_LSH", metric_type="MHJACCARD", params=params)
    return index


def search(client, name, text, jaccard=True, limit=10, **options):
    params = {"mh_search_with_jaccard": jaccard} if jaccard else {}
    search = {"metric_type": "MHJACCARD", "params": params}
    found = client.search(name, [text], limit=limit, anns_field="signature", search_params=search, **options)
    return [(hit["id"], hit["distance"]) for hit in found[0]]


def shingles(text, size=3):
    words = text.lower().split()
    return {tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1))}


def similarity(one, other):
    return len(one & other) / len(one | other)


@case("texts become signatures on insert and where they are searched for", "3.0")
def texts(client, name):
    client.create_collection(
        name, schema=signature_schema(client), index_params=lsh(client), consistency_level="Strong"
    )
    described = client.describe_collection(name)["functions"][0]
    same((described["name"], described["output_field_names"]), ("minhash", ["signature"]))
    client.insert(name, [{"id": i, "text": text} for i, text in enumerate(TEXTS)])
    same(search(client, name, TEXTS[2])[0], (2, 1.0))
    near = dict(search(client, name, TEXTS[0]))
    same(near[0], 1.0)
    wanted = similarity(shingles(TEXTS[0]), shingles(TEXTS[1]))
    assert abs(near[1] - wanted) < 0.2, (near, wanted)
    # Without the share what has a band in common scores 1, nothing else is found.
    same(search(client, name, TEXTS[0], jaccard=False), [(0, 1.0), (1, 1.0)])
    same(search(client, name, TEXTS[3].upper(), jaccard=False), [(3, 1.0)])
    same(search(client, name, "nothing of the kind was ever written here", jaccard=False), [])
    client.upsert(name, [{"id": 2, "text": TEXTS[3]}])
    same(search(client, name, TEXTS[3], jaccard=False), [(2, 1.0), (3, 1.0)])
    rows = client.query(name, ids=[2, 3], output_fields=["signature", "text"])
    same(rows[0]["signature"], rows[1]["signature"])
    same(len(b"".join(rows[0]["signature"])), 4 * HASHES)
    # A signature is a vector like any other.
    found = client.search(name, [b"".join(rows[0]["signature"])], limit=5, anns_field="signature")
    same([hit["id"] for hit in found[0]], [2, 3])


@case("characters, SHA-1, other sizes and seeds make other signatures", "3.0")
def parameters(client, name):
    seen = set()
    for params in (
        {},
        {"num_hashes": "32", "shingle_size": "2"},
        {"token_level": "char", "shingle_size": 5},
        {"hash_function": "sha1"},
        {"seed": "99"},
    ):
        schema = signature_schema(client, params, hashes=32)
        client.create_collection(name, schema=schema, index_params=lsh(client, mh_lsh_band=8))
        client.insert(name, [{"id": i, "text": text} for i, text in enumerate(TEXTS)])
        row = client.query(name, ids=[0], output_fields=["signature"], consistency_level="Strong")[0]
        seen.add(b"".join(row["signature"]))
        same(search(client, name, TEXTS[3])[0], (3, 1.0))
        client.drop_collection(name)
    same(len(seen), 5)


@case("the index finds among many texts those that are nearly the same", "3.0")
def many(client, name):
    draw = np.random.default_rng(3)
    words = [f"word{i}" for i in range(3000)]
    originals = [draw.choice(words, 60) for _ in range(3000)]
    texts = []
    for original in originals:
        for changed in (0, 3, 20):
            copy = original.copy()
            copy[draw.choice(60, changed, replace=False)] = draw.choice(words, changed)
            texts.append(" ".join(copy))
    client.create_collection(name, schema=signature_schema(client, {"shingle_size": "2"}))
    for start in range(0, len(texts), 1500):
        rows = enumerate(texts[start : start + 1500], start)
        client.insert(name, [{"id": i, "text": text} for i, text in rows])
    make_index(client, name)
    options = {"consistency_level": "Strong"}
    for number in range(0, 3000, 300):
        hits = search(client, name, texts[3 * number], limit=3, **options)
        same(hits[0], (3 * number, 1.0))
        same(hits[1][0], 3 * number + 1)
        one, other = (shingles(texts[3 * number + i], 2) for i in (0, 1))
        assert abs(hits[1][1] - similarity(one, other)) < 0.2, hits
        plain = search(client, name, texts[3 * number], jaccard=False, limit=3, **options)
        assert {3 * number, 3 * number + 1} <= {key for key, _ in plain}, plain
        same({score for _, score in plain}, {1.0})
        odd = search(client, name, texts[3 * number], limit=3, filter="id % 2 == 1", **options)
        assert all(key % 2 == 1 for key, _ in odd), odd
    client.delete(name, ids=[0])
    assert 0 not in dict(search(client, name, texts[0], **options))
    drop_index(client, name)
    same(client.list_indexes(name), [])
    # An index without the signatures finds the same.
    make_index(client, name, with_raw_data=False)
    same(client.describe_index(name, "signature")["with_raw_data"], "False")
    plain = search(client, name, texts[3], jaccard=False, limit=3, **options)
    assert {3, 4} <= {key for key, _ in plain}, plain
    even = search(client, name, texts[3], jaccard=False, limit=3, filter="id % 2 == 0", **options)
    assert 4 in dict(even) and all(key % 2 == 0 for key, _ in even), even
    # They are there all the same.
    same(search(client, name, texts[3], limit=3, **options)[0], (3, 1.0))
    drop_index(client, name)


def make_index(client, name, **build):
    client.create_index(name, lsh(client, **build), sync=False)
    deadline = time.monotonic() + BUILD_SECONDS_MAX
    while client.describe_index(name, "signature")["state"] != "Finished":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    client.load_collection(name)


def drop_index(client, name):
    client.release_collection(name)
    client.drop_index(name, "signature")


@case("what a MinHash function cannot be is refused", "3.0")
def refusals(client, name):
    def creating(params, **options):
        schema = signature_schema(client, params, **options)
        return lambda: client.create_collection(name, schema=schema)

    fails(creating({"num_hashes": "0"}), 1100, "param num_hashes:0 must be positive")
    fails(creating({"num_hashes": "7"}), 1100, "does not match expected dim 224")
    fails(creating({"shingle_size": "x"}), 1100, "param shingle_size:x is not a number")
    fails(creating({"token_level": "line"}), 1100, "unknown token_level: line")
    fails(creating({"hash_function": "md5"}), 1100, "unknown hash function: md5")
    creating({})()
    fails(
        lambda: client.insert(name, [{"id": 1, "text": "a", "signature": bytes(4 * HASHES)}]),
    )
    for build, text in (
        ({"mh_lsh_band": 0}, "Out of range in json: param 'mh_lsh_band' (0) should be in range"),
        ({"mh_element_bit_width": 512}, "param 'mh_element_bit_width' (512) should be in range [8, 256]"),
        ({"mh_element_bit_width": 24}, "mh_element_bit_width"),
        ({"mh_lsh_band": 1000}, "mh_lsh_band(1000)"),
        ({"with_raw_data": "perhaps"}, "with_raw_data"),
    ):
        fails(lambda: client.create_index(name, lsh(client, **build)), 1100, text)


@case("signatures that a client has made itself are found by their bands")
def own_signatures(client, name):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("signature", DataType.BINARY_VECTOR, dim=64 * 8)
    client.create_collection(name, schema=schema, index_params=lsh(client, mh_lsh_band=4, mh_element_bit_width=64))
    draw = np.random.default_rng(1)
    hashes = draw.integers(0, 2**63, (50, 8), dtype=np.uint64)
    hashes[1, :2] = hashes[0, :2]
    hashes[2, 1:3] = hashes[0, 1:3]
    client.insert(name, [{"id": i, "signature": row.tobytes()} for i, row in enumerate(hashes)])
    options = {"consistency_level": "Strong"}
    same(search(client, name, hashes[0].tobytes(), jaccard=False, **options), [(0, 1.0), (1, 1.0)])
    same(search(client, name, hashes[0].tobytes(), **options), [(0, 1.0), (1, 0.25), (2, 0.25)])


run_cases()
