import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { DataType, type PartitionId, type SegmentId, type Timestamp } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';
import { DiskError, LoopShare, type Random, seededRandom, systemClock } from '@elanus/runtime';
import { type SegmentFileContent, Shard, segmentContent } from '@elanus/segment';
import { everyTypeSchema, randomBatch } from '@elanus/segment/testing';
import { beginCollection } from '../files/begin-collection.ts';
import { LoopEncoder } from './file-encoder.ts';
import { ThreadEncoder } from './thread-encoder.ts';

const share = new LoopShare(systemClock);
const never = new AbortController().signal;
const cached = { cache: 'kept', signal: never } as const;

/** Rows of every type, as a flush writes them. */
async function contentOf(rows: number, random: Random): Promise<SegmentFileContent> {
  const schema = everyTypeSchema(DataType.Int64);
  const shard = new Shard({ segmentId: 1n as SegmentId, schema, seed: 1, share });
  for (let first = 0, time = 1n; first < rows; first += 1_000, time += 1n) {
    const keys = Array.from({ length: Math.min(1_000, rows - first) }, (_, i) => BigInt(first + i));
    const parts = [{ partitionId: 1n as PartitionId, batch: randomBatch(schema, keys, random) }];
    const write = await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, time as Timestamp);
    write!.publish();
  }
  const cut = shard.cut(() => 7n as SegmentId);
  const label = { collectionId: 5n, partitionId: 1n, segmentId: 7n, channel: 'c', notes: {} };
  return segmentContent(cut, cut.segments[0]!, label);
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const copies: Uint8Array[] = [];
  for await (const piece of pieces) copies.push(Uint8Array.from(piece));
  return Buffer.concat(copies);
}

test('a thread makes the same bytes as the event loop, also for several readers at once', async () => {
  await using encoder = new ThreadEncoder(new LoopEncoder(share));
  const contents = await Promise.all([10, 3_000, 20_000].map((rows) => contentOf(rows, seededRandom(rows))));
  const made = await Promise.all(contents.map((content) => bytesOf(encoder.encode(content, never))));
  for (const [at, content] of contents.entries()) {
    const expected = await bytesOf(new LoopEncoder(share).encode(content, never));
    assert.ok(expected.equals(made[at]!), `file ${at}`);
  }
});

for (const cache of ['kept', 'passed'] as const)
  test(`a thread writes the files that the event loop would, the page cache ${cache}, and says their checksums`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'elanus-encoder-'));
    try {
      await using encoder = new ThreadEncoder(new LoopEncoder(share));
      const write = (content: SegmentFileContent, name: string) =>
        encoder.write(content, join(directory, name), { cache, signal: never });
      assert.equal(write(await contentOf(10, seededRandom(1)), 'small'), null);
      const contents = await Promise.all([3_000, 20_000].map((rows) => contentOf(rows, seededRandom(rows))));
      const written = await Promise.all(contents.map((content, at) => write(content, String(at))));
      for (const [at, content] of contents.entries()) {
        const expected = await bytesOf(new LoopEncoder(share).encode(content, never));
        assert.ok(expected.equals(readFileSync(join(directory, String(at)))), `file ${at}`);
        assert.deepEqual(written[at], { bytes: expected.length, crc32: crc32(expected) });
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

test('a file that can’t be written is not there, and the thread goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'elanus-encoder-'));
  try {
    await using encoder = new ThreadEncoder(new LoopEncoder(share));
    const content = await contentOf(2_000, seededRandom(1));
    const nowhere = encoder.write(content, join(directory, 'nowhere', 'file'), cached);
    await assert.rejects(nowhere!, (error) => error instanceof DiskError && error.kind === 'missing');
    const wrong = { ...content, columns: content.columns.map(({ field }) => ({ field, pieces: [] })) };
    await assert.rejects(encoder.write(wrong, join(directory, 'wrong'), cached)!, /could not be made/);
    const stop = new AbortController();
    const stopped = encoder.write(content, join(directory, 'stopped'), { ...cached, signal: stop.signal })!;
    stop.abort(new Error('enough'));
    await assert.rejects(stopped, /enough/);
    assert.deepEqual(readdirSync(directory), []);
    assert.ok((await encoder.write(content, join(directory, 'file'), cached))!.bytes > 0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a reader that leaves, or is told to stop, leaves the thread to the next', async () => {
  await using encoder = new ThreadEncoder(new LoopEncoder(share));
  const content = await contentOf(20_000, seededRandom(1));
  const expected = await bytesOf(new LoopEncoder(share).encode(content, never));
  for await (const piece of encoder.encode(content, never)) if (piece.length > 0) break;
  const stop = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of encoder.encode(content, stop.signal)) stop.abort(new Error('enough'));
  }, /enough/);
  assert.ok(expected.equals(await bytesOf(encoder.encode(content, never))));
});

test('what can’t be made is said, and the next file can', async () => {
  await using encoder = new ThreadEncoder(new LoopEncoder(share));
  const content = await contentOf(2_000, seededRandom(1));
  const wrong = { ...content, columns: content.columns.map(({ field }) => ({ field, pieces: [] })) };
  await assert.rejects(
    bytesOf(encoder.encode(wrong, never)),
    /could not be made: .*has a value for each row/,
  );
  assert.ok((await bytesOf(encoder.encode(content, never))).length > 0);
});

test('a thread at rest holds no rows that everybody else has let go of', async () => {
  await using encoder = new ThreadEncoder(new LoopEncoder(share));
  for await (const _ of encoder.encode(largeContent(), never));
  const before = ownBytes();
  const freed = async (): Promise<boolean> => {
    for (let tries = 0; tries < 100; tries += 1) {
      beginCollection();
      if (before - ownBytes() >= LARGE_BYTES / 2) return true;
      await sleep(50);
    }
    return false;
  };
  assert.ok(await freed());
});

const LARGE_BYTES = 96 * 1024 * 1024;

/** Vectors in shared memory, as those of rows are. */
function largeContent(): SegmentFileContent {
  const dim = 1_024;
  const length = LARGE_BYTES / (4 * dim);
  const bytes = new Uint8Array(new SharedArrayBuffer(LARGE_BYTES)).fill(1);
  const label = { collectionId: 5n, partitionId: 1n, segmentId: 7n, channel: 'c', notes: {} };
  const field = fieldFixture(101, 'vector', DataType.FloatVector, { dim });
  const vectors = { dataType: DataType.FloatVector, dim, length, validity: null, bytes } as const;
  const columns = [{ field, pieces: [vectors] }];
  return { kind: 'deletes', label, columns, timestamps: [new BigInt64Array(length)] };
}

/** Of the process, files that it has mapped left out. */
function ownBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  const of = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return of('RssAnon') + of('RssShmem');
}
