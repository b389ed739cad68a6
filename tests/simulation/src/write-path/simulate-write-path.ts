import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { AssertionError, MilvusError } from '@elanus/model';
import { DiskError, ManualClock, type Random, SimulatedDisk, seededRandom } from '@elanus/runtime';
import { type Assembly, openAssembly } from './assembly.ts';
import { CatalogModel } from './catalog-model.ts';
import { checkAfterStart } from './check-after-start.ts';
import type { CollectionModel } from './collection-model.ts';
import { Operation } from './operation.ts';
import { randomChange, requestOf } from './random-collection.ts';
import { countRows, isTooOld, readRows } from './read-rows.ts';
import { SimulatedMetaStore } from './simulated-meta-store.ts';
import { emptySummary, type WritePathSummary } from './write-path-summary.ts';

const IN_FLIGHT_MAX = 8;
/** Turns of the event loop, 100 ms apart, after which everything that does not hang is done. */
const TURNS_MAX = 2_000;

/**
 * Runs a whole standalone server but its network through several lives on a simulated disk, catalog store
 * and clock: clients write, read, create and drop, the disk fills up and fails, and each life ends in a
 * close, a kill or a power cut at any moment, some of them while the server starts. Each start is compared
 * with a model. Rejects when an acknowledged write is lost, a refused one found, an unanswered one found in
 * part, or when reads disagree.
 */
export async function simulateWritePath(seed: number): Promise<WritePathSummary> {
  return await new Simulation(seed).run();
}

