import assert from 'node:assert/strict';
import { truncateSync, unlinkSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  type ChannelName,
  type CollectionId,
  DataType,
  type FieldId,
  MilvusError,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  type Timestamp,
} from '@elanus/model';
import { openObjectFiles, openObjectStore } from '@elanus/object-store';
import { LoopShare, NodeDisk, noMetrics, seededRandom, silentLogger, systemClock } from '@elanus/runtime';
import { encodeSegmentFile } from '@elanus/segment';
import { everyTypeSchema, randomBatch } from '@elanus/segment/testing';
import { FileVerifier } from './file-verifier.ts';
import { MappedSegmentFiles } from './mapped-segment-files.ts';

const disk = new NodeDisk();
const random = seededRandom(1);
const share = new LoopShare(systemClock);
const schema = everyTypeSchema(DataType.Int64);
const KEY = 'collection-3/log-snapshot/7.arrow';
const KEY_FIELD = 100 as FieldId;
const ROWS = 50;

interface Fixture {
  readonly path: string;
  readonly info: SegmentInfo;
  readonly files: MappedSegmentFiles;
  readonly verifier: FileVerifier;
}

async function withFile(work: (fixture: Fixture) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-mapped-'));
  try {
    const store = await openObjectStore({ type: 'local', directory }, { clock: systemClock, random, disk });
    const keys = Array.from({ length: ROWS }, (_, i) => BigInt(i));
    const { columns } = randomBatch(schema, keys, random);
    const label = { collectionId: 3n, partitionId: 5n, segmentId: 7n, channel: 'c', notes: {} };
    const stored = [...schema.fields, schema.dynamicField!];
    const pieces: Uint8Array[] = [];
    const content = {
      kind: 'rows' as const,
      label,
      columns: stored.map((field) => ({ field, pieces: [columns.get(field.id)!] })),
      timestamps: [new BigInt64Array(ROWS).fill(9n)],
    };
    for await (const piece of encodeSegmentFile(content, { share })) pieces.push(piece.slice());
    const bytes = Buffer.concat(pieces);
    await store.put(KEY, bytes);
    const info: SegmentInfo = {
      id: 7n as SegmentId,
      collectionId: 3n as CollectionId,
      partitionId: 5n as PartitionId,
      channel: 'c' as ChannelName,
      rows: ROWS,
      firstTimestamp: 9n as Timestamp,
      lastTimestamp: 9n as Timestamp,
      file: { key: KEY, bytes: bytes.length, crc32: crc32(bytes) },
    };
    const cacheDirectory = `${directory}-cache`;
    const files = await openObjectFiles({ store, disk, cacheDirectory, cacheBytesMax: 0 });
    await using verifier = new FileVerifier({
      files,
      disk,
      clock: systemClock,
      logger: silentLogger,
      metrics: noMetrics,
    });
    const path = join(directory, KEY);
    await work({ path, info, files: new MappedSegmentFiles(files, verifier), verifier });
  } finally {
    await rm(directory, { recursive: true });
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof MilvusError && error.code === 1009 && error.message.includes(KEY);

describe('the file of a sealed segment', () => {
  it('is mapped when it is opened, and stays when it is removed', () =>
    withFile(async ({ path, info, files }) => {
      const sealed = files.of(info);
      assert.equal(sealed.isOpen, false);
      await sealed.open();
      unlinkSync(path);
      assert.equal(sealed.column(KEY_FIELD, 10, 5)!.length, 5);
      assert.deepEqual(sealed.timestamps(0, 2), BigInt64Array.of(9n, 9n));
    }));

  it('is refused by name when it is missing or has another length, and found when it is back', () =>
    withFile(async ({ path, info, files }) => {
      await assert.rejects(
        files.of({ ...info, file: { ...info.file, key: `${KEY}.x` } }).open(),
        MilvusError,
      );
      const whole = files.of({ ...info, file: { ...info.file, bytes: info.file.bytes + 1 } });
      await assert.rejects(whole.open(), isBroken);
      assert.equal(whole.isBroken, true);
      const sealed = files.of(info);
      await sealed.open();
      truncateSync(path, 100);
      await assert.rejects(files.of(info).open(), isBroken);
    }));

  it('is given up when the background finds other bytes than were written', () =>
    withFile(async ({ path, info, files }) => {
      const handle = await open(path, 'r+');
      await handle.write(Uint8Array.of(0xff), 0, 1, 4096);
      await handle.close();
      const sealed = files.of(info);
      await sealed.open();
      while (!sealed.isBroken) await systemClock.sleep(1);
      await assert.rejects(sealed.open(), isBroken);
    }));
});
