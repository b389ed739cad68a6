import type { Kernel } from '@elanus/kernel';
import { type CollectionId, type Column, type FieldId, fieldById, type KeyColumn } from '@elanus/model';
import type {
  AggregateRows,
  AggregateTask,
  QueryRows,
  QueryTask,
  QueryWorker,
  ReadExplanation,
  ReadOptions,
  ReadTask,
  RowLocations,
  SearchHits,
  SearchTask,
} from '@elanus/rpc';
import { type Clock, type LoopShare, type Metrics, noMetrics, systemClock } from '@elanus/runtime';
import {
  aggregateShards,
  countShards,
  explainRead,
  FilesInUse,
  FilterCache,
  fetchColumns,
  type GroupedRows,
  locationsOfRows,
  missingColumn,
  openSegmentThreads,
  prepareRead,
  queryShards,
  type Read,
  ReadTrace,
  type ScanTools,
  type SegmentThreads,
  searchShards,
  VectorCoder,
} from '@elanus/segment';
import { registerFilterMetrics } from './filter-metrics.ts';
import type { RecallCalibrator } from './recall/recall-calibrator.ts';
import { rowSelection } from './row-selection.ts';
import type { ServedCollections } from './served-collections.ts';

export interface QueryWorkerOptions {
  /** Those of the streaming worker of the same process, as is `share`. */
  readonly collections: ServedCollections;
  readonly share: LoopShare;
  readonly kernel: Kernel;
  /** Threads for filters that take long. Default: none, they run on the calling thread, a little in each turn. */
  readonly filterThreads?: number;
  readonly metrics?: Metrics;
  /** Times what reads do when somebody wants to know. */
  readonly clock?: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** Told of searches with a recall target; left out: they stay exact. */
  readonly calibrator?: RecallCalibrator;
  /** What filters have found, kept for those who ask again. Default: 64 MiB. */
  readonly filterCacheBytes?: number;
}

/** What a read that has failed uses stays for so long: longer than any of its parts goes on. */
const FAILED_READ_MS = 30_000;
const FILTER_CACHE_BYTES = 64 * 1024 * 1024;

export function openQueryWorker(options: QueryWorkerOptions): QueryWorker & AsyncDisposable {
  return new SegmentQueryWorker(options);
}

/** Answers reads from the rows that the streaming worker of the same process holds. */
class SegmentQueryWorker implements QueryWorker, AsyncDisposable {
  readonly #collections: ServedCollections;
  readonly #share: LoopShare;
  readonly #tools: ScanTools;
  readonly #cache: FilterCache;
  readonly #threads: SegmentThreads | null;
  readonly #clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly #closing = new AbortController();
  readonly #calibrator: RecallCalibrator | null;

  constructor(options: QueryWorkerOptions) {
    const { collections, share, kernel, filterThreads = 0, metrics = noMetrics } = options;
    this.#collections = collections;
    this.#share = share;
    this.#clock = options.clock ?? systemClock;
    this.#calibrator = options.calibrator ?? null;
    this.#threads = filterThreads === 0 ? null : openSegmentThreads(filterThreads);
    this.#cache = new FilterCache(options.filterCacheBytes ?? FILTER_CACHE_BYTES);
    registerFilterMetrics(metrics, this.#cache);
    this.#tools = { kernel, coder: new VectorCoder(kernel) };
  }

  async search(task: SearchTask, options?: ReadOptions): Promise<SearchHits> {
    return await this.#reading(
      task,
      options,
      async ({ read, keyType }) => await this.#search(read, task, keyType, options),
    );
  }

