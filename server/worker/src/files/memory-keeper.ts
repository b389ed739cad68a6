import { readFile } from 'node:fs/promises';
import { dropPages, readPages, residentBytes, trimMemory } from '@elanus/kernel';
import {
  type CollectionId,
  type CollectionInfo,
  type FieldId,
  MilvusError,
  mmapSetting,
} from '@elanus/model';
import type { Clock, Counter, Logger, LoopShare, Metrics } from '@elanus/runtime';
import { FilesInUse, type SealedFile } from '@elanus/segment';
import type { MappedIndex } from '../indexing/mapped-indexes.ts';
import type { ServedCollections } from '../served-collections.ts';
import { beginCollection } from './begin-collection.ts';
import { BufferWatch } from './buffer-watch.ts';

/** What the process has in memory. */
export interface ProcessMemory {
  /** Of its own. */
  readonly ownBytes: number;
  /** Of files that it has mapped. */
  readonly mappedBytes: number;
}

/** What may have pages in memory. */
interface WarmFile {
  readonly lastUse: number;
  /** Resolves to how many bytes were given back. */
  readonly drop: () => Promise<number>;
}

export interface MemoryKeeperOptions {
  readonly collections: ServedCollections;
  /** Whether anybody may read a collection. */
  readonly isLoaded: (id: CollectionId) => boolean;
  /** Of a collection, those that are used from mapped files. */
  readonly indexesOf?: (id: CollectionId) => readonly MappedIndex[];
  /** Mapped files give way when the process has more than this. */
  readonly bytesMax: number;
  readonly clock: Clock;
  readonly share: LoopShare;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Default: what Linux says of this process. */
  readonly measure?: () => Promise<ProcessMemory>;
  /** Gives freed memory back to the system. Default: the C library's way. */
  readonly trim?: () => Promise<void>;
  /** Makes the garbage collector begin. */
  readonly collect?: () => void;
  /** Bytes of buffers that the garbage collector frees, shared memory left out. Default: what V8 says. */
  readonly bufferBytes?: () => number;
}

/** Rows that a file has taken over are in memory twice until they are collected. */
const COLLECT_EVERY_MS = 1_000;
/** Once in so many times everything is looked after. */
const LOOK_EVERY = 5;
/** Rows that have left memory and are worth a collection of garbage. */
const GARBAGE_BYTES = 16 * 1024 * 1024;
/** What the process grows by before freed memory is given back again. */
const TRIM_BYTES = 32 * 1024 * 1024;
/** Pages counted, or given back, at a stretch: about a millisecond. */
const STRETCH_BYTES = 32 * 1024 * 1024;

/**
 * Gives the memory of mapped rows and indexes back: of collections that were released, and, when the process has more than it may, of
 * the files that nobody has read for longest. Nothing is closed: who reads such rows afterwards waits for the disk.
 * Columns whose `mmap.enabled` is `false` are read into memory when their collection is loaded, and stay there.
 */
export class MemoryKeeper implements AsyncDisposable {
  readonly #options: MemoryKeeperOptions;
  readonly #dropped: Counter;
  readonly #closing = new AbortController();
  /** Of what has given its pages back, the last use by then. */
  readonly #cold = new WeakMap<SealedFile | MappedIndex['piece'], number>();
  /** Whose columns were read into memory, and are kept. */
  readonly #readIn = new Map<SealedFile, FilesInUse>();
  /** Of rows, at the most since rows were last let go of. */
  #rowBytes = 0;
  readonly #buffers = new BufferWatch();
  /** Garbage was looked for, and what it was is still with the C library. */
  #isTrimDue = false;
  /** Of its own, when freed memory was last given back. */
  #trimmedBytes = 0;
  readonly #running: Promise<void>;

