"""Compaction: small segments become one, deleted rows leave, and nobody who reads sees a difference."""

import threading
import time

from cases import ADDRESS, URI, case, run_cases, same
from pymilvus import Collection, MilvusClient, connections, utility

HOST, PORT = ADDRESS.rsplit(":", 1)
connections.connect("default", host=HOST, port=PORT)

ROWS = 60
SEGMENTS = 4
PATIENCE_SECONDS = 30


def row(number):
    return {"id": number, "vector": [float(number), 1.0, 0.0, 0.0], "title": f"row {number}"}


def several_segments(client, name):
    """Flushed after every `ROWS` rows; of each such run the first ten are deleted."""
    client.create_collection(name, dimension=4, metric_type="L2", consistency_level="Strong")
    for first in range(0, SEGMENTS * ROWS, ROWS):
        client.insert(name, [row(number) for number in range(first, first + ROWS)])
        client.flush(name)
    deleted = [first + n for first in range(0, SEGMENTS * ROWS, ROWS) for n in range(10)]
    client.delete(name, ids=deleted)
    client.flush(name)
    return set(range(SEGMENTS * ROWS)) - set(deleted)


def keys(client, name):
    found = client.query(name, "id >= 0", output_fields=["id", "title"])
    for one in found:
        same(one["title"], f"row {one['id']}")
    return [one["id"] for one in found]


def segments(name):
    return [segment for segment in utility.get_query_segment_info(name) if segment.num_rows > 0]


def stored_rows(name):
    return sum(segment.num_rows for segment in utility.get_query_segment_info(name))


def ended(collection):
    until = time.monotonic() + PATIENCE_SECONDS
    while collection.get_compaction_state().state_name != "Completed":
        assert time.monotonic() < until, "the compaction does not end"
        time.sleep(0.02)


@case("segments become one, without the deleted rows")
def compact(client, name):
    kept = several_segments(client, name)
    same(len(segments(name)), SEGMENTS)
    collection = Collection(name)
    collection.compact()
    ended(collection)
    state = collection.get_compaction_state()
    same((state.in_executing, state.in_timeout), (0, 0))
    assert state.completed >= 1, state
    plans = collection.get_compaction_plans().plans
    same(sum(len(plan.sources) for plan in plans), SEGMENTS)
    found = segments(name)
    same([segment.segmentID for segment in found], [plan.target for plan in plans])
    same(sorted(keys(client, name)), sorted(kept))
    same(client.query(name, "", output_fields=["count(*)"])[0]["count(*)"], len(kept))
    nearest = client.search(name, [row(75)["vector"]], limit=1)[0][0]
    same((nearest["id"], nearest["distance"]), (75, 0.0))


@case("MilvusClient compacts by name, and a second time there is nothing to do")
def by_client(client, name):
    kept = several_segments(client, name)
    for _ in range(2):
        job = client.compact(name)
        until = time.monotonic() + PATIENCE_SECONDS
        while client.get_compaction_state(job) != "Completed":
            assert time.monotonic() < until, "the compaction does not end"
            time.sleep(0.02)
    same(len(segments(name)), 1)
    same(sorted(keys(client, name)), sorted(kept))
    # Nobody knows this job: whoever waits for it need not wait.
    same(client.get_compaction_state(1), "Completed")


@case("writes and reads go on, and none is lost, missed or seen twice")
def beside(client, name):
    kept = several_segments(client, name)
    is_done = threading.Event()
    wrong = []

    def read():
        reader = MilvusClient(URI)
        while not is_done.is_set():
            found = [key for key in keys(reader, name) if key < SEGMENTS * ROWS]
            if sorted(found) != sorted(kept):
                wrong.append(len(found))
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for first in range(1_000, 1_100, 10):
            client.upsert(name, [row(number) for number in range(first, first + 10)])
            client.flush(name)
            client.compact(name)
    finally:
        is_done.set()
        thread.join()
    same(wrong, [])
    same(sorted(keys(client, name)), sorted(kept | set(range(1_000, 1_100))))


run_cases()
