import {
  type ChannelName,
  type CollectionInfo,
  collectionNotFound,
  composeTimestamp,
  dataIntegrity,
  MilvusError,
  type PartitionId,
  partitionNotFound,
  physicalMs,
  type SegmentId,
  segmentFileKey,
  serviceNotReady,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import type { ReadOptions } from '@elanus/rpc';
import { ConcurrencyLimit, type LoopShare, type Random } from '@elanus/runtime';
import {
  ScalarIndexes,
  type SealedFile,
  type SegmentPart,
  Shard,
  type WriteEffect,
  type WriteRecord,
} from '@elanus/segment';
import { ApplyQueue } from './apply-queue.ts';
import type { SegmentFiles } from './flush/segment-files.ts';
import { Milestones } from './milestones.ts';
import { ReadMoments } from './read-moments.ts';

/** How long reads as of an earlier time (iterators) find everything. */
const HISTORY_MS = 10 * 60 * 1000;

type State =
  | { readonly name: 'serving' }
  /** A durable write could not be taken in, or the log could not be read: memory is not the log any more. */
  | { readonly name: 'failed'; readonly cause: unknown }
  /** The log closes and does not know whether it has a write: what is durable behind that one is acknowledged still. */
  | { readonly name: 'doubtful'; readonly cause: unknown }
  | { readonly name: 'dropped' };

/** Whoever works in the background on the rows of a collection. Must not throw. */
export interface RowWatcher {
  /** There are rows in a new chunk: those in the one before will not change. */
  chunksBegun(): void;
  /** Rows are in files now, in their old places. */
  handedOver(): void;
  /** Nobody reads the rows any more. */
  dropped(): void;
}

/** What one write does, by channel. */
export type RecordsByChannel = ReadonlyMap<ChannelName, WriteRecord>;

/** A collection whose rows are in the memory of this process: its shards, and the order of its writes. */
export class ServedCollection {
  readonly queue = new ApplyQueue();
  /** Whoever must see all earlier writes before its own is ordered (policy `reject`) goes through here alone. */
  readonly turnstile = new ConcurrencyLimit(1);
  /** Writes under way whose condition must hold when they are ordered: as long as there are, all go through the turnstile. */
  conditionalWrites = 0;
  readonly scalarIndexes = new ScalarIndexes();
  /** The moments that reads look at. */
  readonly moments = new ReadMoments();
  /** Cuts and publications of flushes and compactions, one after the other. */
  readonly sealing = new ConcurrencyLimit(1);
  watcher: RowWatcher | null = null;
  /** In the order of the channels; always the same list. */
  readonly shards: readonly Shard[];
  readonly shardsByChannel: ReadonlyMap<ChannelName, Shard>;
  readonly #droppedPartitions = new Set<PartitionId>();
  readonly #schemas: Milestones;
  readonly #files: SegmentFiles;
  #info: CollectionInfo;
  #state: State = { name: 'serving' };
  #appliedTimestamp: Timestamp;
  #oldestUnsealed: Timestamp | null = null;
  #unsealedLogBytes = 0;
  #replayed: Promise<void> | null = null;
  /** What reads and writes wait for behind the replay. */
  #held: Promise<void> | null = null;
  #chunksBegun = 0;
  #losses: readonly string[] = [];

  constructor(
    info: CollectionInfo,
    options: { readonly random: Random; readonly share: LoopShare; readonly files: SegmentFiles },
  ) {
    this.#info = info;
    this.#files = options.files;
    this.#schemas = new Milestones(info.schema.version);
    this.#appliedTimestamp = info.createdTimestamp;
    this.shardsByChannel = new Map(
      info.channels.map((channel, index) => {
        const segmentId = BigInt(index + 1) as SegmentId;
        const seed = options.random.uint32();
        const fileOf = (part: SegmentPart, timestamp: Timestamp) => this.#fileOf(part, channel, timestamp);
        return [channel, new Shard({ segmentId, schema: info.schema, seed, share: options.share, fileOf })];
      }),
    );
    this.shards = [...this.shardsByChannel.values()];
  }

  get info(): CollectionInfo {
    return this.#info;
  }

  /** Of the newest write that reads see; every write before it is seen, too. */
  get appliedTimestamp(): Timestamp {
    return this.#appliedTimestamp;
  }

  /** Of the oldest write that no flush has taken up; `null`: there is none. */
  get oldestUnsealed(): Timestamp | null {
    return this.#oldestUnsealed;
  }

  /** What a start would have to replay, as far as no flush has taken it up. */
  get unsealedLogBytes(): number {
    return this.#unsealedLogBytes;
  }

  /** Begins a flush of everything that reads see now; `null`: files have all of it. Called from the queue only. */
  sealRows(): { readonly oldest: Timestamp; readonly timestamp: Timestamp } | null {
    const oldest = this.#oldestUnsealed;
    if (oldest === null) return null;
    this.#oldestUnsealed = null;
    this.#unsealedLogBytes = 0;
    return { oldest, timestamp: this.#appliedTimestamp };
  }

  /** What its log has lost, in words; reads and writes go on without. */
  get losses(): readonly string[] {
    return this.#losses;
  }

  noteLosses(losses: readonly string[]): void {
    this.#losses = losses;
  }

  /** Whether reads and writes are taken now. */
  get isServing(): boolean {
    return this.#state.name === 'serving' && this.#replayed === null;
  }

  /** The file that a write will bring, for a look at it before. */
  fileOf(part: SegmentPart): SealedFile {
    return this.#fileOf(part, this.#info.channels[0]!, TIMESTAMP_MIN);
  }

  shardOf(channel: ChannelName): Shard | undefined {
    return this.shardsByChannel.get(channel);
  }

  /** Whether the log is still being replayed. */
  get isComingBack(): boolean {
    return this.#replayed !== null;
  }

  /** Reads and writes wait until `replay` has settled; it must not reject. */
  startReplay(replay: Promise<void>): void {
    this.#replayed = replay.finally(() => {
      this.#replayed = null;
    });
  }

  /** Those who wait for the replay wait for this as well, which must not reject. */
  holdFor(work: Promise<unknown>): void {
    const held = Promise.all([this.#held, work]).then(() => {
      if (this.#held === held) this.#held = null;
    });
    this.#held = held;
  }

  /**
   * Resolves when the collection takes reads and writes.
   * @throws MilvusError when it does not and will not
   */
  async ready(options: ReadOptions = {}): Promise<void> {
    if (this.#replayed !== null) await unlessAborted(this.#replayed, options.signal);
    if (this.#held !== null) await unlessAborted(this.#held, options.signal);
    this.throwUnlessServing();
  }

  /** Resolves when the log has been replayed, with or without success. */
  async replayed(): Promise<void> {
    await this.#replayed;
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#replayed;
    await this.queue.drained();
  }

  throwUnlessServing(): void {
    if (this.#state.name === 'failed') throw collectionBroken(this.#info, this.#state.cause);
    if (this.#state.name === 'doubtful') throw collectionDoubtful(this.#info, this.#state.cause);
    if (this.#state.name === 'dropped') throw collectionNotFound(this.#info.databaseName, this.#info.name);
  }

  /** Every later read and write is refused: what is in memory may lack what the log has. */
  fail(cause: unknown): void {
    const { name } = this.#state;
    if (name === 'serving' || name === 'doubtful') this.#state = { name: 'failed', cause };
  }

  /**
   * Every later read and new write is refused: the next start may find a write that was not taken in, and
   * nobody should have seen, and remember, that it is not there.
   */
  doubt(cause: unknown): void {
    if (this.#state.name === 'serving') this.#state = { name: 'doubtful', cause };
  }

  drop(): void {
    this.#state = { name: 'dropped' };
    this.#schemas.reach(Number.POSITIVE_INFINITY);
    this.watcher?.dropped();
  }

  /** Resolves when rows have the fields of the new schema. */
  async update(info: CollectionInfo): Promise<void> {
    const partitions = new Set(info.partitions.map(({ id }) => id));
    for (const { id } of this.#info.partitions) if (!partitions.has(id)) this.#droppedPartitions.add(id);
    const isNewSchema = info.schema.version !== this.#info.schema.version;
    this.#info = info;
    if (!isNewSchema) return;
    await this.queue.push(null, async () => {
      for (const shard of this.shardsByChannel.values()) shard.useSchema(info.schema);
      this.#schemas.reach(info.schema.version);
    });
  }

  /**
   * Resolves when rows have the fields of this version of the schema, or of a later one. Whoever reads or writes by a
   * schema has to wait for it: the catalog tells the world of a change before it tells us.
   * @throws MilvusError when the collection is dropped meanwhile
   */
  async schemaReached(version: number, options: ReadOptions = {}): Promise<void> {
    if (this.#schemas.hasReached(version)) return;
    await unlessAborted(this.#schemas.reached(version), options.signal);
    this.throwUnlessServing();
  }

  /** All of their rows go out of sight in the same tick, on all shards. */
  async dropPartitions(ids: readonly PartitionId[]): Promise<void> {
    for (const id of ids) this.#droppedPartitions.add(id);
    await this.queue.push(null, async () => {
      await Promise.all(this.shards.map((shard) => shard.dropPartitions(ids)));
    });
  }

  /** @throws partitionNotFound when the partition was dropped, which the writer did not know yet */
  requirePartition(id: PartitionId): void {
    if (this.#droppedPartitions.has(id)) throw partitionNotFound(String(id));
  }

  /** Takes a durable write of so many bytes in and then shows it, on all shards in the same tick. Called from the queue only. */
  async apply(timestamp: Timestamp, records: RecordsByChannel, logBytes: number): Promise<WriteEffect> {
    if (this.#state.name !== 'doubtful') this.throwUnlessServing();
    try {
      const prepared = [];
      for (const [channel, record] of records)
        prepared.push(await this.shardsByChannel.get(channel)!.prepare(record, timestamp));
      let insertedRows = 0;
      let hiddenRows = 0;
      for (const write of prepared) {
        const effect = write?.publish();
        insertedRows += effect?.insertedRows ?? 0;
        hiddenRows += effect?.hiddenRows ?? 0;
      }
      this.noteUnsealed(timestamp, logBytes);
      this.noteApplied(timestamp);
      this.#forgetHistory();
      this.#tellOfChunks();
      return { insertedRows, hiddenRows };
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Does something at one point of the order of writes while no flush or compaction is being published. */
  async betweenPublications<Result>(work: () => Promise<Result>): Promise<Result> {
    return await this.sealing.run(async () => await this.queue.push(null, work));
  }

  /** Makes memory what the catalog says already: where that fails, the collection is not served any more. */
  takeOver<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Deleted rows stay readable as of earlier times for a while; then their memory is freed. */
  #forgetHistory(): void {
    const start = composeTimestamp(physicalMs(this.#appliedTimestamp) - HISTORY_MS);
    if (!this.shards.some((shard) => shard.hasHistoryBefore(start))) return;
    const forgotten = this.queue.push(null, async () => {
      for (const shard of this.shardsByChannel.values()) await shard.forgetHistory(start);
    });
    forgotten.catch((error) => this.fail(error));
  }

  #fileOf(part: SegmentPart, channel: ChannelName, timestamp: Timestamp): SealedFile {
    const { id, rows, bytes, crc32 } = part.segment;
    const collectionId = this.#info.id;
    return this.#files.of({
      id,
      collectionId,
      partitionId: part.partitionId,
      channel,
      rows,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      file: { key: segmentFileKey(collectionId, id), bytes, crc32 },
    });
  }

  #tellOfChunks(): void {
    let begun = 0;
    for (const shard of this.shardsByChannel.values()) begun += shard.chunksBegun;
    if (begun === this.#chunksBegun) return;
    this.#chunksBegun = begun;
    this.watcher?.chunksBegun();
  }

  /** A write is in memory, and in no file. */
  noteUnsealed(timestamp: Timestamp, logBytes: number): void {
    this.#unsealedLogBytes += logBytes;
    if (this.#oldestUnsealed === null || timestamp < this.#oldestUnsealed) this.#oldestUnsealed = timestamp;
  }

  noteApplied(timestamp: Timestamp): void {
    if (timestamp > this.#appliedTimestamp) this.#appliedTimestamp = timestamp;
  }

  /**
   * The time to read at. A write is acknowledged only after it is in, so what is in now holds every write that was
   * acknowledged before the read began, which is all that any guarantee asks for: waiting for writes still under way
   * would only make the read slower. A snapshot must stay the same for every page that looks at it, so that one
   * does wait for the writes below it; one that lies ahead of every write means now.
   */
  async timeToRead(
    { snapshot }: { readonly snapshot: Timestamp | null },
    options: ReadOptions,
  ): Promise<Timestamp> {
    await this.ready(options);
    const below = snapshot === null ? null : this.queue.reached(snapshot);
    if (below !== null) await unlessAborted(below, options.signal);
    this.throwUnlessServing();
    if (snapshot === null || snapshot >= this.#appliedTimestamp) return this.#appliedTimestamp;
    this.moments.noteSnapshot(snapshot, this.#appliedTimestamp);
    return snapshot;
  }
}

function collectionBroken(info: CollectionInfo, cause: unknown): MilvusError {
  if (cause instanceof MilvusError && cause.code === dataIntegrity('', null).code) return cause;
  return serviceNotReady(`the rows of ${info.name} could not be taken into memory: ${messageOf(cause)}`);
}

function collectionDoubtful(info: CollectionInfo, cause: unknown): MilvusError {
  return serviceNotReady(`the rows of ${info.name} are not known until the next start: ${messageOf(cause)}`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Settles as `promise` does; rejects with the signal's reason when it aborts first. */
async function unlessAborted(promise: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
