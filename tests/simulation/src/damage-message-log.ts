import assert from 'node:assert/strict';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import type { ChannelName, Timestamp } from '@elanus/model';
import { noMetrics, type Random, SimulatedDisk, seededRandom, silentLogger } from '@elanus/runtime';
import { HurriedClock } from './hurried-clock.ts';

const CHANNELS = ['one', 'two'] as ChannelName[];

interface Sent {
  readonly timestamp: Timestamp;
  readonly payload: Uint8Array;
  /** Which of the groups that were awaited one after the other. */
  readonly group: number;
}

/**
 * Fills a log, closes it, flips one to three bits in one of its files and opens it again. The log must
 * open; what it serves must be what was written; at most one record a bit may be missing, and it must be
 * reported, unless it is of the last group: that cannot be told from a crash, and what follows goes too.
 */
export async function damageMessageLog(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const disk = new SimulatedDisk({ random });
  const sent = await fill(await openOn(disk, random), random);

  const paths = disk.filePaths();
  const path = paths[random.below(paths.length)]!;
  const bits = 1 + random.below(3);
  for (let bit = 0; bit < bits; bit += 1) disk.flipBit(path, random.below(disk.sizeOf(path) * 8));

  const log = await openOn(disk, random);
  // Each bit may hit the group that is then the last of its channel; what went to both channels goes from both.
  const lost = new Set(CHANNELS.flatMap((channel) => lastWrites(sent.get(channel) ?? [], bits)));
  for (const channel of CHANNELS) {
    const records = sent.get(channel) ?? [];
    const found = await replay(log, channel);
    for (const [timestamp, payload] of found) {
      const record = records.find((candidate) => candidate.timestamp === timestamp);
      assert.deepEqual(payload, record?.payload, `${channel} serves only what was written`);
    }
    const missing = records.filter((record) => !found.has(record.timestamp));
    const early = missing.filter((record) => !lost.has(record.timestamp));
    assert.ok(early.length <= bits, `${channel} lost ${early.length} records to ${bits} bits in ${path}`);
    const reported = log.damage().filter((damage) => damage.channel === channel && damage.length > 0);
    if (early.length > 0) assert.ok(reported.length > 0, `${channel} reports what is missing`);
    for (const { file } of reported) assert.equal(file, path, 'damage is reported where it is');
  }
  await log.close();
}

/** The times of the records in the last `count` groups. */
function lastWrites(records: readonly Sent[], count: number): readonly Timestamp[] {
  const groups = [...new Set(records.map((record) => record.group))].slice(-count);
  return records.filter((record) => groups.includes(record.group)).map((record) => record.timestamp);
}

function openOn(disk: SimulatedDisk, random: Random): Promise<MessageLog> {
  return openMessageLog({
    disk: disk.mount(),
    directory: '/log',
    clock: new HurriedClock(),
    random,
    logger: silentLogger,
    metrics: noMetrics,
    fileBytesRoll: 6_000,
  });
}

async function fill(log: MessageLog, random: Random): Promise<ReadonlyMap<ChannelName, readonly Sent[]>> {
  const sent = new Map<ChannelName, Sent[]>(CHANNELS.map((channel) => [channel, []]));
  for (const channel of CHANNELS) await log.createChannel(channel);
  let timestamp = 100n as Timestamp;
  for (let group = 0; group < 6; group += 1) {
    const appends: Promise<void>[] = [];
    for (let count = 1 + random.below(4); count > 0; count -= 1) {
      timestamp = (timestamp + 1n) as Timestamp;
      const channels = random.chance(0.4) ? CHANNELS : [CHANNELS[random.below(2)]!];
      const entries = channels.map((channel) => ({ channel, payload: [payloadOf(random)] }));
      for (const { channel, payload } of entries)
        sent.get(channel)?.push({ timestamp, payload: payload[0]!, group });
      appends.push(log.append(timestamp, entries));
    }
    await Promise.all(appends);
  }
  await log.close();
  return sent;
}

function payloadOf(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(2_000) }, () => random.below(256));
}

async function replay(log: MessageLog, channel: ChannelName): Promise<ReadonlyMap<Timestamp, Uint8Array>> {
  const found = new Map<Timestamp, Uint8Array>();
  for await (const { timestamp, payload } of log.replay(channel))
    found.set(timestamp, Uint8Array.from(payload));
  return found;
}
