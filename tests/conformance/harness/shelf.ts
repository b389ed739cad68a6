import assert from 'node:assert/strict';
import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { must } from './must.ts';

const batchRows = 50;
const partitions = ['_default', 'fiction', 'maps'] as const;

/** A collection of books that remembers what the server has acknowledged, to compare it later. */
export class Shelf {
  readonly #name: string;
  /** What must be found: the title and the partition of each key. */
  readonly #books = new Map<number, { title: string; partition: string }>();
  #nextKey = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Creates the collection with its partitions over several shards, indexed and loaded. */
  async create(client: MilvusClient): Promise<void> {
    const collection_name = this.#name;
    const fields = [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'title', data_type: DataType.VarChar, max_length: 50 },
      { name: 'v', data_type: DataType.FloatVector, dim: 4 },
    ];
    must(
      await client.createCollection({ collection_name, fields, shards_num: 3, consistency_level: 'Strong' }),
    );
    for (const partition_name of partitions.slice(1)) {
      must(await client.createPartition({ collection_name, partition_name }));
    }
    must(
      await client.createIndex({ collection_name, field_name: 'v', index_type: 'FLAT', metric_type: 'L2' }),
    );
    must(await client.loadCollection({ collection_name }));
  }

  /** Creates the collection and inserts, upserts and deletes in all partitions. */
  async fill(client: MilvusClient): Promise<void> {
    await this.create(client);
    await this.fillMore(client);
  }

  /** Inserts, upserts and deletes in all partitions. */
  async fillMore(client: MilvusClient): Promise<void> {
    for (const partition of partitions) {
      const keys = this.#newKeys(300);
      await this.#insert(client, partition, keys);
      await this.#upsert(client, partition, keys.slice(0, 50));
      await this.#delete(client, keys.slice(40, 60));
    }
  }

  /** Compares all that the server has with what it acknowledged. */
  async check(client: MilvusClient): Promise<void> {
    assert.equal(await this.#count(client), this.#books.size);
    for (const partition of partitions) {
      const wanted = [...this.#books].filter(([, book]) => book.partition === partition);
      const found = await this.#titles(client, partition);
      assert.deepEqual(
        [...found].sort(byKey),
        wanted.map(([key, { title }]) => [key, title] as const).sort(byKey),
      );
    }
    const { results } = await client.search({ collection_name: this.#name, data: [1, 0, 0, 0], limit: 1 });
    assert.equal(Number(results[0]?.id), 1);
  }

  /** Writes batches on several streams until `stop` has ended the server; returns those acknowledged. */
  async writeUntil(client: MilvusClient, stop: () => Promise<void>): Promise<ReadonlySet<number>> {
    const acknowledged = new Set<number>();
    let running = true;
    let batch = 0;
    const stream = async () => {
      while (running) {
        const mine = batch++;
        const data = Array.from({ length: batchRows }, (_, i) => book(mine * batchRows + i, `batch ${mine}`));
        const written = await client.insert({ collection_name: this.#name, data }).then(
          (answer) => answer.status.error_code === 'Success',
          () => false,
        );
        if (written) acknowledged.add(mine);
        else running = false;
        if (acknowledged.size === 60) await stop();
      }
    };
    await Promise.all([stream(), stream(), stream(), stream()]);
    return acknowledged;
  }

  /** Every acknowledged batch is there whole; one that was not acknowledged is there whole or not at all. */
  async checkBatches(client: MilvusClient, acknowledged: ReadonlySet<number>): Promise<void> {
    const rowsOfBatch = new Map<string, number>();
    for (const title of (await this.#titles(client)).values()) {
      rowsOfBatch.set(title, (rowsOfBatch.get(title) ?? 0) + 1);
    }
    const missing = [...acknowledged].filter((batch) => !rowsOfBatch.has(`batch ${batch}`));
    assert.deepEqual(missing, [], 'acknowledged batches that are gone');
    const torn = [...rowsOfBatch].filter(([, rows]) => rows !== batchRows);
    assert.deepEqual(torn, [], 'batches of which only a part is there');
  }

  #newKeys(count: number): number[] {
    return Array.from({ length: count }, () => this.#nextKey++);
  }

  async #insert(client: MilvusClient, partition: string, keys: readonly number[]): Promise<void> {
    const data = keys.map((key) => book(key, `book ${key}`));
    must(await client.insert({ collection_name: this.#name, partition_name: partition, data }));
    for (const { id, title } of data) this.#books.set(id, { title, partition });
  }

  async #upsert(client: MilvusClient, partition: string, keys: readonly number[]): Promise<void> {
    const data = keys.map((key) => book(key, `second edition of ${key}`));
    must(await client.upsert({ collection_name: this.#name, partition_name: partition, data }));
    for (const { id, title } of data) this.#books.set(id, { title, partition });
  }

  async #delete(client: MilvusClient, keys: readonly number[]): Promise<void> {
    must(await client.delete({ collection_name: this.#name, ids: [...keys] }));
    for (const key of keys) this.#books.delete(key);
  }

  async #count(client: MilvusClient): Promise<number> {
    const answer = await client.count({ collection_name: this.#name });
    must(answer);
    return Number(answer.data);
  }

  async #titles(client: MilvusClient, partition?: string): Promise<Map<number, string>> {
    const answer = await client.query({
      collection_name: this.#name,
      filter: 'id >= 0',
      output_fields: ['title'],
      ...(partition === undefined ? {} : { partition_names: [partition] }),
    });
    must(answer);
    return new Map(answer.data.map((row) => [Number(row.id), String(row.title)]));
  }
}

function book(id: number, title: string) {
  return { id, title, v: [id, 0, 0, 0] };
}

function byKey(a: readonly [number, string], b: readonly [number, string]): number {
  return a[0] - b[0];
}
