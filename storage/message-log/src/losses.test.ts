import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelName, Timestamp } from '@elanus/model';
import {
  ManualClock,
  noMetrics,
  SimulatedDisk,
  seededRandom,
  silentLogger,
  systemRandom,
} from '@elanus/runtime';
import { type LogDamage, type MessageLog, openMessageLog } from './index.ts';
import { FILE_HEADER } from './log-format.ts';

const A = 'elanus-dml_0_451v0' as ChannelName;
const DIRECTORY = `/data/log/${A}`;
const at = (value: number) => BigInt(value) as Timestamp;
/** Each file takes two of the records below. */
const FILE_BYTES_ROLL = 200;
const TEXTS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];

function open(disk: SimulatedDisk): Promise<MessageLog> {
  return openMessageLog({
    disk: disk.mount(),
    directory: '/data/log',
    clock: new ManualClock(),
    random: systemRandom,
    logger: silentLogger,
    metrics: noMetrics,
    fileBytesRoll: FILE_BYTES_ROLL,
  });
}

/** Records 1 to 7, two in each of four files but the last. */
async function written(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ random: seededRandom(1) });
  const log = await open(disk);
  await log.createChannel(A);
  for (const [index, text] of TEXTS.entries())
    await log.append(at(index + 1), [{ channel: A, payload: [Buffer.from(text.padEnd(30))] }]);
  await log.close();
  assert.deepEqual(logFiles(disk), [1, 2, 3, 4]);
  return disk;
}

function logFiles(disk: SimulatedDisk): readonly number[] {
  const names = disk.filePaths().filter((path) => path.endsWith('.log'));
  return names.map((path) => Number(/(\d+)\.log$/.exec(path)![1]));
}

const fileOf = (number: number) => `${DIRECTORY}/${String(number).padStart(12, '0')}.log`;

async function replayed(
  log: MessageLog,
  after = at(0),
): Promise<{ readonly found: readonly string[]; readonly losses: readonly LogDamage[] }> {
  const losses: LogDamage[] = [];
  const found: string[] = [];
  const onLoss = (loss: LogDamage): void => void losses.push(loss);
  for await (const { payload } of log.replay(A, { after, onLoss }))
    found.push(Buffer.from(payload).toString().trim());
  return { found, losses };
}

async function removed(disk: SimulatedDisk, path: string): Promise<void> {
  const mount = disk.mount();
  await mount.remove(path);
  await mount.syncDirectory(DIRECTORY);
}

async function truncated(disk: SimulatedDisk, path: string, length: number): Promise<void> {
  await using file = await disk.mount().open(path, 'write');
  await file.truncate(length);
  await file.sync();
}

test('a sound log has no losses, closed or killed', async () => {
  for (const end of ['close', 'kill'] as const) {
    const disk = await written();
    const log = await open(disk);
    await log.append(at(8), [{ channel: A, payload: [Buffer.from('eight')] }]);
    if (end === 'close') await log.close();
    else disk.crash('kill');
    assert.deepEqual(await replayed(await open(disk)), { found: [...TEXTS, 'eight'], losses: [] });
  }
});

for (const number of [1, 2, 3, 4]) {
  test(`a replay tells that file ${number} of four is missing, and gives all others`, async () => {
    const disk = await written();
    await removed(disk, fileOf(number));
    for (let start = 0; start < 2; start++) {
      const log = await open(disk);
      const { found, losses } = await replayed(log);
      assert.deepEqual(
        losses.map(({ file, reason }) => [file, reason]),
        [[fileOf(number), 'the file is missing']],
      );
      const gone = TEXTS.slice(2 * number - 2, 2 * number);
      assert.deepEqual(
        found,
        TEXTS.filter((text) => !gone.includes(text)),
      );
      await log.close();
    }
  });
}

test('a file that is missing is no loss to whoever has its records', async () => {
  const disk = await written();
  await removed(disk, fileOf(2));
  const log = await open(disk);
  assert.deepEqual((await replayed(log, at(4))).losses, []);
  assert.equal((await replayed(log, at(3))).losses.length, 1);
});

test('a channel that has lost its only file, header and all, tells of it', async () => {
  const disk = new SimulatedDisk({ random: seededRandom(1) });
  const log = await open(disk);
  await log.createChannel(A);
  await log.close();
  assert.deepEqual((await replayed(await open(disk))).losses, [], 'nothing was ever written');
  const again = await open(disk);
  await again.append(at(1), [{ channel: A, payload: [Buffer.from('one')] }]);
  await again.close();
  await removed(disk, fileOf(1));
  const { losses } = await replayed(await open(disk));
  assert.deepEqual(
    losses.map(({ file }) => file),
    [fileOf(1)],
  );
});

