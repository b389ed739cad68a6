import type { MessageLog } from '@elanus/message-log';
import {
  type ChannelName,
  type Checkpoint,
  type DeleteFileInfo,
  dataIntegrity,
  deleteFileKey,
  MilvusError,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  type StoredFile,
  segmentFileKey,
  serviceNotReady,
  type Timestamp,
} from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import type { FlushPoint, SegmentCatalog } from '@elanus/rpc';
import type { Clock, ConcurrencyLimit, Logger, LoopShare, TimestampSource } from '@elanus/runtime';
import {
  deletionContent,
  FilesInUse,
  type SealedFile,
  type SealedRows,
  SegmentFile,
  type SegmentFileContent,
  type SegmentFileLabel,
  type Shard,
  type ShardCut,
  segmentContent,
  sourceInStore,
} from '@elanus/segment';
import type { ServedCollection } from '../served-collection.ts';
import type { FileEncoder } from './file-encoder.ts';
import type { FlushMetrics } from './flush-metrics.ts';
import { mergeDeletions } from './merge-deletions.ts';
import type { SegmentFiles } from './segment-files.ts';
import { storeKeys } from './store-keys.ts';
import { writeSegmentFile } from './write-segment-file.ts';

/** What the flushes of all collections share. */
export interface FlushContext {
  readonly store: ObjectStore;
  readonly files: SegmentFiles;
  readonly encoder: FileEncoder;
  readonly catalog: SegmentCatalog;
  readonly log: MessageLog;
  readonly timestamps: TimestampSource;
  readonly clock: Clock;
  readonly share: LoopShare;
  readonly logger: Logger;
  readonly metrics: FlushMetrics;
  /** Bounds the flushes that write at a time. */
  readonly writing: ConcurrencyLimit;
}

/** The rows and deletions that one shard gives to a flush. */
interface ShardPart {
  readonly channel: ChannelName;
  readonly shard: Shard;
  readonly cut: ShardCut;
  /** Of the file of deletions, should there be some. */
  readonly deletionsId: SegmentId;
  /** Segments of which nothing can be read any more. */
  readonly dead: readonly SealedFile[];
}

/** A file of deletions, `null` without any, and those whose deletions are in it now. */
interface WrittenDeletions {
  readonly file: DeleteFileInfo | null;
  readonly replaced: readonly DeleteFileInfo[];
}

/** Everything up to one time that no file has yet, and how much of it is written. */
interface FlushJob {
  readonly checkpoint: Checkpoint;
  readonly oldest: Timestamp;
  readonly parts: readonly ShardPart[];
  readonly segmentIds: readonly SegmentId[];
  readonly written: Map<SealedRows, SegmentInfo>;
  readonly writtenDeletions: Map<ShardPart, WrittenDeletions>;
}

/** Between two tries of a flush that fails. */
const PAUSE_MS_MIN = 200;
const PAUSE_MS_MAX = 30_000;
/** Files of deletions of one channel; the next flush puts them together. */
const DELETE_FILES_MAX = 16;
/** Deletions may be in rows of any. */
const NO_PARTITION = 0n as PartitionId;
/** For partitions that get their first row before the cut. */
const IDS_SPARE = 64;

/**
 * Moves what a collection has in memory to files, one flush after the other.
 *
 * A flush is one cut through all shards, at one point of the order of writes: what came before goes to files, is
 * published by one transaction together with the checkpoint, and is then cut off the log; what comes after is left alone.
 * The rows stay in memory and in sight until their file has taken their place in the same tick. A flush that fails is
 * tried again with the same rows until it succeeds: nothing else may move the checkpoint meanwhile.
 */
export class CollectionFlusher {
  readonly #collection: ServedCollection;
  readonly #context: FlushContext;
  readonly #closing = new AbortController();
  #job: FlushJob | null = null;
  #running: Promise<void> | null = null;
  #isWantedAgain = false;

  constructor(collection: ServedCollection, context: FlushContext) {
    this.#collection = collection;
    this.#context = context;
  }

