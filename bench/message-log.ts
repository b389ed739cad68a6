/**
 * `node bench/message-log.ts [directory]`: how near the log comes to the disk it is on. Beside each other, in
 * turns, because disks drift: appends and syncs of one bare file (grown by each write, and over zeros written
 * before), and the log with 1 and 8 appenders on one channel and on two. Ratios are medians of each
 * round's ratio.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import type { ChannelName, Timestamp } from '@elanus/model';
import { NodeDisk, noMetrics, silentLogger, systemClock, systemRandom } from '@elanus/runtime';

const ROUNDS = 5;
const SIZES = [
  { name: '200 B', bytes: 200, count: 1_000 },
  { name: '4 KiB', bytes: 4_096, count: 1_000 },
  { name: '512 KiB', bytes: 512 * 1024, count: 120 },
  { name: '3 MiB', bytes: 3 * 1024 * 1024, count: 24 },
] as const;

interface Work {
  readonly bytes: number;
  readonly count: number;
}

/** Seconds for `count` writes of `bytes`, each synced before the next. */
async function bareFile(
  directory: string,
  { bytes, count }: Work,
  space: 'grown' | 'allocated',
): Promise<number> {
  const path = join(directory, 'bare');
  await using file = await open(path, 'w');
  if (space === 'allocated') {
    await file.write(Buffer.alloc(bytes * count), 0, bytes * count, 0);
    await file.sync();
  }
  const buffer = Buffer.alloc(bytes, 0x5a);
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    await file.writev([buffer], index * bytes);
    await file.datasync();
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await rm(path);
  return seconds;
}

/** Seconds for `count` appends of `bytes` in all; with two channels each append has half on either. */
async function logged(
  directory: string,
  { bytes, count }: Work,
  { appenders, channels }: { readonly appenders: number; readonly channels: number },
): Promise<number> {
  const path = join(directory, 'log');
  const log = await openMessageLog({
    disk: new NodeDisk(),
    directory: path,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    metrics: noMetrics,
  });
  const names = Array.from({ length: channels }, (_, index) => `bench_${index}` as ChannelName);
  for (const name of names) await log.createChannel(name);
  const payload = [Buffer.alloc(bytes / channels, 0x5a)];
  const entries = names.map((channel) => ({ channel, payload }));
  await log.append(1n as Timestamp, entries);
  const startedMs = performance.now();
  await appendAll(log, entries, { appenders, count });
  const seconds = (performance.now() - startedMs) / 1000;
  await log.close();
  await rm(path, { recursive: true });
  return seconds;
}

async function appendAll(
  log: MessageLog,
  entries: Parameters<MessageLog['append']>[1],
  { appenders, count }: { readonly appenders: number; readonly count: number },
): Promise<void> {
  let left = count;
  let timestamp = 1n;
  const appender = async () => {
    while (left > 0) {
      left -= 1;
      timestamp += 1n;
      await log.append(timestamp as Timestamp, entries);
    }
  };
  await Promise.all(Array.from({ length: appenders }, appender));
}

const contenders: Readonly<Record<string, (directory: string, work: Work) => Promise<number>>> = {
  'bare file': (directory, work) => bareFile(directory, work, 'grown'),
  'bare, allocated': (directory, work) => bareFile(directory, work, 'allocated'),
  'log, 1 appender': (directory, work) => logged(directory, work, { appenders: 1, channels: 1 }),
  'log, 8 appenders': (directory, work) => logged(directory, work, { appenders: 8, channels: 1 }),
  'log, 1, two channels': (directory, work) => logged(directory, work, { appenders: 1, channels: 2 }),
  'log, 8, two channels': (directory, work) => logged(directory, work, { appenders: 8, channels: 2 }),
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const directory = await mkdtemp(join(resolve(process.argv[2] ?? '.'), 'bench-log-'));
try {
  for (const { name, ...work } of SIZES) {
    const seconds = new Map(Object.keys(contenders).map((contender) => [contender, [] as number[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [contender, run] of Object.entries(contenders)) {
        seconds.get(contender)?.push(await run(directory, work));
      }
    }
    const bare = seconds.get('bare file') ?? [];
    console.log(`${name}: median of ${ROUNDS} rounds of ${work.count}`);
    for (const [contender, times] of seconds) {
      const time = median(times);
      const rate = (work.count / time).toFixed(0).padStart(7);
      const megabytes = ((work.count * work.bytes) / time / 1e6).toFixed(0).padStart(6);
      const ratio = median(times.map((taken, round) => (bare[round] ?? Number.NaN) / taken)).toFixed(2);
      console.log(`  ${contender.padEnd(22)} ${rate}/s ${megabytes} MB/s  ${ratio} x the bare file`);
    }
  }
} finally {
  await rm(directory, { recursive: true });
}
