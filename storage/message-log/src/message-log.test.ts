import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AssertionError, type ChannelName, type MilvusError, type Timestamp } from '@elanus/model';
import {
  type Disk,
  ManualClock,
  NodeDisk,
  noMetrics,
  SimulatedDisk,
  seededRandom,
  silentLogger,
  systemRandom,
} from '@elanus/runtime';
import { LogVersionError, type MessageLog, openMessageLog } from './index.ts';
import { FILE_HEADER } from './log-format.ts';

const A = 'elanus-dml_0_451v0' as ChannelName;
const B = 'elanus-dml_1_451v1' as ChannelName;
const at = (value: number) => BigInt(value) as Timestamp;
const bytes = (text: string) => [Buffer.from(text)];

function open(disk: Disk, directory = '/data/log'): Promise<MessageLog> {
  return openMessageLog({
    disk,
    directory,
    clock: new ManualClock(),
    random: systemRandom,
    logger: silentLogger,
    metrics: noMetrics,
  });
}

const simulated = (seed = 1) => new SimulatedDisk({ random: seededRandom(seed) });

async function texts(log: MessageLog, channel: ChannelName): Promise<string[]> {
  const found: string[] = [];
  for await (const { timestamp, payload } of log.replay(channel))
    found.push(`${timestamp}:${Buffer.from(payload)}`);
  return found;
}

async function logWith(
  disk: SimulatedDisk,
  records: readonly string[],
  end: 'close' | 'kill' = 'close',
): Promise<void> {
  const log = await open(disk.mount());
  await log.createChannel(A);
  for (const [index, text] of records.entries()) {
    await log.append(at(index + 1), [{ channel: A, payload: bytes(text) }]);
  }
  if (end === 'close') await log.close();
  else disk.crash('kill');
}

const FILE = `/data/log/${A}/000000000001.log`;

