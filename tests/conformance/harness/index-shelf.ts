import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ElanusProcess } from '@elanus/tests-harness';
import { DataType, type MilvusClient } from '@zilliz/milvus2-sdk-node';
import { must } from './must.ts';

const ROWS = 17_000;
const BATCH_ROWS = 3_400;
const WAIT_MS_MAX = 60_000;
/** So many bytes of each vector that the rows are worth an index. */
const DIMENSIONS = 64;
const BITS = 2_048;
const HASHES = 64;

interface IndexedField {
  readonly index_type: string;
  readonly metric_type: string;
  readonly params: Readonly<Record<string, string | number | boolean>>;
  readonly data_type: DataType;
  readonly dim: number;
  readonly search: Readonly<Record<string, string | number | boolean>>;
}

/** Of each kind of index that lies on disk or is over bits one. */
const FIELDS: Readonly<Record<string, IndexedField>> = {
  disk: {
    index_type: 'DISKANN',
    metric_type: 'L2',
    // With fewer links some rows of a centre, all as far apart, have no way to them: of 24 up to 4 %, as the seed wills.
    params: { max_degree: 48, search_list_size: 100 },
    data_type: DataType.FloatVector,
    dim: DIMENSIONS,
    // As many as a centre has rows: their codes in memory are too alike to put the row itself among the first 50.
    search: { search_list: 200 },
  },
  bits: {
    index_type: 'BIN_IVF_FLAT',
    metric_type: 'HAMMING',
    params: { nlist: 64 },
    data_type: DataType.BinaryVector,
    dim: BITS,
    search: { nprobe: 8 },
  },
  hashes: {
    index_type: 'MINHASH_LSH',
    metric_type: 'MHJACCARD',
    params: { mh_lsh_band: 16, mh_element_bit_width: 32, with_raw_data: true },
    data_type: DataType.BinaryVector,
    dim: 32 * HASHES,
    search: { mh_search_with_jaccard: true },
  },
};

type Found = readonly (readonly [id: number, score: number])[];

/** A collection with those indexes, and what searches found there. */
export class IndexShelf {
  readonly #name: string;
  #found: readonly Found[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Creates, inserts, flushes, and waits until every index is in a file of `server`. */
  async fill(client: MilvusClient, server: ElanusProcess): Promise<void> {
    const collection_name = this.#name;
    const fields = [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      ...Object.entries(FIELDS).map(([name, { data_type, dim }]) => ({ name, data_type, dim })),
    ];
    must(await client.createCollection({ collection_name, fields, consistency_level: 'Strong' }));
    for (const [field_name, { index_type, metric_type, params }] of Object.entries(FIELDS))
      must(await client.createIndex({ collection_name, field_name, index_type, metric_type, params }));
    for (let first = 0; first < ROWS; first += BATCH_ROWS) {
      const data = Array.from({ length: BATCH_ROWS }, (_, i) => rowOf(first + i));
      must(await client.insert({ collection_name, data }));
    }
    await client.flushSync({ collection_names: [collection_name] });
    must(await client.loadCollection({ collection_name }));
    const files = Object.keys(FIELDS).length;
    await until(async () => (await indexFiles(server)).length === files, 'every index is in a file');
    this.#found = await this.#search(client);
    for (const [at, found] of this.#found.entries())
      assert.deepEqual(found[0], [ASKED, Object.values(FIELDS)[at]!.metric_type === 'MHJACCARD' ? 1 : 0]);
  }

  /** Demands that searches find what they found before, with the rows that are indexed then. */
  async check(client: MilvusClient): Promise<void> {
    must(await client.loadCollection({ collection_name: this.#name }));
    assert.deepEqual(await this.#search(client), this.#found);
  }

  /** By each index: the nearest, under a filter, within a radius, and the first pages of an iterator. */
  async #search(client: MilvusClient): Promise<readonly Found[]> {
    const found: Found[] = [];
    const collection_name = this.#name;
    const asked = rowOf(ASKED);
    for (const [anns_field, { metric_type, search }] of Object.entries(FIELDS)) {
      const data = asked[anns_field as keyof typeof asked] as number[];
      const one = async (params: object, filter = ''): Promise<Found> => {
        const options = { collection_name, anns_field, metric_type, data, limit: 20, filter, params };
        const { results } = must(await client.search(options as Parameters<MilvusClient['search']>[0]));
        return results.map(({ id, score }) => [Number(id), score] as const);
      };
      const near = await one(search);
      const odd = await one(search, `id % 2 == ${ASKED % 2}`);
      assert.ok(odd.every(([id]) => id % 2 === ASKED % 2));
      found.push([...near, ...odd]);
      if (metric_type === 'MHJACCARD') continue;
      const radius = near.at(-1)![1];
      const within = await one({ ...search, radius });
      assert.ok(within.length > 0 && within.every(([, score]) => score < radius));
      found[found.length - 1] = [...near, ...odd, ...within];
    }
    return found;
  }
}

/** The row that searches are for. */
const ASKED = 4_711;

function rowOf(id: number): { id: number; disk: number[]; bits: number[]; hashes: number[] } {
  const centre = id % 100;
  return {
    id,
    disk: Array.from(
      { length: DIMENSIONS },
      (_, i) => (mixed(centre, i) % 64) + (mixed(1_000 + id, i) % 16) / 4,
    ),
    // A quarter of the bytes are the row's own.
    bits: Array.from({ length: BITS / 8 }, (_, i) => mixed(i % 4 === 0 ? 100_000 + id : centre, i) & 255),
    // Of every four rows half of the hashes are the same.
    hashes: Array.from(
      { length: 4 * HASHES },
      (_, i) => mixed(i % 8 < 4 ? 200_000 + (id >> 2) : 300_000 + id, i) & 255,
    ),
  };
}

/** The same large number for the same two. */
function mixed(row: number, at: number): number {
  let hash = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(at + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 8;
}

async function indexFiles({ dataDirectory }: ElanusProcess): Promise<readonly string[]> {
  const names = await readdir(dataDirectory, { recursive: true });
  return names.filter((name) => name.endsWith('.idx'));
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + WAIT_MS_MAX;
  while (!(await holds())) {
    assert.ok(Date.now() < end, `not within ${WAIT_MS_MAX} ms: ${what}`);
    await delay(50);
  }
}
