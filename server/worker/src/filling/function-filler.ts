import {
  type CollectionId,
  type CollectionInfo,
  type FieldId,
  MilvusError,
  type SchemaFunction,
  type SegmentId,
} from '@elanus/model';
import { type Clock, ConcurrencyLimit, type Counter, type Metrics } from '@elanus/runtime';
import { functionColumn, type Shard } from '@elanus/segment';
import type { CompactorContext } from '../compaction/segment-compactor.ts';
import type { ReplacedFiles } from '../flush/replaced-files.ts';
import { lookAgain } from '../look-again.ts';
import type { ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import { refillSegment } from './refill-segment.ts';

export interface FunctionFillerOptions extends CompactorContext {
  readonly collections: ServedCollections;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Segments that somebody is writing anew. */
  readonly taken: Set<SegmentId>;
  readonly replaced: ReplacedFiles;
}

/** Between two looks at rows that can't be filled yet, and between two tries of what fails. */
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 30_000;
/** Imports and compactions that began before a function was added bring rows without its values later. */
const LOOK_MS = 10_000;
/** Collections whose rows are filled at a time. */
const FILLING_MAX = 1;

/**
 * Makes what functions make of the rows that were there before them. Rows in memory have it as soon as it is made, and
 * the next flush takes it along; rows in files get a file with one column more in the place of theirs, segment by segment.
 * A crash loses the work on one segment: which rows lack values their files say.
 */
export class FunctionFiller {
  readonly #options: FunctionFillerOptions;
  readonly #rows: Counter;
  readonly #closing = new AbortController();
  readonly #slots = new ConcurrencyLimit(FILLING_MAX);
  readonly #running = new Map<CollectionId, Promise<void>>();
  /** Collections to look at once more. */
  readonly #wanted = new Set<CollectionId>();
  #watching: Promise<void> | null = null;

  constructor(options: FunctionFillerOptions) {
    this.#options = options;
    this.#rows = options.metrics.counter(
      'elanus_filled_rows_total',
      'Rows for which a function that was added later has made its values',
      ['place'],
    );
    options.collections.watch((collection) => this.consider(collection));
  }

  /** Begins to fill what is to be filled of a collection, unless that is under way. */
  consider(collection: ServedCollection): void {
    const { id } = collection.info;
    if (this.#closing.signal.aborted || fillingFunctions(collection.info).length === 0) return;
    this.#wanted.add(id);
    if (this.#running.has(id)) return;
    const task = this.#run(collection).finally(() => {
      this.#running.delete(id);
      if (this.#wanted.has(id)) this.consider(collection);
    });
    this.#running.set(id, task);
  }

  /** Looks at all collections now and then, until `close`. */
  start(): void {
    const { collections, clock } = this.#options;
    const look = (collection: ServedCollection) => this.consider(collection);
    this.#watching = lookAgain(look, { collections, clock, everyMs: LOOK_MS, signal: this.#closing.signal });
  }

  /** Gives up what is under way, without a trace. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker closes'));
    await Promise.all([...this.#running.values(), this.#watching]);
  }

  async #run(collection: ServedCollection): Promise<void> {
    // Whoever adds a collection begins its replay in the same tick.
    await Promise.resolve();
    await collection.replayed();
    await this.#fillAll(collection);
  }

  /** Resolves when no row lacks anything, or the collection is no more. */
  async #fillAll(collection: ServedCollection): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    const { id } = collection.info;
    let pauseMs = PAUSE_MS_MIN;
    while (!signal.aborted) {
      this.#wanted.delete(id);
      try {
        await collection.ready({ signal });
        // A collection that has to wait for its turn at something else keeps no other one waiting.
        await this.#slots.run(() => this.#fill(collection));
        if (!this.#isLeft(collection)) return;
        pauseMs = PAUSE_MS_MIN;
      } catch (error) {
        if (signal.aborted || isGone(error)) return;
        logger.warn({ collection: String(id), err: error }, 'rows could not be filled, it goes on later');
        pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
      }
      await clock.sleep(pauseMs, { signal }).catch(() => {});
    }
  }

  /** What can be filled now. */
  async #fill(collection: ServedCollection): Promise<void> {
    for (const made of fillingFunctions(collection.info))
      for (const shard of collection.shards) await this.#fillMemory(collection, shard, made);
    for (const shard of collection.shards) await this.#fillFiles(collection, shard);
  }

  async #fillMemory(collection: ServedCollection, shard: Shard, made: SchemaFunction): Promise<void> {
    const { share } = this.#options;
    let rows = 0;
    for (const chunk of shard.unfilled.chunks(made.output)) {
      this.#closing.signal.throwIfAborted();
      collection.throwUnlessServing();
      const given = { length: chunk.rows, column: (id: FieldId) => chunk.column(id) };
      const column = await functionColumn(made, collection.info.schema, given, share);
      shard.unfilled.fill(chunk, made.output, column);
      rows += chunk.rows;
    }
    if (rows === 0) return;
    this.#rows.inc({ place: 'memory' }, rows);
    collection.watcher?.handedOver();
  }

  async #fillFiles(collection: ServedCollection, shard: Shard): Promise<void> {
    const { taken, replaced } = this.#options;
    const outputs = fillingFunctions(collection.info).map(({ output }) => output);
    for (const file of new Set(outputs.flatMap((id) => shard.unfilled.files(id)))) {
      const { id, rows } = file.info;
      if (taken.has(id)) continue;
      taken.add(id);
      try {
        const outcome = await refillSegment(collection, { shard, file }, this.#options, this.#closing.signal);
        if (outcome === 'later') continue;
        // Of a file that was closed it is known now what it has.
        collection.watcher?.handedOver();
        if (outcome === 'complete') continue;
        replaced.add([file.info.file]);
        this.#rows.inc({ place: 'file' }, rows);
      } finally {
        taken.delete(id);
      }
    }
  }

  #isLeft({ info, shards }: ServedCollection): boolean {
    return fillingFunctions(info).some(({ output }) => shards.some((shard) => shard.unfilled.isLeft(output)));
  }
}

function fillingFunctions({ schema }: CollectionInfo): readonly SchemaFunction[] {
  return schema.functions.filter(({ fillsEarlierRows }) => fillsEarlierRows === true);
}

/** The collection was dropped. */
function isGone(error: unknown): boolean {
  return error instanceof MilvusError && error.code === 100;
}
