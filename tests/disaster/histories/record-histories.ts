/**
 * Clients write, delete and read a few rows all at once, at every consistency level, by queries and searches, while flushes
 * move the rows to files; then the history of each row is checked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WireConnection } from '../mistakes/wire-connection.ts';
import { seededRandom } from '../seeded-random.ts';
import { checkRegister } from './check-register.ts';
import type { RegisterOperation, RegisterValue } from './register-history.ts';
import { LEVELS, type Level, Registers, type Values } from './registers.ts';

/** Rows that are written one by one. */
const KEYS = [1, 2, 3] as const;
/** Rows that are always written together. */
const PAIR = [11, 12] as const;
const FLUSH_PAUSE_MS = 150;
const LEVEL_NAMES = Object.keys(LEVELS) as Level[];

export interface HistoriesOptions {
  readonly address: string;
  readonly clients: number;
  readonly seed: number;
  /** Of all clients together. */
  readonly operations: number;
}

export interface RecordedHistories {
  /** Operations on rows. */
  readonly operations: number;
  /** One sentence for everything that cannot be; none means that all is well. */
  readonly complaints: readonly string[];
}

/** Lets the clients work on a new collection and checks what they have seen. */
export async function recordHistories(options: HistoriesOptions): Promise<RecordedHistories> {
  const { address, seed } = options;
  const name = `registers_${seed}`;
  const recorder = new Recorder(options.operations);
  const wires = await Promise.all(
    Array.from({ length: options.clients + 1 }, () => WireConnection.open(address)),
  );
  try {
    const [flusher, ...clients] = wires.map((wire) => new Registers(wire, name)) as [
      Registers,
      ...Registers[],
    ];
    await flusher.create();
    const working = clients.map((client, number) =>
      recorder.work(client, number + 1, seededRandom(seed * 1_000 + number)),
    );
    await Promise.all([...working, recorder.flush(flusher)]);
  } finally {
    for (const wire of wires) await wire[Symbol.asyncDispose]();
  }
  const complaints = [...recorder.complaints];
  let operations = 0;
  for (const [key, history] of recorder.byKey) {
    operations += history.length;
    const complaint = checkRegister(history);
    if (complaint !== null) complaints.push(`row ${key}: ${complaint}`);
  }
  return { operations, complaints: complaints.map((text) => `seed ${seed}: ${text}`) };
}

class Recorder {
  readonly byKey = new Map<number, RegisterOperation[]>([...KEYS, ...PAIR].map((key) => [key, []]));
  readonly complaints: string[] = [];
  #left: number;
  #lastValue = 0;

  constructor(operations: number) {
    this.#left = operations;
  }

  /** One client, one operation after the other. */
  async work(registers: Registers, client: number, random: () => number): Promise<void> {
    let own = 1n;
    while (this.#left-- > 0) {
      const keys = random() < 0.3 ? PAIR : [KEYS[Math.floor(random() * KEYS.length)]!];
      const dice = random();
      if (dice < 0.45) {
        const value = ++this.#lastValue;
        own = (await this.#write(client, keys, value, () => registers.write(keys, value))) ?? own;
      } else if (dice < 0.55) {
        own = (await this.#write(client, keys, 'absent', () => registers.remove(keys))) ?? own;
      } else {
        const consistency = LEVELS[LEVEL_NAMES[Math.floor(random() * LEVEL_NAMES.length)]!](own);
        const isQuery = random() < 0.7;
        const wanted = random() < 0.2 ? [...KEYS, ...PAIR] : keys;
        await this.#read(client, wanted, () =>
          isQuery ? registers.query(wanted, consistency) : registers.search(wanted, consistency),
        );
      }
    }
  }

  /** Begins a flush now and then until the clients are done. */
  async flush(registers: Registers): Promise<void> {
    while (this.#left > 0) {
      await registers.flush();
      await sleep(FLUSH_PAUSE_MS);
    }
  }

  async #write(
    client: number,
    keys: readonly number[],
    value: RegisterValue,
    send: () => Promise<bigint>,
  ): Promise<bigint | null> {
    const invoked = performance.now();
    const timestamp = await send().catch(() => null);
    // What went wrong may have been done all the same.
    const answered = timestamp === null ? null : performance.now();
    for (const key of keys) this.byKey.get(key)!.push({ client, kind: 'write', value, invoked, answered });
    return timestamp;
  }

  async #read(client: number, keys: readonly number[], ask: () => Promise<Values>): Promise<void> {
    const invoked = performance.now();
    const values = await ask();
    const answered = performance.now();
    for (const key of keys) {
      const value = values.get(key) ?? 'absent';
      this.byKey.get(key)!.push({ client, kind: 'read', value, invoked, answered });
    }
    const [one, other] = PAIR;
    if (keys.includes(one) && values.get(one) !== values.get(other))
      this.complaints.push(`half a write was seen: ${values.get(one)} and ${values.get(other)}`);
  }
}
