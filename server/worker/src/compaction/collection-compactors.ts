import {
  composeTimestamp,
  MilvusError,
  physicalMs,
  refused,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import type { CompactionReport, CompactionTicket, CompactOptions } from '@elanus/rpc';
import { type Clock, ConcurrencyLimit, type Metrics } from '@elanus/runtime';
import type { ReplacedFiles } from '../flush/replaced-files.ts';
import type { ServedCollection } from '../served-collection.ts';
import type { ServedCollections } from '../served-collections.ts';
import { type CompactionMetrics, registerCompactionMetrics } from './compaction-metrics.ts';
import {
  COMPACTED_BYTES_MAX,
  type CompactionLimits,
  planCompactions,
  type SegmentFacts,
} from './compaction-policy.ts';
import { type CompactionGroup, type CompactorContext, compactSegments } from './segment-compactor.ts';

export interface CollectionCompactorsOptions extends CompactorContext {
  readonly collections: ServedCollections;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly limits: CompactionLimits;
  /** Segments that somebody is writing anew, or will. */
  readonly taken: Set<SegmentId>;
  readonly replaced: ReplacedFiles;
}

/** Reads as of an earlier time (iterators) find everything for so long, unless somebody asks for a compaction. */
const HISTORY_MS = 10 * 60 * 1_000;
/** A read that has found rows has fetched them after this. */
const FETCHED_MS = 60_000;
/** Groups put together at a time, of all collections. */
const RUNNING_MAX = 1;
/** What has ended is remembered for so many jobs. */
const JOBS_MAX = 1_000;
/** The collection's property that says `false` when nothing is to happen by itself. */
const AUTOMATIC_PROPERTY = 'collection.autocompaction.enabled';

const EVERYTHING: CompactOptions = { partitionId: null, bytesMax: null };

/** What is to be put together. */
interface Wish extends CompactOptions {
  readonly reason: 'asked' | 'automatic';
  /** Rows that were deleted up to then are left out. */
  readonly dropUpTo: Timestamp;
}

interface Plan {
  readonly sources: readonly SegmentId[];
  target: SegmentId | null;
  state: 'executing' | 'completed' | 'failed';
}

/** Puts the segments of collections together: when somebody asks for it, and when there are many small or worn ones. */
export class CollectionCompactors {
  readonly #options: CollectionCompactorsOptions;
  readonly #metrics: CompactionMetrics;
  readonly #closing = new AbortController();
  readonly #slots = new ConcurrencyLimit(RUNNING_MAX);
  readonly #jobs = new Map<bigint, readonly Plan[]>();
  readonly #running = new Set<Promise<void>>();
  #groups = { running: 0, waiting: 0 };

  constructor(options: CollectionCompactorsOptions) {
    this.#options = options;
    this.#metrics = registerCompactionMetrics(options.metrics, () => this.#groups);
  }

  /** Looks after all collections from now on, until `close`. */
  start(): void {
    this.#track(this.#watch());
  }

  /**
   * Begins to put together what can be of a collection, and to leave out all rows that are deleted and that no read under
   * way, and none that was asked for by its time lately, may see.
   * @throws MilvusError when the collection is not served, or the configuration forbids it
   */
  async compact(collection: ServedCollection, options: CompactOptions): Promise<CompactionTicket> {
    if (!this.#options.limits.isEnabled) throw refused('compaction disabled');
    await collection.ready();
    const dropUpTo = collection.moments.earliest(collection.appliedTimestamp);
    const plans = await this.#begin(collection, { reason: 'asked', dropUpTo, ...options });
    const [id] = await this.#options.catalog.allocateIds(1);
    this.#jobs.set(id!, plans);
    for (const old of this.#jobs.keys()) if (this.#jobs.size > JOBS_MAX) this.#jobs.delete(old);
    return { id: id!, plans: plans.length };
  }

  /** What has become of it; a job that nobody knows has ended. */
  report(id: bigint): CompactionReport {
    const plans = this.#jobs.get(id) ?? [];
    const count = (state: Plan['state']) => plans.filter((plan) => plan.state === state).length;
    return {
      executing: count('executing'),
      completed: count('completed'),
      failed: count('failed'),
      merges: plans.map(({ sources, target }) => ({ sources, target })),
    };
  }

  /** Gives up what is under way, without a trace. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker closes'));
    await Promise.all(this.#running);
  }

  async #watch(): Promise<void> {
    const { clock, limits, logger } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await clock.sleep(limits.intervalMs, { signal });
        await this.#options.replaced.removeDue(signal);
        if (limits.isEnabled && limits.isAutomatic) await this.#considerAll();
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'the care of segments was put off');
      }
    }
  }

  async #considerAll(): Promise<void> {
    for (const collection of this.#options.collections.all()) {
      const isWanted = collection.info.properties.every(
        ({ key, value }) => key !== AUTOMATIC_PROPERTY || value !== 'false',
      );
      if (!isWanted || !collection.isServing) continue;
      const now = collection.appliedTimestamp;
      const dropUpTo = composeTimestamp(physicalMs(now) - HISTORY_MS);
      await this.#begin(collection, {
        reason: 'automatic',
        dropUpTo: collection.moments.earliest(dropUpTo),
        ...EVERYTHING,
      });
    }
  }

  /** Plans, and lets the groups run in the background. */
  async #begin(collection: ServedCollection, wish: Wish): Promise<readonly Plan[]> {
    const { taken } = this.#options;
    const planned = await this.#groupsOf(collection, wish);
    const groups = planned.filter(({ files }) => files.every(({ info }) => !taken.has(info.id)));
    return groups.map((group) => {
      const sources = group.files.map(({ info }) => info.id);
      const plan: Plan = { sources, target: null, state: 'executing' };
      for (const id of sources) taken.add(id);
      this.#groups.waiting += 1;
      this.#track(
        this.#slots.run(async () => {
          this.#groups.waiting -= 1;
          this.#groups.running += 1;
          try {
            await this.#run(collection, group, plan);
          } finally {
            this.#groups.running -= 1;
            for (const id of sources) taken.delete(id);
          }
        }),
      );
      return plan;
    });
  }

  async #groupsOf(
    collection: ServedCollection,
    { reason, dropUpTo, partitionId: wanted, bytesMax }: Wish,
  ): Promise<readonly CompactionGroup[]> {
    const published = new Set(this.#options.catalog.filesOf(collection.info.id).segments.map(({ id }) => id));
    const { limits, taken } = this.#options;
    const own = bytesMax === null ? limits : { ...limits, bytesMax: Math.min(bytesMax, COMPACTED_BYTES_MAX) };
    const groups: CompactionGroup[] = [];
    for (const [channel, shard] of collection.shardsByChannel) {
      const facts: (SegmentFacts & { readonly file: CompactionGroup['files'][number] })[] = [];
      for (const file of shard.stored.rewritable()) {
        const { id, rows, partitionId } = file.info;
        if (wanted !== null && wanted !== partitionId) continue;
        if (taken.has(id) || !published.has(id)) continue;
        const min = reason === 'asked' ? 1 : limits.deletedShareMin * rows;
        const deletedRows = await shard.stored.countDeleted(file, { upTo: dropUpTo, min });
        facts.push({ file, bytes: file.info.file.bytes, rows, deletedRows });
      }
      const byPartition = Map.groupBy(facts, ({ file }) => file.info.partitionId);
      for (const [partitionId, segments] of byPartition)
        for (const group of planCompactions(segments, own, reason)) {
          const files = group.map(({ file }) => file);
          groups.push({ channel, shard, partitionId, files, dropUpTo });
        }
    }
    return groups;
  }

  async #run(collection: ServedCollection, group: CompactionGroup, plan: Plan): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    const about = { collection: String(collection.info.id), segments: plan.sources.map(String) };
    const startMs = clock.monotonicMs();
    try {
      signal.throwIfAborted();
      const outcome = await compactSegments(collection, group, this.#options, signal);
      plan.state = 'completed';
      this.#metrics.compactions.inc({ outcome: outcome === null ? 'overtaken' : 'completed' });
      if (outcome === null) return;
      const { segment, rowsDropped, bytesBefore, unneeded, free } = outcome;
      plan.target = segment?.id ?? null;
      this.#metrics.rows.inc({ kind: 'written' }, segment?.rows ?? 0);
      this.#metrics.rows.inc({ kind: 'dropped' }, rowsDropped);
      this.#metrics.bytes.inc({ kind: 'replaced' }, bytesBefore);
      this.#metrics.bytes.inc({ kind: 'written' }, segment?.file.bytes ?? 0);
      this.#metrics.seconds.observe({}, (clock.monotonicMs() - startMs) / 1_000);
      logger.info({ ...about, segment: String(plan.target), rowsDropped }, 'segments were put together');
      this.#options.replaced.add(unneeded);
      this.#freeLater(free);
    } catch (error) {
      plan.state = isDropped(error) ? 'completed' : 'failed';
      if (signal.aborted || isDropped(error)) return;
      this.#metrics.compactions.inc({ outcome: 'failed' });
      logger.error({ ...about, err: error }, 'segments could not be put together');
    }
  }

  #freeLater(free: () => void): void {
    const { signal } = this.#closing;
    this.#track(this.#options.clock.sleep(FETCHED_MS, { signal }).then(free, () => {}));
  }

  #track(task: Promise<void>): void {
    const tracked = task.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }
}

/** The collection is no more. */
function isDropped(error: unknown): boolean {
  return error instanceof MilvusError && error.code === 100;
}
