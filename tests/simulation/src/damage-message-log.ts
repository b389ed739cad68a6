import assert from 'node:assert/strict';
import { type LogDamage, type MessageLog, openMessageLog } from '@elanus/message-log';
import type { ChannelName, Timestamp } from '@elanus/model';
import { noMetrics, type Random, SimulatedDisk, seededRandom, silentLogger } from '@elanus/runtime';
import { HurriedClock } from './hurried-clock.ts';

const CHANNELS = ['one', 'two'] as ChannelName[];

interface Sent {
  readonly timestamp: Timestamp;
  readonly payload: Uint8Array;
}

/**
 * Fills a log, closes it, flips one to three bits in one of its files and opens it again. The log must
 * open; what it serves must be what was written; at most one record a bit may be missing, and its replay must
 * tell of it, those of the last group included: the channel's mark says that they were durable.
 */
export async function damageMessageLog(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const disk = new SimulatedDisk({ random });
  const sent = await fill(await openOn(disk, random), random);

  const paths = disk.filePaths().filter((path) => path.endsWith('.log'));
  const path = paths[random.below(paths.length)]!;
  const bits = 1 + random.below(3);
  for (let bit = 0; bit < bits; bit += 1) disk.flipBit(path, random.below(disk.sizeOf(path) * 8));

  const log = await openOn(disk, random);
  for (const channel of CHANNELS) {
    const records = sent.get(channel) ?? [];
    const losses: LogDamage[] = [];
    const found = await replay(log, channel, losses);
    for (const [timestamp, payload] of found) {
      const record = records.find((candidate) => candidate.timestamp === timestamp);
      assert.deepEqual(payload, record?.payload, `${channel} serves only what was written`);
    }
    const missing = records.filter((record) => !found.has(record.timestamp));
    assert.ok(missing.length <= bits, `${channel} lost ${missing.length} records to ${bits} bits in ${path}`);
    const reported = log.damage().filter((damage) => damage.channel === channel && damage.length > 0);
    if (missing.length > 0 && path.includes(channel)) {
      assert.ok(reported.length > 0, `${channel} reports what is missing`);
      assert.ok(losses.length > 0, `the replay of ${channel} tells of what is missing`);
    }
    for (const { kind } of losses)
      assert.equal(kind, 'damaged', `${channel} has all bytes, wrong as they are`);
    for (const { file } of reported) assert.equal(file, path, 'damage is reported where it is');
  }
  await log.close();
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
        sent.get(channel)?.push({ timestamp, payload: payload[0]! });
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

async function replay(
  log: MessageLog,
  channel: ChannelName,
  losses: LogDamage[],
): Promise<ReadonlyMap<Timestamp, Uint8Array>> {
  const found = new Map<Timestamp, Uint8Array>();
  const onLoss = (loss: LogDamage): void => void losses.push(loss);
  for await (const { timestamp, payload } of log.replay(channel, { onLoss }))
    found.set(timestamp, Uint8Array.from(payload));
  return found;
}