  /**
   * Begins to write what is in memory only; when a flush is under way, as soon as that one has ended.
   * @throws MilvusError when the collection is not served, or 1009 when a file of it is damaged: then the log has to keep
   * what that file would be needed for
   */
  async flush(): Promise<FlushPoint> {
    await this.#collection.ready();
    this.#requireSoundFiles();
    // Before the cut: later writes are nobody's who has asked for this.
    const timestamp = this.#context.timestamps.next();
    let segmentIds: readonly SegmentId[] = [];
    if (this.#running !== null) this.#isWantedAgain = true;
    else if (this.#isInMemoryOnly(timestamp)) segmentIds = await this.#begin();
    return { timestamp, segmentIds };
  }

  /**
   * Whether nothing that was acknowledged up to `timestamp`, and no row of `segmentIds`, is in memory only.
   * @throws MilvusError 1009 when that can't come true as long as a file is damaged
   */
  isFlushed(timestamp: Timestamp, segmentIds: readonly SegmentId[]): boolean {
    if (this.#isInMemoryOnly(timestamp)) {
      this.#requireSoundFiles();
      return false;
    }
    if (this.#job === null) return true;
    return this.#job.oldest > timestamp && !this.#job.segmentIds.some((id) => segmentIds.includes(id));
  }

  /** Resolves when the flush under way has ended, or after `ms`. */
  async endedWithin(ms: number): Promise<void> {
    if (this.#running === null) return;
    const late = new AbortController();
    const sleeping = this.#context.clock.sleep(ms, { signal: late.signal }).catch(() => {});
    await Promise.race([this.#running, sleeping]);
    late.abort();
  }

  /** Whether a flush is under way. */
  get isFlushing(): boolean {
    return this.#running !== null;
  }

  /** Gives up what is under way. Resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the flush is given up'));
    await this.#running;
  }

  /** Whether there are writes up to `timestamp` that no flush has taken up. */
  #isInMemoryOnly(timestamp: Timestamp): boolean {
    const { queue, oldestUnsealed } = this.#collection;
    return (oldestUnsealed !== null && oldestUnsealed <= timestamp) || queue.reached(timestamp) !== null;
  }

  #requireSoundFiles(): void {
    const files = this.#collection.shards.flatMap((shard) => shard.files);
    const broken = files.find(({ isBroken }) => isBroken)?.info;
    if (broken !== undefined)
      throw dataIntegrity(`segment ${broken.id} (${broken.file.key}) can't be read`, null);
  }

  /** Makes the cut and starts to write; resolves when the cut is made. */
  async #begin(): Promise<readonly SegmentId[]> {
    const cut = this.#cut();
    this.#running = cut.then(
      (job) => (job === null ? this.#end() : this.#run(job)),
      () => this.#end(),
    );
    return (await cut)?.segmentIds ?? [];
  }

  /** All of a collection at the same point of its queue; `null` when no write has come to anything. */
  async #cut(): Promise<FlushJob | null> {
    const collection = this.#collection;
    const { info, shards } = collection;
    const ids = [...(await this.#context.catalog.allocateIds(idsNeeded(shards) + IDS_SPARE))].reverse();
    const segmentIds: SegmentId[] = [];
    const newSegmentId = (): SegmentId => {
      const id = ids.pop()!;
      segmentIds.push(id);
      return id;
    };
    return await collection.betweenPublications(async () => {
      collection.throwUnlessServing();
      if (idsNeeded(shards) > ids.length) throw serviceNotReady('rows of many new partitions came meanwhile');
      const sealed = collection.sealRows();
      if (sealed === null) return null;
      const { oldest, timestamp } = sealed;
      const parts = [...collection.shardsByChannel].map(([channel, shard]) => {
        const dead = shard.deadFiles;
        return { channel, shard, cut: shard.cut(newSegmentId), deletionsId: ids.pop()!, dead };
      });
      const historyStart = shards.reduce(
        (latest, shard) => (shard.historyStart > latest ? shard.historyStart : latest),
        0n as Timestamp,
      );
      const checkpoint = { collectionId: info.id, timestamp, historyStart };
      const [written, writtenDeletions] = [new Map(), new Map()];
      this.#job = { checkpoint, oldest, parts, segmentIds, written, writtenDeletions };
      return this.#job;
    });
  }

  async #run(job: FlushJob): Promise<void> {
    const { clock, logger, metrics } = this.#context;
    const { signal } = this.#closing;
    const about = { collection: String(this.#collection.info.id), segments: job.segmentIds.map(String) };
    const startMs = clock.monotonicMs();
    try {
      for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
        try {
          await this.#context.writing.run(() => this.#write(job));
          break;
        } catch (error) {
          if (signal.aborted || isGone(error)) return;
          metrics.failures.inc({});
          if (pauseMs === PAUSE_MS_MIN)
            logger.error({ ...about, err: error }, 'a flush failed, it goes on later');
          await clock.sleep(pauseMs, { signal });
        }
      }
      metrics.flushSeconds.observe({}, (clock.monotonicMs() - startMs) / 1000);
      logger.info({ ...about, rows: rowsOf(job) }, 'a flush has ended');
    } catch (error) {
      if (!signal.aborted) logger.error({ ...about, err: error }, 'a flush broke off');
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#job = null;
    this.#running = null;
    const isWanted = this.#isWantedAgain && !this.#closing.signal.aborted;
    this.#isWantedAgain = false;
    if (!isWanted) return;
    this.flush().catch((error) => {
      const about = { collection: String(this.#collection.info.id), err: error };
      this.#context.logger.warn(about, 'a flush could not begin');
    });
  }

  /** Each step is done once, however often this is called until it succeeds. */
  async #write(job: FlushJob): Promise<void> {
    const { catalog, log, logger, metrics, store } = this.#context;
    for (const part of job.parts) {
      for (const rows of part.cut.segments)
        if (!job.written.has(rows)) job.written.set(rows, await this.#writeRows(part, rows));
      if (!job.writtenDeletions.has(part)) job.writtenDeletions.set(part, await this.#writeDeletions(part));
    }
    const adopted = job.parts.flatMap(({ cut }) => cut.adopted);
    const segments = [...job.written.values(), ...adopted];
    const deletions = [...job.writtenDeletions.values()];
    const deleteFiles = deletions.map(({ file }) => file).filter((file) => file !== null);
    const replaced = deletions.flatMap((one) => one.replaced);
    const dead = job.parts.flatMap((part) => part.dead.map(({ info }) => info));
    const { checkpoint } = job;
    const publication = {
      segments,
      deleteFiles,
      deadSegments: dead.map(({ id }) => id),
      replacedDeleteFiles: replaced.map(({ id }) => id),
      checkpoint,
    };
    const partitions = await this.#collection.sealing.run(async () => {
      const published = await catalog.publishFlush(publication);
      for (const part of job.parts) part.shard.forgetFiles(part.dead);
      await this.#handOver(job, published);
      return published;
    });
    metrics.rows.inc({}, rowsOf(job));
    metrics.bytes.inc(
      {},
      [...segments, ...deleteFiles].reduce((sum, { file }) => sum + file.bytes, 0),
    );
    await storeKeys(this.#collection.queue, job.parts);
    try {
      await log.cut(this.#collection.info.channels, checkpoint.timestamp);
    } catch (error) {
      // The next flush goes on with it; nothing of it is replayed.
      logger.warn({ collection: String(checkpoint.collectionId), err: error }, 'the log could not be cut');
    }
    const unpublished = segments.filter(({ partitionId }) => !partitions.has(partitionId));
    const unneeded = [...unpublished, ...dead, ...replaced].map(({ file }) => file.key);
    await store.deleteMany(unneeded).catch((error) => {
      logger.warn({ err: error }, 'files that nothing refers to stay until they are collected');
    });
  }

  async #writeRows({ channel, cut }: ShardPart, sealed: SealedRows): Promise<SegmentInfo> {
    const { id, partitionId, rows, firstTimestamp, lastTimestamp } = sealed;
    const collectionId = this.#collection.info.id;
    const content = segmentContent(cut, sealed, this.#label(channel, partitionId, id));
    const file = await this.#writeFile(segmentFileKey(collectionId, id), content);
    return { id, collectionId, partitionId, channel, rows, firstTimestamp, lastTimestamp, file };
  }

  async #writeDeletions(part: ShardPart): Promise<WrittenDeletions> {
    const { channel, cut, deletionsId: id } = part;
    const collectionId = this.#collection.info.id;
    const label = this.#label(channel, NO_PARTITION, id);
    const added = await deletionContent(cut, label, this.#context.share);
    if (added === null) return { file: null, replaced: [] };
    const { content, replaced } = await this.#mergeDeletions(part, added);
    const rows = content.timestamps.reduce((sum, { length }) => sum + length, 0);
    const file = await this.#writeFile(deleteFileKey(collectionId, id), content);
    return { file: { id, collectionId, channel, rows, file }, replaced };
  }

  /** A start reads all files of deletions: there must not be many. */
  async #mergeDeletions(
    { channel, cut, dead }: ShardPart,
    added: SegmentFileContent,
  ): Promise<{ readonly content: SegmentFileContent; readonly replaced: readonly DeleteFileInfo[] }> {
    const { catalog, logger, share, store } = this.#context;
    const known = catalog.filesOf(this.#collection.info.id);
    const older = known.deleteFiles.filter((file) => file.channel === channel);
    if (older.length < DELETE_FILES_MAX) return { content: added, replaced: [] };
    const segments = new Set([...known.segments, ...cut.segments].map(({ id }) => id));
    for (const { info } of dead) segments.delete(info.id);
    try {
      const files = [];
      for (const { file } of older)
        files.push(await SegmentFile.open(sourceInStore(store, file.key, file.bytes)));
      const content = await mergeDeletions(files, added, { isGone: (id) => !segments.has(id), share });
      return { content, replaced: older };
    } catch (error) {
      logger.warn({ channel, err: error }, 'files of deletions could not be put together');
      return { content: added, replaced: [] };
    }
  }

  async #writeFile(key: string, content: SegmentFileContent): Promise<StoredFile> {
    const { store, encoder } = this.#context;
    return await writeSegmentFile(content, { key, store, encoder, signal: this.#closing.signal });
  }

  #label(channel: ChannelName, partitionId: PartitionId, segmentId: SegmentId): SegmentFileLabel {
    return { collectionId: this.#collection.info.id, partitionId, segmentId, channel, notes: {} };
  }

  /** The files take the place of memory, each when it is found to be sound; otherwise the memory stays. */
  async #handOver(job: FlushJob, partitions: ReadonlySet<PartitionId>): Promise<void> {
    const { files, logger } = this.#context;
    for (const { shard, cut } of job.parts) {
      for (const rows of cut.segments) {
        const info = job.written.get(rows)!;
        if (!partitions.has(info.partitionId)) continue;
        const file = files.of(info);
        using use = new FilesInUse();
        try {
          await use.add(file);
        } catch (error) {
          logger.error(
            { segment: String(info.id), err: error },
            'a file that was just written can’t be used',
          );
          continue;
        }
        shard.handOver(rows, file);
      }
    }
    this.#collection.watcher?.handedOver();
  }
}

/** A segment for each partition that has rows, and a file of deletions. */
function idsNeeded(shards: readonly Shard[]): number {
  return shards.reduce((sum, shard) => sum + shard.liveRows().size + 1, 0);
}

/** The collection was dropped. */
function isGone(error: unknown): boolean {
  return error instanceof MilvusError && error.code === 100;
}

function rowsOf({ parts }: FlushJob): number {
  const segments = parts.flatMap(({ cut }) => cut.segments);
  return segments.reduce((sum, { rows }) => sum + rows, 0);
}