class Simulation {
  readonly #random: Random;
  readonly #disk: SimulatedDisk;
  readonly #store: SimulatedMetaStore;
  readonly #catalog = new CatalogModel();
  /** Whose asynchronous context this is. */
  readonly #writer = new AsyncLocalStorage<Operation>();
  readonly #summary = emptySummary();
  #clock = new ManualClock();
  #nextVersion = 1n;
  #life = 0;
  /** Requests that wait for their answers. */
  readonly #inFlight = new Set<Promise<void>>();
  #isDefining = false;
  #isClosing = false;
  /** Logged as errors since the last start began. */
  readonly #errors: string[] = [];
  /** What went wrong where nobody awaits it. */
  #failure: Error | null = null;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#disk = new SimulatedDisk({ random: this.#random });
    this.#store = new SimulatedMetaStore({ random: this.#random });
  }

  async run(): Promise<WritePathSummary> {
    for (let lives = 2 + this.#random.below(4); lives > 0; lives -= 1) {
      const assembly = await this.#start();
      await this.#live(assembly);
      await this.#end(assembly);
    }
    const assembly = await this.#start();
    await this.#close(assembly);
    return this.#summary;
  }

  /** Starts, perhaps after starts that end too early, and compares everything with the model. */
  async #start(): Promise<Assembly> {
    while (this.#random.chance(0.2)) {
      const abandoned = this.#open();
      abandoned.catch((error) => this.#tolerate(error));
      await this.#wait(this.#random.below(1_500));
      this.#crash();
    }
    this.#heal();
    this.#errors.length = 0;
    const assembly = await this.#finish(this.#open(), 'a start');
    this.#summary.starts += 1;
    this.#summary.segmentsFound += assembly.segmentsFound;
    assert.deepEqual(assembly.log.damage(), [], 'a crash is not taken for damage');
    await this.#finish(checkAfterStart(assembly, this.#catalog, this.#random), 'the check after a start');
    assert.deepEqual(this.#errors, [], 'a start after a crash has no errors to log');
    this.#throwFailure();
    return assembly;
  }

  #open(): Promise<Assembly> {
    const life = this.#life;
    // A machine may come back with another time, a little earlier even.
    this.#clock = new ManualClock(this.#clock.nowMs() + this.#random.below(3_000) - 1_000);
    return openAssembly({
      disk: this.#disk.mount(),
      store: this.#store.mount(),
      clock: this.#clock,
      random: this.#random,
      onTimestamp: (timestamp) => {
        const operation = this.#writer.getStore();
        if (operation !== undefined) operation.timestamp = timestamp;
      },
      onError: (message) => {
        if (life === this.#life) this.#errors.push(message);
      },
    });
  }

  async #live(assembly: Assembly): Promise<void> {
    for (let steps = this.#random.below(120); steps > 0; steps -= 1) {
      await this.#step(assembly);
      this.#throwFailure();
    }
  }

  async #step(assembly: Assembly): Promise<void> {
    const draw = this.#random.float();
    if (draw < 0.45) this.#write(assembly);
    else if (draw < 0.57) this.#read(assembly);
    else if (draw < 0.65) this.#define(assembly);
    else if (draw < 0.7) this.#flush(assembly);
    else if (draw < 0.73) this.#compact(assembly);
    else if (draw < 0.82) await this.#wait(this.#random.below(60));
    else if (draw < 0.86) await turn();
    else if (draw < 0.91) this.#clock.advance(this.#random.below(400));
    else if (draw < 0.93) this.#disk.failSyncs(this.#random.float() * 0.5);
    else if (draw < 0.95) this.#disk.setCapacity(this.#disk.usedBytes() + this.#random.below(8_000));
    else if (draw < 0.96) this.#store.failCommits(this.#random.float());
    else if (draw < 0.985) this.#heal();
    else await this.#checkWithinLife(assembly);
  }

  #write(assembly: Assembly): void {
    const model = this.#anyCollection();
    if (model === null || this.#inFlight.size >= IN_FLIGHT_MAX) return;
    const drawn = randomChange(model.info, this.#random, this.#nextVersion);
    const { request, change } = requestOf(drawn, model.info);
    if (change.kind !== 'delete') this.#nextVersion += BigInt(change.rows.length);
    const operation = new Operation(change);
    model.send(operation);
    const sent = this.#writer.run(operation, () => assembly.streaming.write(request));
    this.#track(sent, {
      answered: ({ timestamp, replacedRows }) => {
        assert.equal(timestamp, operation.timestamp, 'the answer has the timestamp that the write was given');
        operation.outcome = 'present';
        operation.replacedRows = replacedRows;
        this.#summary.acknowledged += 1;
        this.#note(timestamp);
      },
      refused: (error) => {
        // Nobody can say what came of it: the next start tells.
        if (error.name === 'LogOutcomeUnknownError') {
          model.hasMiscounted = true;
          return;
        }
        operation.outcome = 'absent';
        this.#summary.refused += 1;
        this.#note(2n);
        this.#checkRefusal(error, model, operation);
      },
    });
  }

  #checkRefusal(error: Error, model: CollectionModel, { change }: Operation): void {
    const isExpected =
      error instanceof MilvusError &&
      !error.message.includes('could not be taken into memory') &&
      (error.code !== 1100 || (model.info.duplicateKey === 'reject' && change.kind === 'insert')) &&
      (error.code !== 100 || this.#catalog.mayBeGone(model)) &&
      [1, 7, 100, 200, 500, 1100].includes(error.code);
    if (!isExpected) throw error;
  }

  #read(assembly: Assembly): void {
    const model = this.#anyCollection();
    if (model === null) return;
    // The time of a write under way has to be waited for.
    const times = [...model.openTimes(), ...model.presentTimes()];
    const at =
      times.length === 0 || this.#random.chance(0.5) ? null : times[this.#random.below(times.length)]!;
    const { partitions } = model.info;
    const partition = partitions[this.#random.below(partitions.length)]!;
    const partitionIds = this.#random.chance(0.7) ? null : [partition.id];
    const gone = new Set(model.gone);
    const [acknowledged = null] = model.presentTimes();
    this.#track(readRows(assembly.reader, model.info, { at, partitionIds }), {
      answered: (found) => {
        this.#summary.reads += 1;
        this.#note(found.at);
        if (at === null && acknowledged !== null)
          assert.ok(found.at >= acknowledged, 'a read is no older than what was acknowledged before it');
        model.observe({ ...found, partitionIds, gone, occasion: 'a read beside writes' });
      },
      refused: (error) => {
        assert.ok(error instanceof MilvusError, error);
        const isGone = error.code === 100 && this.#catalog.mayBeGone(model);
        // The rows were found, and then their partition was dropped.
        const isDropped = error.retriable && (model.doubtful !== null || model.gone.size > gone.size);
        // A compaction has left out rows that nobody was reading.
        const isForgotten = at !== null && isTooOld(error);
        // The disk was broken at the end, and nobody knows what is on it.
        const isUnknown = error.code === 1 && this.#isClosing;
        if (!isGone && !isDropped && !isForgotten && !isUnknown) throw error;
      },
    });
  }

  #flush({ streaming }: Assembly): void {
    const model = this.#anyCollection();
    if (model === null) return;
    this.#track(streaming.flush(model.info.id), {
      answered: () => {
        this.#summary.flushes += 1;
      },
      refused: (error) => this.#tolerate(error),
    });
  }

  #compact({ streaming }: Assembly): void {
    const model = this.#anyCollection();
    // The next start reads at the times of writes that nobody has heard of: these must stay readable.
    if (model === null || model.openTimes().length > 0) return;
    this.#track(streaming.compact(model.info.id, { partitionId: null, bytesMax: null }), {
      answered: ({ plans }) => {
        this.#summary.compactions += plans;
      },
      refused: (error) => this.#tolerate(error),
    });
  }

  #define({ root }: Assembly): void {
    if (this.#isDefining) return;
    this.#isDefining = true;
    const definition = this.#catalog.begin(this.#random);
    this.#track(definition.run(root), {
      answered: async () => {
        await this.#catalog.answered(root, definition);
        this.#isDefining = false;
        this.#summary.definitions += 1;
      },
      refused: async (error) => {
        this.#tolerate(error);
        await this.#catalog.refused(root);
        this.#isDefining = false;
      },
    });
  }

  /** Hands the answer on unless the machine has crashed by then: nobody heard it. */
  #track<Result>(
    request: Promise<Result>,
    on: {
      readonly answered: (result: Result) => void | Promise<void>;
      readonly refused: (error: Error) => void | Promise<void>;
    },
  ): void {
    const life = this.#life;
    const isHeard = () => life === this.#life;
    const tracked = request
      .then(
        (result) => (isHeard() ? on.answered(result) : undefined),
        (error: Error) => (isHeard() ? on.refused(error) : undefined),
      )
      .catch((error: Error) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#inFlight.delete(tracked);
      });
    this.#inFlight.add(tracked);
  }

  /** What was promised holds at once, not only after the next start, and a healed disk takes writes again. */
  async #checkWithinLife(assembly: Assembly): Promise<void> {
    this.#heal();
    await this.#finish(this.#settled(), 'a request');
    this.#throwFailure();
    for (const model of this.#catalog.collections) {
      const found = await this.#finish(readRows(assembly.reader, model.info), 'a read');
      const count = await this.#finish(countRows(assembly.reader, model.info, found.at), 'a count');
      assert.equal(count, found.rows.length, 'the count is that of the rows');
      model.observe({ ...found, partitionIds: null, gone: new Set(model.gone), occasion: 'a read at rest' });
      model.check();
    }
    await this.#finish(this.#flushAll(assembly), 'a flush at rest');
    const { acknowledged } = this.#summary;
    for (let attempts = 0; this.#summary.acknowledged === acknowledged && attempts < 50; attempts += 1) {
      if (this.#anyCollection() === null) return;
      this.#write(assembly);
      await this.#finish(this.#settled(), 'a write at rest');
      this.#clock.advance(1_000);
    }
    assert.ok(this.#summary.acknowledged > acknowledged, 'a healed disk takes writes again');
  }

  /** A healed disk takes files again, and puts them together, and nobody sees a difference. */
  async #flushAll({ reader, streaming }: Assembly): Promise<void> {
    for (const { info } of this.#catalog.collections) {
      const before = await readRows(reader, info);
      const { timestamp } = await streaming.flush(info.id);
      while (!(await streaming.isFlushed(info.id, timestamp, []))) await turn();
      assert.deepEqual((await readRows(reader, info)).rows, before.rows, 'a flush changes no row');
      const { id } = await streaming.compact(info.id, { partitionId: null, bytesMax: null });
      while (streaming.compaction(id).executing > 0) await turn();
      assert.equal(streaming.compaction(id).failed, 0, 'a healed disk lets segments be put together');
      assert.deepEqual((await readRows(reader, info)).rows, before.rows, 'a compaction changes no row');
    }
  }

  async #settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight);
  }

  async #end(assembly: Assembly): Promise<void> {
    if (this.#random.chance(0.2)) {
      if (this.#random.chance(0.7)) this.#heal();
      await this.#close(assembly);
      if (this.#random.chance(0.5)) this.#disk.crash('power');
      this.#life += 1;
      this.#forgetRequests();
    } else {
      this.#crash();
    }
    this.#throwFailure();
  }

  async #close(assembly: Assembly): Promise<void> {
    this.#isClosing = true;
    await this.#finish(
      assembly.close().catch((error) => this.#tolerate(error)),
      'a close',
    );
    // Definitions that the closed log refuses may need a while, and everybody gets an answer.
    await this.#finish(this.#settled(), 'a request during the close');
    this.#isClosing = false;
    this.#throwFailure();
  }

  #crash(): void {
    this.#summary.crashes += 1;
    this.#life += 1;
    this.#disk.crash(this.#random.chance(0.3) ? 'kill' : 'power');
    this.#store.crash();
    this.#forgetRequests();
  }

  #forgetRequests(): void {
    this.#summary.unanswered += this.#inFlight.size;
    this.#inFlight.clear();
    this.#isDefining = false;
  }

  #heal(): void {
    this.#disk.failSyncs(0);
    this.#disk.setCapacity(Number.POSITIVE_INFINITY);
    this.#store.failCommits(0);
  }

  #anyCollection(): CollectionModel | null {
    const { collections } = this.#catalog;
    return collections[this.#random.below(Math.max(1, collections.length))] ?? null;
  }

  /** Lets time pass until `work` settles. */
  async #finish<Result>(work: Promise<Result>, what: string): Promise<Result> {
    let isSettled = false;
    const settled = work.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    await turn();
    for (let turns = 0; !isSettled && turns < TURNS_MAX; turns += 1) {
      this.#clock.advance(100);
      await turn();
    }
    assert.ok(isSettled, `${what} hangs`);
    return await settled;
  }

  async #wait(microtasks: number): Promise<void> {
    for (let count = 0; count < microtasks; count += 1) await null;
  }

  /** The world's failures are expected, ours are not. */
  #tolerate(error: unknown): void {
    const isOurs = error instanceof AssertionError || error instanceof assert.AssertionError;
    const isWorlds = error instanceof MilvusError || error instanceof DiskError || error instanceof Error;
    if (isOurs || !isWorlds || error instanceof TypeError) throw error;
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  #note(event: bigint): void {
    this.#summary.trace = Number(
      BigInt.asUintN(32, (BigInt(this.#summary.trace) * 31n + event) ^ (event >> 18n)),
    );
  }
}
