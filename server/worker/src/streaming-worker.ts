import { type LogEntry, LogOutcomeUnknownError } from '@elanus/message-log';
import {
  type CollectionId,
  type CollectionInfo,
  type PartitionId,
  type SegmentId,
  type StagedSegment,
  segmentFileKey,
  type Timestamp,
} from '@elanus/model';
import type {
  CompactionReport,
  CompactionTicket,
  CompactOptions,
  FlushPoint,
  ImportWorker,
  RowStage,
  SegmentReport,
  StreamingWorker,
  WriteRequest,
  WriteResult,
} from '@elanus/rpc';
import { ConcurrencyLimit, LoopShare } from '@elanus/runtime';
import { encodeWriteRecord, isSegmentPart } from '@elanus/segment';
import { ByteBudget } from './byte-budget.ts';
import { CollectionCompactors } from './compaction/collection-compactors.ts';
import { COMPACTION_LIMITS_DEFAULT } from './compaction/compaction-policy.ts';
import { RowExpirer } from './expiry/row-expirer.ts';
import { FunctionFiller } from './filling/function-filler.ts';
import { COLLECT_LIMITS_DEFAULT, CollectionFlushers } from './flush/collection-flushers.ts';
import { LoopEncoder } from './flush/file-encoder.ts';
import { registerFlushMetrics } from './flush/flush-metrics.ts';
import { ReplacedFiles } from './flush/replaced-files.ts';
import { SEAL_LIMITS_DEFAULT } from './flush/seal-policy.ts';
import { ThreadEncoder } from './flush/thread-encoder.ts';
import { StagedRows } from './import/staged-rows.ts';
import { refuseKnownKeys, requireUnchanged } from './known-keys.ts';
import { beginRecovery, type Recovery, type RecoveryOptions, type RecoveryReport } from './recovery.ts';
import { reportSegments } from './report-segments.ts';
import { type RecordsByChannel, ServedCollection } from './served-collection.ts';
import { ServedCollections } from './served-collections.ts';
import { registerStorageMetrics } from './storage-metrics.ts';
import type { StreamingWorkerOptions } from './streaming-worker-options.ts';
import { registerWorkerMetrics, type WorkerMetrics } from './worker-metrics.ts';
import { adoptionRecordsOf, assertFits, bytesOf, rowsOf, writeRecordsOf } from './write-records.ts';

/** A call of flush waits so long for the files. */
const FLUSH_PATIENCE_MS = 400;
/** Collections whose rows are written to files at a time. */
const FLUSHING_MAX = 4;
/** Bytes of writes between acceptance and visibility. */
const WRITE_BYTES_MAX = 512 * 1024 * 1024;

/** Makes the worker. Before anything else it has to `recover` the collections that the catalog knows. */
export function openStreamingWorker(options: StreamingWorkerOptions): LogStreamingWorker {
  return new LogStreamingWorker(options);
}

/** Orders writes by the log of their channels, keeps their rows in memory, and moves them to files. */
export class LogStreamingWorker implements StreamingWorker, ImportWorker, AsyncDisposable {
  /** For the query worker of the same process. */
  readonly collections = new ServedCollections();
  readonly share: LoopShare;
  readonly #options: StreamingWorkerOptions;
  readonly #budget: ByteBudget;
  readonly #metrics: WorkerMetrics;
  readonly #flushers: CollectionFlushers;
  readonly #compactors: CollectionCompactors;
  readonly #filler: FunctionFiller;
  readonly #expirer: RowExpirer;
  readonly #encoder: LoopEncoder | ThreadEncoder;
  readonly #closing = new AbortController();
  #recovery: Recovery | null = null;