test('an end that is cut off was durable, says the mark: it is no tear', async () => {
  // Behind it there are zeros, allocated ahead.
  const end = FILE_HEADER.bytes + 48 + 30;
  for (const length of [end - 1, FILE_HEADER.bytes, FILE_HEADER.bytes - 1, 0]) {
    const damaged = await written();
    await truncated(damaged, fileOf(4), length);
    const log = await open(damaged);
    const { found, losses } = await replayed(log);
    assert.deepEqual(found, TEXTS.slice(0, 6), `cut at ${length}`);
    assert.ok(losses.length > 0, `cut at ${length}`);
    assert.ok(losses.every(({ file }) => file === fileOf(4)));
    await log.append(at(9), [{ channel: A, payload: [Buffer.from('nine')] }]);
    assert.deepEqual((await replayed(log)).found.at(-1), 'nine');
    await log.close();
    const again = await replayed(await open(damaged));
    assert.deepEqual(again.found, [...TEXTS.slice(0, 6), 'nine']);
    assert.ok(again.losses.length > 0, 'the loss does not pass by itself');
  }
});

test('a bit flipped in the last record that was durable is damage', async () => {
  const disk = await written();
  disk.flipBit(fileOf(4), (FILE_HEADER.bytes + 48) * 8);
  const log = await open(disk);
  const { found, losses } = await replayed(log);
  assert.deepEqual(found, TEXTS.slice(0, 6));
  assert.equal(losses.length, 1);
});

test('a damaged record matters to those only who have not got it', async () => {
  const disk = await written();
  disk.flipBit(fileOf(2), (FILE_HEADER.bytes + 48) * 8);
  const log = await open(disk);
  const { found, losses } = await replayed(log);
  assert.deepEqual(
    found,
    TEXTS.filter((text) => text !== 'three'),
  );
  assert.deepEqual(
    losses.map(({ file, offset }) => [file, offset]),
    [[fileOf(2), FILE_HEADER.bytes]],
  );
  assert.deepEqual((await replayed(log, at(4))).losses, []);
});

test('losses that were accepted are not told of again, others are', async () => {
  const disk = await written();
  await removed(disk, fileOf(2));
  const log = await open(disk);
  await log.acceptLosses(A, (await replayed(log)).losses);
  assert.deepEqual((await replayed(log)).losses, []);
  await log.close();
  const again = await open(disk);
  assert.deepEqual((await replayed(again)).losses, []);
  await again.close();
  disk.flipBit(fileOf(3), (FILE_HEADER.bytes + 48) * 8);
  assert.deepEqual(
    (await replayed(await open(disk))).losses.map(({ file }) => file),
    [fileOf(3)],
  );
});

test('what was noted is known at later starts, until it is accepted', async () => {
  const disk = await written();
  disk.flipBit(fileOf(2), (FILE_HEADER.bytes + 48) * 8);
  const log = await open(disk);
  const { losses } = await replayed(log);
  assert.deepEqual(
    losses.map(({ kind }) => kind),
    ['damaged'],
  );
  const noted = losses.map((damage) => ({ damage, after: at(3) }));
  await log.noteLosses(A, noted);
  await log.close();
  const later = await open(disk);
  assert.deepEqual(later.notedLosses(A), noted);
  await later.cut([A], at(7));
  assert.deepEqual(later.notedLosses(A), noted);
  await later.acceptLosses(A, losses);
  assert.deepEqual(later.notedLosses(A), []);
  await later.close();
  assert.deepEqual((await open(disk)).notedLosses(A), []);
});

test('a list of what is lost that can’t be read is a loss', async () => {
  const disk = await written();
  const log = await open(disk);
  await log.noteLosses(A, []);
  await log.close();
  const list = `${DIRECTORY}/noted-losses`;
  disk.flipBit(list, 8 * (disk.sizeOf(list) - 2));
  assert.deepEqual(
    (await open(disk)).notedLosses(A).map(({ damage: { file } }) => file),
    [list],
  );
});

test('bytes that are not there are missing, those that are wrong are damaged', async () => {
  const kindsAfter = async (harm: (disk: SimulatedDisk) => unknown) => {
    const disk = await written();
    await harm(disk);
    return new Set((await replayed(await open(disk))).losses.map(({ kind }) => kind));
  };
  assert.deepEqual(await kindsAfter((disk) => removed(disk, fileOf(2))), new Set(['missing']));
  assert.ok((await kindsAfter((disk) => truncated(disk, fileOf(2), 150))).has('missing'));
  assert.ok((await kindsAfter((disk) => truncated(disk, fileOf(4), 100))).has('missing'));
  for (const at of [FILE_HEADER.bytes + 3, FILE_HEADER.bytes + 50, FILE_HEADER.bytes + 90])
    assert.deepEqual(
      await kindsAfter((disk) => disk.flipBit(fileOf(2), at * 8)),
      new Set(['damaged']),
      `${at}`,
    );
});

test('a mark that is missing costs nothing, and is made again', async () => {
  const disk = await written();
  const mark = disk.filePaths().find((path) => path.includes('.next-'))!;
  await removed(disk, mark);
  const log = await open(disk);
  assert.deepEqual(await replayed(log), { found: TEXTS, losses: [] });
  await log.append(at(9), [{ channel: A, payload: [] }]);
  await log.close();
  assert.equal(disk.filePaths().filter((path) => path.includes('.next-')).length, 1);
});