test('finds on a real disk what was acknowledged before', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-log-'));
  try {
    const first = await open(new NodeDisk(), join(directory, 'log'));
    await first.createChannel(A);
    await first.createChannel(B);
    const long = Buffer.alloc(3_000_000, 7);
    await Promise.all([
      first.append(at(1), [{ channel: A, payload: [Buffer.from('o'), Buffer.from('ne')] }]),
      first.append(at(2), [
        { channel: A, payload: bytes('two') },
        { channel: B, payload: [long.subarray(0, 1), long.subarray(1)] },
      ]),
      first.append(at(3), [{ channel: B, payload: Array.from({ length: 3_000 }, () => Buffer.from('x')) }]),
      first.append(at(4), [{ channel: A, payload: [] }]),
    ]);
    await first.close();
    const second = await open(new NodeDisk(), join(directory, 'log'));
    assert.deepEqual(second.channels(), [A, B]);
    assert.deepEqual(second.damage(), []);
    assert.deepEqual(await texts(second, A), ['1:one', '2:two', '4:']);
    assert.deepEqual(await texts(second, B), [`2:${long}`, `3:${'x'.repeat(3_000)}`]);
    await second.append(at(5), [{ channel: A, payload: bytes('five') }]);
    assert.deepEqual((await texts(second, A)).at(-1), '5:five');
    await second.dropChannel(A);
    await second.close();
    const third = await open(new NodeDisk(), join(directory, 'log'));
    assert.deepEqual(third.channels(), [B]);
    await third.close();
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('drops a half-written record and keeps the rest', async () => {
  const disk = simulated();
  await logWith(disk, ['one', 'two', 'three'], 'kill');
  const tail = disk.mount();
  await using file = await tail.open(FILE, 'write');
  const lastByte = FILE_HEADER.bytes + 3 * 48 + 'onetwothree'.length - 1;
  await file.truncate(lastByte);
  const log = await open(disk.mount());
  assert.deepEqual(await texts(log, A), ['1:one', '2:two']);
  assert.deepEqual(log.damage(), []);
  await log.append(at(9), [{ channel: A, payload: bytes('nine') }]);
  assert.deepEqual(await texts(log, A), ['1:one', '2:two', '9:nine']);
});

test('reports a damaged record in the middle, copies it aside and serves the rest', async () => {
  const disk = simulated();
  await logWith(disk, ['one', 'two', 'three']);
  const second = FILE_HEADER.bytes + 48 + 'one'.length;
  disk.flipBit(FILE, (second + 48) * 8);
  const log = await open(disk.mount());
  assert.deepEqual(await texts(log, A), ['1:one', '3:three']);
  assert.deepEqual(await texts(log, A), ['1:one', '3:three']);
  const reason = 'the payload does not match its checksum';
  assert.deepEqual(log.damage(), [
    { channel: A, file: FILE, offset: second, length: 51, reason, kind: 'damaged' },
  ]);
  assert.ok(disk.filePaths().includes(`/data/log/${A}/quarantine/000000000001.log-${second}-51.bin`));
});

test('refuses a channel of an unknown version and serves the others', async () => {
  const disk = simulated();
  await logWith(disk, ['one']);
  const log = await open(disk.mount());
  await log.createChannel(B);
  await log.close();
  disk.flipBit(FILE, FILE_HEADER.versionAt * 8 + 1);
  disk.flipBit(FILE, FILE_HEADER.checksumAt * 8);
  const again = await open(disk.mount());
  assert.deepEqual(again.channels(), [A, B]);
  await assert.rejects(texts(again, A), LogVersionError);
  await assert.rejects(again.append(at(5), [{ channel: A, payload: [] }]), LogVersionError);
  await again.append(at(5), [{ channel: B, payload: bytes('five') }]);
  assert.deepEqual(await texts(again, B), ['5:five']);
});

test('a full disk refuses the whole write, for ever, and other channels go on', async () => {
  const disk = simulated();
  const log = await open(disk.mount());
  await log.createChannel(A);
  await log.createChannel(B);
  const both = (time: number) =>
    log.append(at(time), [
      { channel: A, payload: bytes('small') },
      { channel: B, payload: [Buffer.alloc(100_000)] },
    ]);
  await log.append(at(1), [
    { channel: A, payload: bytes('a') },
    { channel: B, payload: bytes('b') },
  ]);
  disk.setCapacity(disk.usedBytes() + 10_000);
  await assert.rejects(both(2), (error: MilvusError) => error.code === 7);
  await log.append(at(3), [{ channel: A, payload: bytes('c') }]);
  assert.deepEqual(await texts(log, A), ['1:a', '3:c']);
  await log.close();
  disk.setCapacity(Number.POSITIVE_INFINITY);
  const again = await open(disk.mount());
  assert.deepEqual(await texts(again, A), ['1:a', '3:c']);
  assert.deepEqual(await texts(again, B), ['1:b']);
});

test('asserts that timestamps grow on a channel', async () => {
  const log = await open(simulated().mount());
  await log.createChannel(A);
  await log.append(at(2), [{ channel: A, payload: [] }]);
  await assert.rejects(log.append(at(2), [{ channel: A, payload: [] }]), AssertionError);
});

test('refuses writes to channels that are not there, and after a close', async () => {
  const log = await open(simulated().mount());
  await log.createChannel(A);
  const toBoth = [
    { channel: A, payload: bytes('a') },
    { channel: B, payload: bytes('b') },
  ];
  await assert.rejects(log.append(at(1), toBoth), (error: MilvusError) => error.code === 500);
  assert.deepEqual(await texts(log, A), []);
  await log.close();
  await assert.rejects(log.append(at(2), toBoth), (error: MilvusError) => error.retriable);
  await log.close();
});

test('creating and dropping a channel are idempotent and survive a power cut', async () => {
  const disk = simulated(3);
  const log = await open(disk.mount());
  await log.createChannel(A);
  await log.createChannel(A);
  await log.createChannel(B);
  await log.append(at(1), [{ channel: A, payload: bytes('kept') }]);
  await log.dropChannel(B);
  await log.dropChannel(B);
  disk.crash('power');
  const again = await open(disk.mount());
  assert.deepEqual(again.channels(), [A]);
  assert.deepEqual(await texts(again, A), ['1:kept']);
});

test('a replay tells its progress and ends when it is aborted', async () => {
  const disk = simulated();
  await logWith(disk, ['one', 'two']);
  const log = await open(disk.mount());
  const progress: string[] = [];
  for await (const _ of log.replay(A, { onProgress: (done, total) => progress.push(`${done}/${total}`) }));
  assert.deepEqual(progress, ['115/166', '166/166', '166/166']);
  const aborted = log.replay(A, { signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(aborted[Symbol.asyncIterator]().next(), /enough/);
});

test('a damaged file header costs no record', async () => {
  const disk = simulated();
  await logWith(disk, ['one', 'two']);
  disk.flipBit(FILE, 3);
  const log = await open(disk.mount());
  assert.deepEqual(await texts(log, A), ['1:one', '2:two']);
  assert.equal(log.damage().length, 1);
  await log.append(at(7), [{ channel: A, payload: bytes('seven') }]);
  await log.close();
  const again = await open(disk.mount());
  assert.deepEqual(await texts(again, A), ['1:one', '2:two', '7:seven']);
});

test('a cut gives back whole files, and what is later is still there after a start', async () => {
  const disk = simulated();
  await logWith(disk, ['one', 'two', 'three']);
  const log = await open(disk.mount());
  await log.cut([A], at(2));
  assert.deepEqual(await texts(log, A), ['1:one', '2:two', '3:three'], 'the only file has a later record');
  await log.cut([A], at(3));
  assert.deepEqual(await texts(log, A), []);
  await log.append(at(4), [{ channel: A, payload: bytes('four') }]);
  await log.close();
  const again = await open(disk.mount());
  assert.deepEqual(again.damage(), []);
  assert.deepEqual(await texts(again, A), ['4:four']);
  await assert.rejects(
    () => again.append(at(4), [{ channel: A, payload: bytes('again') }]),
    AssertionError,
    'the channel remembers how far it has come',
  );
});

test('a write to two channels is whole when one of them was cut behind it', async () => {
  const disk = simulated();
  const log = await open(disk.mount());
  await log.createChannel(A);
  await log.createChannel(B);
  const both = (text: string) => [A, B].map((channel) => ({ channel, payload: bytes(text) }));
  await log.append(at(1), both('one'));
  await log.append(at(2), [{ channel: B, payload: bytes('two') }]);
  await log.cut([A, B], at(1));
  await log.close();
  const again = await open(disk.mount());
  assert.deepEqual(await texts(again, A), []);
  assert.deepEqual(await texts(again, B), ['1:one', '2:two'], 'its file has a later record');
  const later: string[] = [];
  for await (const { payload } of again.replay(B, { after: at(1) })) later.push(String(Buffer.from(payload)));
  assert.deepEqual(later, ['two']);
});
