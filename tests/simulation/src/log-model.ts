import assert from 'node:assert/strict';
import type { MessageLog } from '@elanus/message-log';
import { type ChannelName, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';

/**
 * What became of a write: `open` while nobody knows (also after a crash: then it may be there or not, but
 * whole, and what is seen once holds for ever), `present` when it was acknowledged or seen, `absent` when
 * it was rejected or not seen.
 */
export interface ModelWrite {
  readonly timestamp: Timestamp;
  readonly payloads: ReadonlyMap<ChannelName, Uint8Array>;
  outcome: 'open' | 'present' | 'absent';
}

/** Everything that was ever sent to a log, and what must be found in it. */
export class LogModel {
  writes: ModelWrite[] = [];
  /** Nobody asks for anything up to here any more: it may be cut off. */
  #after = TIMESTAMP_MIN;

  /** As far as every write is settled, decides that nobody needs it any more, and says up to when. */
  forgetSettled(): Timestamp {
    const open = this.writes.findIndex(({ outcome }) => outcome === 'open');
    const settled = open === -1 ? this.writes : this.writes.slice(0, open);
    this.#after = settled.at(-1)?.timestamp ?? this.#after;
    this.writes = this.writes.slice(settled.length);
    return this.#after;
  }

  /** Compares what `log` replays, twice, with what was promised, and settles what was open. */
  async check(log: MessageLog, channels: readonly ChannelName[]): Promise<void> {
    const replayed = new Map<ChannelName, ReadonlyMap<Timestamp, Uint8Array>>();
    for (const channel of channels) {
      const first = await replay(log, channel, this.#after);
      assert.deepEqual(
        await replay(log, channel, this.#after),
        first,
        `a second replay of ${channel} gives the same`,
      );
      replayed.set(channel, new Map(first));
      assert.equal(replayed.get(channel)?.size, first.length, `${channel} has no record twice`);
      const times = first.map(([timestamp]) => timestamp);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => (a < b ? -1 : 1)),
        `${channel} is in order`,
      );
    }
    for (const write of this.writes) this.#checkWrite(write, replayed);
    for (const [channel, records] of replayed) {
      const sent = this.writes.filter((write) => write.payloads.has(channel) && write.outcome === 'present');
      assert.equal(records.size, sent.length, `${channel} has nothing that was never sent`);
    }
  }

  #checkWrite(
    write: ModelWrite,
    replayed: ReadonlyMap<ChannelName, ReadonlyMap<Timestamp, Uint8Array>>,
  ): void {
    const parts = [...write.payloads].filter(([channel]) => replayed.has(channel));
    const found = parts.filter(([channel]) => replayed.get(channel)?.has(write.timestamp));
    const what = `write ${write.timestamp} to ${[...write.payloads.keys()]} (${write.outcome})`;
    if (write.outcome === 'open') write.outcome = found.length > 0 ? 'present' : 'absent';
    const expected = write.outcome === 'present' ? parts.length : 0;
    assert.equal(found.length, expected, `${what} is found in ${found.map(([channel]) => channel)}`);
    for (const [channel, payload] of found) {
      const got = replayed.get(channel)?.get(write.timestamp);
      assert.deepEqual(got, payload, `the payload of ${what} on ${channel}`);
    }
  }
}

async function replay(
  log: MessageLog,
  channel: ChannelName,
  after: Timestamp,
): Promise<(readonly [Timestamp, Uint8Array])[]> {
  const records: (readonly [Timestamp, Uint8Array])[] = [];
  for await (const { timestamp, payload } of log.replay(channel, { after })) {
    records.push([timestamp, Uint8Array.from(payload)]);
  }
  return records;
}
