import assert from 'node:assert/strict';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import type { ChannelName, Timestamp } from '@elanus/model';
import { noMetrics, type Random, SimulatedDisk, seededRandom, silentLogger } from '@elanus/runtime';
import { HurriedClock } from './hurried-clock.ts';
import { LogModel, type ModelWrite } from './log-model.ts';

/**
 * Runs a message log on a simulated disk through several lives: random writes to one to four channels,
 * cuts, full disks, failing syncs, and at the end of each life a close, a kill or a power cut at any moment.
 * Then opens it again and compares it with a model. Rejects when a promise of `MessageLog` is broken.
 */
export async function simulateMessageLog(seed: number): Promise<void> {
  await new Simulation(seed).run();
}

class Simulation {
  readonly #random: Random;
  readonly #disk: SimulatedDisk;
  readonly #model = new LogModel();
  readonly #channels: readonly ChannelName[];
  #timestamp = 1_000n;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#disk = new SimulatedDisk({ random: this.#random });
    const count = 1 + this.#random.below(4);
    this.#channels = Array.from({ length: count }, (_, index) => `channel_${index}` as ChannelName);
  }

  async run(): Promise<void> {
    for (let lives = 2 + this.#random.below(4); lives > 0; lives -= 1) {
      const log = await this.#open();
      await this.#live(log);
      await this.#end(log);
    }
    const log = await this.#open();
    await log.close();
  }

  async #open(): Promise<MessageLog> {
    this.#heal();
    const log = await openMessageLog({
      disk: this.#disk.mount(),
      directory: '/data/log',
      clock: new HurriedClock(),
      random: this.#random,
      logger: silentLogger,
      metrics: noMetrics,
      fileBytesRoll: 20_000,
    });
    assert.deepEqual(log.damage(), [], 'a crash is not taken for damage');
    for (const channel of this.#channels) await log.createChannel(channel);
    await this.#model.check(log, this.#channels);
    assert.deepEqual(log.damage(), [], 'a crash is not taken for damage by a replay');
    return log;
  }

  async #live(log: MessageLog): Promise<void> {
    for (let steps = this.#random.below(60); steps > 0; steps -= 1) {
      const draw = this.#random.float();
      if (draw < 0.6) this.#write(log);
      else if (draw < 0.82) await this.#wait(this.#random.below(60));
      else if (draw < 0.85) this.#cut(log);
      else if (draw < 0.9) this.#disk.failSyncs(this.#random.chance(0.5) ? 0 : this.#random.float() * 0.5);
      else if (draw < 0.95) this.#disk.setCapacity(this.#disk.usedBytes() + this.#random.below(8_000));
      else if (draw < 0.97) this.#heal();
      else await this.#checkWithinLife(log);
    }
  }

  /** What was promised holds at once, not only after the next start. */
  async #checkWithinLife(log: MessageLog): Promise<void> {
    this.#heal();
    while (this.#model.writes.some((write) => write.outcome === 'open')) await this.#wait(50);
    await this.#model.check(log, this.#channels);
  }

  async #end(log: MessageLog): Promise<void> {
    const draw = this.#random.float();
    if (draw < 0.2) {
      this.#heal();
      await log.close();
      // What was rejected or acknowledged by the close is known a few steps later.
      await this.#wait(50);
      if (this.#random.chance(0.5)) this.#disk.crash('power');
    } else {
      this.#disk.crash(draw < 0.4 ? 'kill' : 'power');
    }
  }

  #heal(): void {
    this.#disk.failSyncs(0);
    this.#disk.setCapacity(Number.POSITIVE_INFINITY);
  }

  #write(log: MessageLog): void {
    this.#timestamp += BigInt(1 + this.#random.below(3));
    const first = this.#random.below(this.#channels.length);
    const count = this.#random.chance(0.5) ? 1 : 1 + this.#random.below(this.#channels.length);
    const channels = Array.from(
      { length: count },
      (_, index) => this.#channels[(first + index) % this.#channels.length]!,
    );
    const entries = channels.map((channel) => ({ channel, payload: this.#payload() }));
    const write: ModelWrite = {
      timestamp: this.#timestamp as Timestamp,
      payloads: new Map(
        entries.map(({ channel, payload }) => [channel, Uint8Array.from(Buffer.concat(payload))]),
      ),
      outcome: 'open',
    };
    this.#model.writes.push(write);
    log.append(write.timestamp, entries).then(
      () => {
        write.outcome = 'present';
      },
      (error: Error) => {
        if (error.name !== 'LogOutcomeUnknownError') write.outcome = 'absent';
        assert.notEqual(error.name, 'AssertionError', String(error.stack));
      },
    );
  }

  /** What is settled is not asked for any more, whatever comes of the cut. */
  #cut(log: MessageLog): void {
    log.cut(this.#channels, this.#model.forgetSettled()).catch((error: Error) => {
      assert.notEqual(error.name, 'AssertionError', String(error.stack));
    });
  }

  #payload(): readonly Uint8Array[] {
    const buffers = this.#random.below(4);
    const bytesMax = this.#random.chance(0.1) ? 6_000 : 300;
    return Array.from({ length: buffers }, () =>
      Uint8Array.from({ length: this.#random.below(bytesMax) }, () =>
        this.#random.chance(0.5) ? 0 : this.#random.below(256),
      ),
    );
  }

  async #wait(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) await null;
  }
}
