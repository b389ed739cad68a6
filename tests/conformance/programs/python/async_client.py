"""AsyncMilvusClient: many calls in flight on one connection."""

import asyncio

from cases import URI, case, run_cases, same
from pymilvus import AsyncMilvusClient, DataType

BATCHES = 100
ROWS_PER_BATCH = 50


async def shelf(client, name):
    schema = AsyncMilvusClient.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=8)
    index = AsyncMilvusClient.prepare_index_params()
    index.add_index("v", index_type="FLAT", metric_type="L2")
    await client.create_collection(
        name, schema=schema, index_params=index, consistency_level="Strong", num_shards=2
    )


def batch(number):
    first = number * ROWS_PER_BATCH
    return [{"id": n, "v": [float(n)] * 8, "batch": number} for n in range(first, first + ROWS_PER_BATCH)]


@case("a hundred batches inserted at once are all there", since="2.5")
async def gather_inserts(_, name):
    client = AsyncMilvusClient(URI)
    await shelf(client, name)
    answers = await asyncio.gather(*(client.insert(name, batch(n)) for n in range(BATCHES)))
    same([answer["insert_count"] for answer in answers], [ROWS_PER_BATCH] * BATCHES)
    counted = await client.query(name, "", output_fields=["count(*)"])
    same(counted[0]["count(*)"], BATCHES * ROWS_PER_BATCH)
    pages = await asyncio.gather(*(client.query(name, f"batch == {n}") for n in range(BATCHES)))
    same([len(page) for page in pages], [ROWS_PER_BATCH] * BATCHES)
    await client.close()


@case("searches, upserts and deletes at once each give their own answer", since="2.5")
async def gather_everything(_, name):
    client = AsyncMilvusClient(URI)
    await shelf(client, name)
    await client.insert(name, [row for n in range(20) for row in batch(n)])

    async def search(n):
        hits = await client.search(name, [[float(n)] * 8], limit=1)
        return hits[0][0]["id"]

    async def replace(n):
        await client.upsert(name, [{"id": n, "v": [float(n)] * 8, "batch": -1}])
        return (await client.query(name, f"id == {n}", output_fields=["batch"]))[0]["batch"]

    async def remove(n):
        await client.delete(name, ids=[n])
        return len(await client.query(name, f"id == {n}"))

    answers = await asyncio.gather(
        *(search(n) for n in range(0, 300)),
        *(replace(n) for n in range(300, 400)),
        *(remove(n) for n in range(400, 500)),
    )
    same(list(answers), [*range(300), *[-1] * 100, *[0] * 100])
    await client.close()


run_cases()