  constructor(options: MemoryKeeperOptions) {
    this.#options = options;
    this.#dropped = options.metrics.counter(
      'elanus_mapped_bytes_dropped_total',
      'Bytes of mapped rows whose memory was given back',
      [],
    );
    this.#running = this.#keep();
  }

  /** Looks once. */
  async look(): Promise<void> {
    const { collections, isLoaded, indexesOf, bytesMax, measure = measureProcess } = this.#options;
    this.#collect();
    const warm: WarmFile[] = [];
    const kept = new Map<SealedFile, readonly FieldId[]>();
    for (const { info, shards } of collections.all()) {
      const files = shards.flatMap((shard) => shard.files);
      if (isLoaded(info.id)) {
        const fields = fieldsInMemory(info);
        for (const file of files) {
          if (fields.length === 0) break;
          kept.set(file, fields);
          await this.#readOnce(file, fields);
        }
        for (const file of files)
          if (this.#isWarm(file))
            warm.push({ lastUse: file.lastUse, drop: () => this.#drop(file, kept.get(file) ?? []) });
        warm.push(...this.#warmIndexes(indexesOf?.(info.id) ?? []));
      } else {
        for (const { drop } of this.#warmIndexes(indexesOf?.(info.id) ?? [])) await drop();
        for (const file of files) if (this.#isWarm(file)) await this.#drop(file, []);
      }
    }
    this.#endReadIns(kept);
    const { ownBytes, mappedBytes } = await this.#trimmed(measure);
    let excess = ownBytes + mappedBytes - bytesMax;
    for (const { drop } of warm.sort((a, b) => a.lastUse - b.lastUse)) {
      if (excess <= 0) return;
      excess -= await drop();
    }
    if (excess > 0 && warm.length > 0)
      this.#options.logger.warn(
        { excess, bytesMax },
        'memory is above its limit, and no mapped rows are left',
      );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #keep(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    for (let turn = 1; !signal.aborted; turn += 1) {
      try {
        await clock.sleep(COLLECT_EVERY_MS, { signal });
        if (turn % LOOK_EVERY === 0) await this.look();
        else if (!this.#collect()) await this.#trimIfDue();
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'memory could not be looked after');
      }
    }
  }

  /**
   * Rows that files and indexes have taken over, and buffers of requests that have grown old, are garbage that nothing else
   * would have collected. Whether there was enough of it.
   */
  #collect(): boolean {
    const { collections, collect = beginCollection, bufferBytes = bytesOfBuffers } = this.#options;
    let rowBytes = 0;
    for (const { shards } of collections.all()) for (const shard of shards) rowBytes += shard.byteLength;
    this.#rowBytes = Math.max(this.#rowBytes, rowBytes);
    const isGarbage = this.#buffers.look(bufferBytes());
    if (this.#rowBytes - rowBytes < GARBAGE_BYTES && !isGarbage) return false;
    this.#rowBytes = rowBytes;
    this.#isTrimDue = true;
    collect();
    return true;
  }

  /** Gives back what a collection has freed, a second later: while requests go on coming there is another one by then. */
  async #trimIfDue(): Promise<void> {
    if (!this.#isTrimDue) return;
    this.#isTrimDue = false;
    const { trim = trimMemory, measure = measureProcess } = this.#options;
    await trim();
    this.#trimmedBytes = (await measure()).ownBytes;
  }

  /**
   * What the process has once freed memory is back with the system. The C library keeps up to 128 MiB of the memory of
   * requests, so that the next ones need no new pages; when some seconds of requests are over they are no use.
   */
  async #trimmed(measure: () => Promise<ProcessMemory>): Promise<ProcessMemory> {
    const { trim = trimMemory } = this.#options;
    const before = await measure();
    this.#trimmedBytes = Math.min(this.#trimmedBytes, before.ownBytes);
    if (before.ownBytes - this.#trimmedBytes < TRIM_BYTES) return before;
    await trim();
    const after = await measure();
    this.#trimmedBytes = after.ownBytes;
    return after;
  }

  /** Whether it may have pages in memory: somebody has read it since they were last given back. */
  #isWarm(file: SealedFile): boolean {
    return file.mapped !== null && this.#cold.get(file) !== file.lastUse;
  }

  /** An index was searched when its rows were read, perhaps; how much of it is in memory nobody knows: at most all. */
  #warmIndexes(indexes: readonly MappedIndex[]): readonly WarmFile[] {
    const warm = indexes.filter(({ piece, lastUse }) => this.#cold.get(piece) !== lastUse);
    return warm.map(({ piece, lastUse, bytes, giveBack }) => ({
      lastUse,
      drop: async () => {
        await giveBack();
        this.#cold.set(piece, lastUse);
        this.#dropped.inc({}, bytes);
        return bytes;
      },
    }));
  }

  /** A file that can't be read is left to who reads it. */
  async #readOnce(file: SealedFile, fields: readonly FieldId[]): Promise<void> {
    if (this.#readIn.has(file)) return;
    const use = new FilesInUse();
    use.endReading();
    try {
      await use.add(file);
    } catch (error) {
      use[Symbol.dispose]();
      if (!(error instanceof MilvusError)) throw error;
      return;
    }
    this.#readIn.set(file, use);
    for (const id of fields) {
      const column = file.mappedColumn(id);
      if (column !== null) await readPages(column);
    }
  }

  /** Of files that are not to be in memory any more. */
  #endReadIns(kept: ReadonlyMap<SealedFile, readonly FieldId[]>): void {
    for (const [file, use] of this.#readIn) {
      if (kept.has(file)) continue;
      use[Symbol.dispose]();
      this.#readIn.delete(file);
    }
  }

  /** All but the columns of `kept`. Bytes that were in memory, whoever else may use them. */
  async #drop(file: SealedFile, kept: readonly FieldId[]): Promise<number> {
    const { mapped, lastUse } = file;
    if (mapped === null) return 0;
    let bytes = 0;
    for (const gap of gapsBetween(mapped, columnsOf(file, kept))) {
      for (let at = 0; at < gap.length; at += STRETCH_BYTES) {
        if (this.#options.share.isSpent()) await this.#options.share.nextTurn();
        const part = gap.subarray(at, at + STRETCH_BYTES);
        bytes += residentBytes(part);
        dropPages(part);
      }
    }
    this.#cold.set(file, lastUse);
    this.#dropped.inc({}, bytes);
    return bytes;
  }
}

/** A field's setting goes before its collection's. */
function fieldsInMemory({ properties, schema }: CollectionInfo): readonly FieldId[] {
  const ofCollection = mmapSetting(properties);
  const fields = schema.dynamicField === null ? schema.fields : [...schema.fields, schema.dynamicField];
  return fields
    .filter(({ typeParams }) => (mmapSetting(typeParams) ?? ofCollection) === 'in-memory')
    .map(({ id }) => id);
}

/** In the order of the file. */
function columnsOf(file: SealedFile, fields: readonly FieldId[]): readonly Uint8Array[] {
  const columns = fields.map((id) => file.mappedColumn(id)).filter((column) => column !== null);
  return columns.sort((left, right) => left.byteOffset - right.byteOffset);
}

/** What of `whole` lies between these parts of it. */
function gapsBetween(whole: Uint8Array, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const gaps: Uint8Array[] = [];
  let from = 0;
  for (const part of parts) {
    const at = part.byteOffset - whole.byteOffset;
    gaps.push(whole.subarray(from, at));
    from = at + part.length;
  }
  return [...gaps, whole.subarray(from)];
}

function bytesOfBuffers(): number {
  return process.memoryUsage().external;
}

/** Zeros where the system says nothing: then nothing is above any limit. */
async function measureProcess(): Promise<ProcessMemory> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const bytesOf = (name: string) =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return { ownBytes: bytesOf('RssAnon') + bytesOf('RssShmem'), mappedBytes: bytesOf('RssFile') };
}