  constructor(options: StreamingWorkerOptions) {
    this.#options = options;
    this.share = new LoopShare(options.clock);
    this.#budget = new ByteBudget(options.writeBytesMax ?? WRITE_BYTES_MAX);
    this.#metrics = registerWorkerMetrics(options.metrics, {
      collections: this.collections,
      budget: this.#budget,
    });
    registerStorageMetrics(options.metrics, { collections: this.collections, catalog: options.catalog });
    const encoder = new LoopEncoder(this.share);
    this.#encoder = options.encodeIn === 'thread' ? new ThreadEncoder(encoder) : encoder;
    const compactionLimits = { ...COMPACTION_LIMITS_DEFAULT, ...options.compactionLimits };
    const replaced = new ReplacedFiles({ ...options, graceMs: compactionLimits.graceMs });
    this.#flushers = new CollectionFlushers({
      ...options,
      encoder: this.#encoder,
      writing: new ConcurrencyLimit(FLUSHING_MAX),
      metrics: registerFlushMetrics(options.metrics),
      share: this.share,
      collections: this.collections,
      limits: { ...SEAL_LIMITS_DEFAULT, ...options.sealLimits },
      collect: { ...COLLECT_LIMITS_DEFAULT, ...options.collectLimits },
      isKept: (key) => replaced.isKept(key),
    });
    const rewriting = {
      ...options,
      encoder: this.#encoder,
      share: this.share,
      collections: this.collections,
      taken: new Set<SegmentId>(),
      replaced,
    };
    this.#compactors = new CollectionCompactors({ ...rewriting, limits: compactionLimits });
    this.#filler = new FunctionFiller(rewriting);
    this.#expirer = new RowExpirer({
      ...options,
      collections: this.collections,
      share: this.share,
      remove: async (collection, records, unchangedSince) =>
        (await this.#write(collection, { kind: 'delete', unchangedSince }, records)).replacedRows,
    });
  }

  /**
   * Begins to bring back what files and the log have of `collections` and drops the channels that nobody owns (`ownsChannel`,
   * which knows of more than `collections`: a damaged record may still be repaired). Each collection takes
   * reads and writes as soon as it is back; they wait themselves. Collections may come and go once this has resolved.
   */
  async beginRecovery(
    collections: readonly CollectionInfo[],
    options: RecoveryOptions = {},
  ): Promise<Recovery> {
    const { share } = this;
    const { rowsReplayed } = this.#metrics;
    const { signal } = this.#closing;
    const { damagedLog = 'serve' } = this.#options;
    const serve = (info: CollectionInfo): ServedCollection => this.#serve(info);
    const context = { ...this.#options, share, rowsReplayed, serve, signal, damagedLog };
    this.#recovery = await beginRecovery(context, collections, options);
    return this.#recovery;
  }

  /** As `beginRecovery`, and resolves when all collections are back, also when some could not be read. */
  async recover(
    collections: readonly CollectionInfo[],
    options: RecoveryOptions = {},
  ): Promise<RecoveryReport> {
    const { finished } = await this.beginRecovery(collections, options);
    return await finished;
  }

  async openCollection(collection: CollectionInfo): Promise<void> {
    for (const channel of collection.channels) await this.#options.log.createChannel(channel);
    if (this.collections.find(collection.id) === undefined) this.#serve(collection);
  }

  async updateCollection(collection: CollectionInfo): Promise<void> {
    const served = this.collections.get(collection.id, collection);
    // What could not be replayed now will be at the next start, with what the catalog says then.
    await served.replayed();
    await served.update(collection);
    this.collections.noteSchema(served);
  }

  async dropCollection(id: CollectionId): Promise<void> {
    const collection = this.collections.find(id);
    if (collection === undefined) return;
    this.collections.remove(id);
    collection.drop();
    await collection.settled();
    for (const channel of collection.info.channels) await this.#options.log.dropChannel(channel);
    this.#flushers.drop(collection);
  }

  async dropPartitions(id: CollectionId, partitions: readonly PartitionId[]): Promise<void> {
    const collection = this.collections.get(id);
    await collection.replayed();
    const segments = collection.shards.flatMap((shard) => shard.files.map(({ info }) => info));
    const dropped = segments.filter(({ partitionId }) => partitions.includes(partitionId));
    await collection.dropPartitions(partitions);
    await this.#flushers.removeFiles(dropped.map(({ file }) => file));
  }

  async flush(id: CollectionId): Promise<FlushPoint> {
    const flusher = this.#flushers.of(this.collections.get(id));
    const point = await flusher.flush();
    // Clients ask at once whether it has ended, and then every half second: small flushes are worth a moment.
    await flusher.endedWithin(FLUSH_PATIENCE_MS);
    return point;
  }

  async isFlushed(
    id: CollectionId,
    timestamp: Timestamp,
    segmentIds: readonly SegmentId[],
  ): Promise<boolean> {
    const collection = this.collections.find(id);
    if (collection === undefined) return true;
    await collection.ready();
    return this.#flushers.of(collection).isFlushed(timestamp, segmentIds);
  }

  async compact(id: CollectionId, options: CompactOptions): Promise<CompactionTicket> {
    return await this.#compactors.compact(this.collections.get(id), options);
  }

  compaction(ticket: bigint): CompactionReport {
    return this.#compactors.report(ticket);
  }

  /**
   * From now on rows go to files by their size and age too, segments are put together, rows that have had their time and files
   * that nothing refers to are deleted, until `close`.
   */
  watchFiles(): void {
    if (this.#closing.signal.aborted) return;
    this.#flushers.start();
    this.#compactors.start();
    this.#filler.start();
    this.#expirer.start();
  }

  /** Gives up flushes that are under way, since the log has what they have not published, and reading the log again. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker closes'));
    await this.#recovery?.finished;
    await this.#expirer.close();
    await Promise.all([this.#compactors.close(), this.#filler.close(), this.#flushers.close()]);
    if (this.#encoder instanceof ThreadEncoder) await this.#encoder[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  stage(collection: CollectionInfo): RowStage {
    return new StagedRows(collection, { ...this.#options, encoder: this.#encoder });
  }

  async adopt(info: CollectionInfo, segments: readonly StagedSegment[]): Promise<WriteResult> {
    const collection = this.collections.get(info.id, info);
    await collection.ready();
    await collection.schemaReached(info.schema.version);
    const known = new Set(collection.shards.flatMap((shard) => shard.files.map((file) => file.info.id)));
    const records = adoptionRecordsOf(
      segments.filter(({ id }) => !known.has(id)),
      collection.info.duplicateKey,
    );
    for (const { parts } of records.values())
      for (const part of parts) if (isSegmentPart(part)) await collection.fileOf(part).open();
    const result = await this.#write(collection, { kind: 'insert' }, records);
    this.#filler.consider(collection);
    return result;
  }

  async discard(id: CollectionId, segments: readonly StagedSegment[]): Promise<void> {
    await this.#flushers.removeFiles(
      segments.map(({ id: segment, bytes, crc32 }) => ({ key: segmentFileKey(id, segment), bytes, crc32 })),
    );
  }

  async write(request: WriteRequest): Promise<WriteResult> {
    const collection = this.collections.get(request.collection.id, request.collection);
    await collection.ready();
    await collection.schemaReached(request.collection.schema.version);
    const { duplicateKey, schema } = collection.info;
    const records = writeRecordsOf(request, duplicateKey);
    for (const record of records.values()) assertFits(record, schema);
    return await this.#write(collection, request, records);
  }

  /** Makes the records durable on all channels and takes them in, in the order of all writes of the collection. */
  async #write(
    collection: ServedCollection,
    request: OrderedWrite,
    records: RecordsByChannel,
  ): Promise<WriteResult> {
    if (records.size === 0) return { timestamp: this.#options.timestamps.next(), replacedRows: 0 };
    const entries = [...records].map(([channel, record]) => ({
      channel,
      payload: encodeWriteRecord(record),
    }));
    const isConditional = request.unchangedSince !== undefined;
    if (isConditional) collection.conditionalWrites += 1;
    const write = this.#budget.run(bytesOf(entries), async () => {
      const written =
        collection.info.duplicateKey === 'reject' || collection.conditionalWrites > 0
          ? await this.#writeAlone(collection, request, records, entries)
          : { settled: this.#order(collection, records, entries) };
      return await written.settled;
    });
    const result = await write.finally(() => {
      if (isConditional) collection.conditionalWrites -= 1;
    });
    this.#metrics.rowsWritten.inc({ kind: request.kind }, rowsOf(records));
    return result;
  }

  async segments(id: CollectionId): Promise<readonly SegmentReport[]> {
    const collection = this.collections.get(id);
    await collection.ready();
    return await reportSegments(collection, this.share);
  }

  lossesOf(id: CollectionId): readonly string[] {
    return this.collections.find(id)?.losses ?? [];
  }

  async countRows(id: CollectionId): Promise<ReadonlyMap<PartitionId, bigint>> {
    const collection = this.collections.get(id);
    await collection.ready();
    const counts = new Map(collection.info.partitions.map((partition) => [partition.id, 0n]));
    for (const shard of collection.shards)
      for (const [partition, rows] of shard.liveRows())
        counts.set(partition, (counts.get(partition) ?? 0n) + BigInt(rows));
    return counts;
  }

  /**
   * Gives the write its place: timestamp, log and queue in one tick, so that all three have the same order.
   * A write that the log refuses leaves the queue without a trace.
   */
  async #order(
    collection: ServedCollection,
    records: RecordsByChannel,
    entries: readonly LogEntry[],
  ): Promise<WriteResult> {
    collection.throwUnlessServing();
    for (const { parts } of records.values())
      for (const part of parts) if ('partitionId' in part) collection.requirePartition(part.partitionId);
    const { timestamps, log, clock } = this.#options;
    const timestamp = timestamps.next();
    const durable = log.append(timestamp, entries);
    // The queue looks at it when its turn comes, which may be later than the rejection.
    durable.catch(() => {});
    return await collection.queue.push(timestamp, async () => {
      try {
        await durable;
      } catch (error) {
        if (error instanceof LogOutcomeUnknownError) collection.doubt(error);
        throw error;
      }
      const startMs = clock.monotonicMs();
      const effect = await collection.apply(timestamp, records, bytesOf(entries));
      this.#metrics.applySeconds.observe({}, (clock.monotonicMs() - startMs) / 1000);
      return { timestamp, replacedRows: effect.hiddenRows };
    });
  }

  /** Under `reject` an insert has to know every earlier write before it may be ordered, and so has a write with a condition. */
  async #writeAlone(
    collection: ServedCollection,
    request: OrderedWrite,
    records: RecordsByChannel,
    entries: readonly LogEntry[],
  ): Promise<{ readonly settled: Promise<WriteResult> }> {
    return await collection.turnstile.run(async () => {
      const { duplicateKey } = collection.info;
      if (request.kind === 'insert' && duplicateKey === 'reject') {
        await collection.queue.drained();
        await refuseKnownKeys({ collection, records, share: this.share });
      }
      if (request.unchangedSince !== undefined) {
        await collection.queue.drained();
        await requireUnchanged({ collection, records, share: this.share }, request.unchangedSince);
      }
      const settled = this.#order(collection, records, entries);
      settled.catch(() => {});
      return { settled };
    });
  }

  #serve(info: CollectionInfo): ServedCollection {
    const collection = new ServedCollection(info, {
      random: this.#options.random,
      share: this.share,
      files: this.#options.files,
    });
    this.collections.add(collection);
    return collection;
  }
}

/** What decides how a write is ordered. */
interface OrderedWrite {
  readonly kind: WriteRequest['kind'];
  readonly unchangedSince?: Timestamp;
}