  async #search(
    read: Read,
    task: SearchTask,
    keyType: KeyColumn['dataType'],
    options: ReadOptions | undefined,
  ): Promise<SearchHits> {
    this.#calibrator?.noteSearch();
    const hits = await searchShards(read, task, this.#tools, keyType);
    if (task.recallTarget !== undefined) this.#calibrator?.noteTarget(task);
    if (read.trace != null) options!.explain!.add(await explainRead(read, read.trace, aboutSearch(task)));
    return { readTimestamp: read.scope.at, ...hits };
  }

  async searchTogether(tasks: readonly SearchTask[], options?: ReadOptions): Promise<readonly SearchHits[]> {
    return await this.#reading(tasks[0]!, options, async ({ read: first, keyType }) => {
      const reads = tasks.map((task) => first.narrowed(task));
      for (const [at, read] of reads.entries()) await prepareRead(read, tasks[at]!.field.id);
      // The time in their scope makes them see the same; that they begin in this tick, when it is still now, makes it cheap.
      return await Promise.all(
        tasks.map(async (task, at) => await this.#search(reads[at]!, task, keyType, options)),
      );
    });
  }

  async query(task: QueryTask, options?: ReadOptions): Promise<QueryRows> {
    return await this.#reading(task, options, async ({ read, keyType }) => {
      const rows = await queryShards(read, task, keyType);
      if (read.trace != null) options!.explain!.add(await explainRead(read, read.trace, QUERY));
      return { readTimestamp: read.scope.at, ...rows };
    });
  }

  async count(task: ReadTask, options?: ReadOptions): Promise<bigint> {
    return await this.#reading(task, options, async ({ read }) => {
      const count = await countShards(read);
      if (read.trace != null) options!.explain!.add(await explainRead(read, read.trace, COUNT));
      return BigInt(count);
    });
  }

  async aggregate(task: AggregateTask, options?: ReadOptions): Promise<AggregateRows> {
    return await this.#reading(task, options, async ({ read }) => await this.#aggregate(task, read, options));
  }

  async #aggregate(
    task: AggregateTask,
    read: Read,
    options: ReadOptions | undefined,
  ): Promise<AggregateRows> {
    const found = await aggregateShards(read, task.groupBy, task.aggregates);
    const groups = await this.#columnsOf(task, read, found.examples, task.groupBy);
    const values: Column[] = [];
    for (const total of found.totals)
      values.push(total.kind === 'values' ? total.column : await this.#extremes(task, read, total));
    const length = task.groupBy.length === 0 ? 1 : found.examples.rows.length;
    if (read.trace != null) {
      read.trace.stages.lap('aggregate');
      options!.explain!.add(await explainRead(read, read.trace, AGGREGATE));
    }
    return { readTimestamp: read.scope.at, length, groups, values };
  }

  async #extremes(
    task: AggregateTask,
    read: Read,
    { field, rows }: GroupedRows['totals'][number] & { readonly kind: 'rows' },
  ): Promise<Column> {
    if (rows.rows.length > 0 || task.groupBy.length > 0)
      return (await this.#columnsOf(task, read, rows, [field])).get(field)!;
    return missingColumn({ ...fieldById(task.collection.schema, field)!, defaultValue: null }, 1);
  }

  async #columnsOf(
    { collection }: AggregateTask,
    read: Read,
    rows: GroupedRows['examples'],
    fields: readonly FieldId[],
  ): Promise<ReadonlyMap<FieldId, Column>> {
    if (fields.length === 0) return new Map();
    return await this.fetch(collection.id, await locationsOfRows(read, rows), fields);
  }

  async fetch(
    id: CollectionId,
    locations: RowLocations,
    fields: readonly FieldId[],
  ): Promise<ReadonlyMap<FieldId, Column>> {
    const { shards, info } = this.#collections.get(id);
    return await fetchColumns({ shards, schema: info.schema, share: this.#share }, locations, fields);
  }

  /** Ends the threads; filters under way on them fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#threads?.[Symbol.asyncDispose]();
  }

  /** Reads at a time that stays readable as long as `work` goes on. */
  async #reading<Result>(
    task: ReadTask,
    options: ReadOptions | undefined,
    work: (begun: BegunRead) => Promise<Result>,
  ): Promise<Result> {
    const begun = await this.#begin(task, options);
    const { use } = begun.read;
    try {
      const result = await work(begun);
      use[Symbol.dispose]();
      return result;
    } catch (error) {
      void this.#endLater(use);
      throw error;
    } finally {
      begun.leave();
    }
  }

  /** A read that has failed may have parts that are still at it: nobody has told them. */
  async #endLater(use: FilesInUse): Promise<void> {
    use.endReading();
    const { signal } = this.#closing;
    if (!use.isEmpty) await this.#clock.sleep(FAILED_READ_MS, { signal }).catch(() => {});
    use[Symbol.dispose]();
  }

  /** Waits for the writes that the read has to see and fixes the time that it reads at. */
  async #begin(task: ReadTask, options: ReadOptions = {}): Promise<BegunRead> {
    const { explain } = options;
    const trace =
      explain === undefined ? null : new ReadTrace(explain.level, () => this.#clock.monotonicMs());
    const collection = this.#collections.get(task.collection.id, task.collection);
    await collection.schemaReached(task.collection.schema.version, options);
    const at = await collection.timeToRead(task, options);
    const leave = collection.moments.enter(at);
    trace?.stages.lap('wait');
    const partitionIds = task.partitionIds === null ? null : new Set(task.partitionIds);
    const read = new WorkerRead(
      {
        shards: collection.shards,
        scope: { partitionIds, at },
        selection: rowSelection(task.filter),
        filters: { cache: this.#cache, indexes: collection.scalarIndexes, threads: this.#threads },
        share: this.#share,
        use: new FilesInUse(),
        trace,
      },
      options,
    );
    const { dataType } = collection.info.schema.primaryKey;
    return { read, keyType: dataType as KeyColumn['dataType'], leave };
  }
}

/** A read whose time is fixed. */
interface BegunRead {
  readonly read: WorkerRead;
  readonly keyType: KeyColumn['dataType'];
  /** Ends it. */
  readonly leave: () => void;
}

const QUERY = { kind: 'query', target: null } as const;
const COUNT = { kind: 'count', target: null } as const;
const AGGREGATE = { kind: 'aggregate', target: null } as const;

function aboutSearch({ field, metric, queries }: SearchTask): Pick<ReadExplanation, 'kind' | 'target'> {
  return { kind: 'search', target: { fieldName: field.name, metric, queries: queries.count } };
}

/** A read as it is when it begins. */
type ReadBeginning = Omit<Required<Read>, 'signal'>;

/** A class: an object of its own with an accessor takes microseconds to make. */
class WorkerRead implements Read {
  readonly shards: Read['shards'];
  readonly scope: Read['scope'];
  readonly selection: Read['selection'];
  readonly filters: ReadBeginning['filters'];
  readonly share: LoopShare;
  readonly use: FilesInUse;
  readonly trace: ReadTrace | null;
  readonly #options: ReadOptions;

  constructor(beginning: ReadBeginning, options: ReadOptions) {
    this.shards = beginning.shards;
    this.scope = beginning.scope;
    this.selection = beginning.selection;
    this.filters = beginning.filters;
    this.share = beginning.share;
    this.use = beginning.use;
    this.trace = beginning.trace;
    this.#options = options;
  }

  /** Most reads end without ever asking for it. */
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** The same moment for another selection of rows. */
  narrowed({ partitionIds, filter }: ReadTask): WorkerRead {
    const { shards, scope, filters, share, use, trace } = this;
    const narrowed = {
      shards,
      scope: { ...scope, partitionIds: partitionIds === null ? null : new Set(partitionIds) },
      selection: rowSelection(filter),
      filters,
      share,
      use,
      trace: trace === null ? null : trace.fork(),
    };
    return new WorkerRead(narrowed, this.#options);
  }
}
