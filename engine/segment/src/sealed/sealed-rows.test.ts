import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { loadKernel } from '@elanus/kernel';
import {
  type ChannelName,
  type CollectionId,
  type Column,
  DataType,
  type FieldId,
  type KeyColumn,
  MilvusError,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { type Random, seededRandom } from '@elanus/runtime';
import { fetchColumns } from '../fetch-columns.ts';
import { sourceInMemory } from '../files/index.ts';
import { SegmentFile } from '../files/segment-file.ts';
import { fileOf, LABEL, share } from '../files/segment-file-fixture.ts';
import { countShards, queryShards } from '../query-shards.ts';
import type { Read } from '../read.ts';
import { searchShards } from '../search-shards.ts';
import { Shard } from '../shard.ts';
import { storedFields } from '../stored-fields.ts';
import {
  EVERY_TYPE,
  everyTypeSchema,
  keyColumn,
  keysOf,
  randomBatch,
  type TestKey,
  valueAt,
} from '../testing/index.ts';
import { VectorCoder } from '../vector-coder.ts';
import type { WriteRecord } from '../write-record.ts';
import { RestoredDeletions } from './restored-deletions.ts';
import { SealedFile } from './sealed-file.ts';
import type { SegmentRewrite } from './segment-rewrite.ts';
import { deletionContent, type SealedRows, type ShardCut, segmentContent } from './shard-cut.ts';

const PARTITIONS = [1n, 2n, 3n] as PartitionId[];
const COLLECTION = 9n as CollectionId;
const CHANNEL = 'c' as ChannelName;
const kernel = loadKernel();
const tools = { kernel, coder: new VectorCoder(kernel) };

type KeyType = typeof DataType.Int64 | typeof DataType.VarChar;

/** Two shards that take the same writes: one keeps all in memory, the other moves it to files and starts anew. */
class Twins {
  readonly schema: ReturnType<typeof everyTypeSchema>;
  readonly memory: Shard;
  stored: Shard;
  readonly #random: Random;
  readonly #keyType: KeyType;
  readonly #duplicates: WriteRecord['duplicates'];
  readonly #log: { readonly timestamp: Timestamp; readonly record: WriteRecord }[] = [];
  #files: readonly { readonly info: SegmentInfo; readonly bytes: Uint8Array }[] = [];
  readonly #deletions: Uint8Array[] = [];
  #checkpoint = 0n as Timestamp;
  /** Moments before can't be read any more. */
  historyStart = 0n as Timestamp;
  #time = 0n;
  #ids = 100n;
  #keys = 0;

  constructor(keyType: KeyType, duplicates: WriteRecord['duplicates'], random: Random) {
    this.schema = everyTypeSchema(keyType);
    this.#keyType = keyType;
    this.#duplicates = duplicates;
    this.#random = random;
    this.memory = this.#newShard();
    this.stored = this.#newShard();
  }

  get time(): bigint {
    return this.#time;
  }

  async step(): Promise<void> {
    const choice = this.#random.below(12);
    if (choice < 5) await this.#insert();
    else if (choice < 7) await this.#delete();
    else if (choice < 9) await this.#flush(this.#random.chance(0.7));
    else if (choice < 11) await this.#compact(this.#random.chance(0.8));
    else await this.#restart();
  }

  /** A moment that both can read. */
  readableTime(random: Random): Timestamp {
    const start = Number(this.historyStart);
    return BigInt(start + random.below(Number(this.#time) - start + 1)) as Timestamp;
  }

  randomKeys(count: number): TestKey[] {
    return Array.from({ length: count }, () => this.#keyOf(this.#random.below(this.#keys + 20)));
  }

  #newShard(): Shard {
    const segmentId = 1n as SegmentId;
    return new Shard({ segmentId, schema: this.schema, seed: this.#random.uint32(), share });
  }

  #keyOf(number: number): TestKey {
    return this.#keyType === DataType.Int64 ? BigInt((number * 7919) % 5000) - 2500n : `k${number % 5000}`;
  }

  async #insert(): Promise<void> {
    const parts = PARTITIONS.filter(() => this.#random.chance(0.5)).map((partitionId) => {
      const rows = this.#random.chance(0.1) ? 500 : 1 + this.#random.below(20);
      const fresh = Array.from({ length: rows }, () => this.#keyOf(this.#keys++));
      const keys = fresh.map((key) => (this.#random.chance(0.2) ? this.randomKeys(1)[0]! : key));
      return { partitionId, batch: randomBatch(this.schema, keys, this.#random) };
    });
    if (parts.length > 0) await this.#write({ kind: 'insert', duplicates: this.#duplicates, parts });
  }

  async #delete(): Promise<void> {
    const keys = keyColumn(this.randomKeys(1 + this.#random.below(10)), this.#keyType);
    const partitionIds = this.#random.chance(0.7) ? null : [PARTITIONS[this.#random.below(3)]!];
    await this.#write({ kind: 'delete', duplicates: this.#duplicates, parts: [{ partitionIds, keys }] });
  }

  async #write(record: WriteRecord): Promise<void> {
    this.#time += 10n;
    const timestamp = this.#time as Timestamp;
    this.#log.push({ timestamp, record });
    const prepared = [
      await this.memory.prepare(record, timestamp),
      await this.stored.prepare(record, timestamp),
    ];
    const [expected, effect] = prepared.map((write) => write!.publish());
    assert.deepEqual(effect, expected, 'a write has the same effect on both');
  }

  /** As the worker does it; `isPublished` false: the process ends before the catalog knows. */
  async #flush(isPublished: boolean): Promise<void> {
    const cut = this.stored.cut(() => this.#ids++ as SegmentId);
    const checkpoint = this.stored.appliedTimestamp;
    // What comes after the cut is not in its files.
    if (this.#random.chance(0.5)) await this.#insert();
    if (this.#random.chance(0.5)) await this.#delete();
    if (!isPublished) {
      await this.#restart();
      return;
    }
    const files = await Promise.all(cut.segments.map((sealed) => this.#writeFile(cut, sealed)));
    const deletions = await deletionContent(cut, this.#label(0n), share);
    this.#files = [...this.#files, ...files];
    if (deletions !== null) this.#deletions.push(await fileOf(deletions));
    this.#checkpoint = checkpoint;
    for (const [i, sealed] of cut.segments.entries()) {
      const file = sealedFile(files[i]!);
      await file.open();
      this.stored.handOver(sealed, file);
      const chunks = this.stored.stored.storeKeys(file, sealed);
      for (const chunk of chunks) {
        if (this.#random.chance(0.3)) await this.#insert();
        if (this.#random.chance(0.3)) await this.#delete();
        await this.stored.stored.unlinkKeys(chunk);
      }
    }
  }

  /** As the worker does it, writes between any two steps; `isPublished` false: the process ends before the catalog knows. */
  async #compact(isPublished: boolean): Promise<void> {
    const { stored } = this.stored;
    const partition = PARTITIONS[this.#random.below(3)]!;
    const own = stored.rewritable().filter(({ info }) => info.partitionId === partition);
    const chosen = own.filter(() => this.#random.chance(0.7));
    if (chosen.length === 0) return;
    for (const file of chosen) await file.open();
    const dropUpTo = BigInt(this.#random.below(Number(this.#time) + 1)) as Timestamp;
    const rewrite = stored.beginRewrite(chosen, dropUpTo);
    await this.#perhapsWrite();
    await rewrite.plan(share);
    await this.#perhapsWrite();
    const id = this.#ids++ as SegmentId;
    const made = rewrite.rows === 0 ? null : await this.#writeRewritten(rewrite, id, partition);
    await this.#perhapsWrite();
    await stored.catchUp(rewrite);
    const deletions = await rewrite.deletionContent(id, this.#label(0n), share);
    await this.#perhapsWrite();
    if (!isPublished) {
      await this.#restart();
      return;
    }
    const ids = new Set(rewrite.segmentIds);
    this.#files = [...this.#files.filter(({ info }) => !ids.has(info.id)), ...(made === null ? [] : [made])];
    if (deletions !== null) this.#deletions.push(await fileOf(deletions));
    if (dropUpTo > this.historyStart) this.historyStart = dropUpTo;
    await this.#perhapsWrite();
    const file = made === null ? null : sealedFile(made);
    await file?.open();
    const old = stored.finishRewrite(rewrite, file);
    assert.ok(old !== null, 'nobody has taken the rows away');
    stored.free(old);
  }

  async #perhapsWrite(): Promise<void> {
    if (this.#random.chance(0.3)) await this.#insert();
    if (this.#random.chance(0.3)) await this.#delete();
  }

  async #writeRewritten(
    rewrite: SegmentRewrite,
    id: SegmentId,
    partitionId: PartitionId,
  ): Promise<{ info: SegmentInfo; bytes: Uint8Array }> {
    const bytes = await fileOf(await rewrite.content(this.#label(id), share));
    const { first, last } = rewrite.times!;
    const file = { key: `${id}.arrow`, bytes: bytes.length, crc32: 0 };
    const place = { collectionId: COLLECTION, channel: CHANNEL, partitionId };
    return {
      info: { id, ...place, rows: rewrite.rows, firstTimestamp: first, lastTimestamp: last, file },
      bytes,
    };
  }

  async #writeFile(cut: ShardCut, sealed: SealedRows): Promise<{ info: SegmentInfo; bytes: Uint8Array }> {
    const bytes = await fileOf(segmentContent(cut, sealed, this.#label(sealed.id)));
    const { id, partitionId, rows, firstTimestamp, lastTimestamp } = sealed;
    const file = { key: `${id}.arrow`, bytes: bytes.length, crc32: 0 };
    const info = { id, partitionId, rows, firstTimestamp, lastTimestamp, file };
    return { info: { ...info, collectionId: COLLECTION, channel: CHANNEL }, bytes };
  }

  #label(segmentId: bigint): typeof LABEL {
    return { ...LABEL, collectionId: COLLECTION, segmentId };
  }

  async #restart(): Promise<void> {
    const shard = this.#newShard();
    const files = await Promise.all(this.#deletions.map((bytes) => SegmentFile.open(sourceInMemory(bytes))));
    await shard.restore({
      segments: this.#files.map(sealedFile),
      deletions: await RestoredDeletions.read(files, share),
      checkpoint: this.#checkpoint,
      historyStart: this.historyStart,
    });
    for (const { timestamp, record } of this.#log) {
      const write = await shard.prepare(record, timestamp);
      assert.equal(write === null, timestamp <= this.#checkpoint);
      write?.publish();
    }
    this.stored = shard;
  }
}

function sealedFile({ info, bytes }: { readonly info: SegmentInfo; readonly bytes: Uint8Array }): SealedFile {
  return new SealedFile(info, { map: () => Promise.resolve(bytes) });
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Everything that a read can be about, as plain data. */
async function answers(twins: Twins, shard: Shard, read: Partial<Read>, seed: number): Promise<unknown> {
  const { schema } = twins;
  const keyType = schema.primaryKey.dataType as KeyColumn['dataType'];
  const scope = { partitionIds: null, at: TIMESTAMP_MAX };
  const whole: Read = { shards: [shard], scope, selection: null, share, ...read };
  const rows = await queryShards(whole, { limit: null, offset: 0 }, keyType);
  const ids = storedFields(schema).map(({ id }) => id);
  const columns = await fetchColumns({ shards: [shard], schema, share }, rows.locations, ids);
  const values = keysOf(rows.keys).map((key, row) => [
    key,
    ...ids.map((id) => valueAt(columns.get(id)!, row)),
  ]);
  // Which of two rows with the same key comes first is nobody's business.
  values.sort((a, b) => (a[0] === b[0] ? compareText(inspect(a), inspect(b)) : 0));
  const random = seededRandom(seed);
  const searched = [EVERY_TYPE.floatVector, EVERY_TYPE.sparseVector, EVERY_TYPE.binaryVector];
  const hits = [];
  for (const id of searched) {
    const field = schema.fields.find((other) => other.id === id)!;
    const queries = randomBatch(schema, twins.randomKeys(2), random).columns.get(id as FieldId)!;
    const search = {
      field,
      metric: id === EVERY_TYPE.binaryVector ? ('HAMMING' as const) : ('IP' as const),
      queries: {
        dataType: field.dataType as typeof DataType.FloatVector,
        dim: field.dim,
        count: 2,
        bytes: (queries as Extract<Column, { bytes: Uint8Array }>).bytes,
        offsets: 'offsets' in queries ? queries.offsets : null,
      },
      limit: 7,
      radius: null,
      rangeFilter: null,
      walk: null,
    };
    const { counts, keys, scores } = await searchShards(whole, search, tools, keyType);
    hits.push({ counts: [...counts], keys: keysOf(keys), scores: [...scores] });
  }
  return {
    count: await countShards(whole),
    live: [...shard.liveRows()].filter(([, rows]) => rows > 0).sort(),
    values,
    hits,
  };
}

describe('the rows of a sealed segment', () => {
  for (const [keyType, keyName] of [
    [DataType.Int64, 'numbers'],
    [DataType.VarChar, 'texts'],
  ] as const) {
    for (const duplicates of ['replace', 'keep'] as const) {
      for (const seed of [1, 2, 3]) {
        it(`are what growing rows are: keys are ${keyName}, duplicates ${duplicates}, seed ${seed}`, async () => {
          const random = seededRandom(seed);
          const twins = new Twins(keyType, duplicates, random);
          for (let round = 0; round < 8; round++) {
            for (let i = 0; i < 4; i++) await twins.step();
            const reads: Partial<Read>[] = [
              {},
              { scope: { partitionIds: new Set([PARTITIONS[1]!]), at: TIMESTAMP_MAX } },
              {
                scope: { partitionIds: null, at: twins.readableTime(random) },
              },
              { selection: { keys: keyColumn(twins.randomKeys(30), keyType), matches: null } },
              {
                selection: {
                  keys: null,
                  matches: (source, start, end, matches) => {
                    const column = source.column(EVERY_TYPE.bool as FieldId);
                    for (let row = start; row < end; row++)
                      matches[row - start] = valueAt(column, row) ? 1 : 0;
                  },
                },
              },
            ];
            for (const read of reads) {
              const question = random.below(1000);
              const actual = await answers(twins, twins.stored, read, question);
              // The questions take random keys: both shards are asked the same.
              assert.deepEqual(actual, await answers(twins, twins.memory, read, question), `round ${round}`);
            }
          }
        });
      }
    }
  }
});

describe('a sealed segment whose file is not what was written', () => {
  const info: SegmentInfo = {
    id: 7n as SegmentId,
    collectionId: COLLECTION,
    partitionId: PARTITIONS[0]!,
    channel: CHANNEL,
    rows: 3,
    firstTimestamp: 1n as Timestamp,
    lastTimestamp: 2n as Timestamp,
    file: { key: 'collection-9/log-snapshot/7.arrow', bytes: 100, crc32: 0 },
  };

  it('fails the reads of its partition and names itself, all others succeed', async () => {
    const schema = everyTypeSchema(DataType.Int64);
    const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
    const file = new SealedFile(info, { map: () => Promise.resolve(new Uint8Array(100)) });
    await shard.restore({
      segments: [file],
      deletions: RestoredDeletions.NONE,
      checkpoint: 5n as Timestamp,
      historyStart: 0n as Timestamp,
    });
    const batch = randomBatch(schema, [1n, 2n], seededRandom(1));
    const record: WriteRecord = {
      kind: 'insert',
      duplicates: 'replace',
      parts: [{ partitionId: PARTITIONS[1]!, batch }],
    };
    (await shard.prepare(record, 6n as Timestamp))!.publish();
    const read = (partitionIds: ReadonlySet<PartitionId> | null): Read => ({
      shards: [shard],
      scope: { partitionIds, at: TIMESTAMP_MAX },
      selection: null,
      share,
    });
    const query = (partitions: ReadonlySet<PartitionId> | null) =>
      queryShards(read(partitions), { limit: null, offset: 0 }, DataType.Int64);
    await assert.rejects(query(null), (error) => {
      assert.ok(error instanceof MilvusError);
      assert.equal(error.code, 1009);
      assert.match(error.message, /segment 7 \(collection-9\/log-snapshot\/7\.arrow\)/);
      return true;
    });
    assert.deepEqual(keysOf((await query(new Set([PARTITIONS[1]!]))).keys), [1n, 2n]);
  });
});
