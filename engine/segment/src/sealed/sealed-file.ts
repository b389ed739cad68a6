import {
  assert,
  type Column,
  DataType,
  dataIntegrity,
  type FieldId,
  type Int64Column,
  type KeyColumn,
  type SegmentInfo,
} from '@elanus/model';
import type { ColumnStatistics } from '../files/column-statistics.ts';
import type { FileField } from '../files/file-field.ts';
import { KeyFilter } from '../files/key-filter.ts';
import { SegmentFile } from '../files/segment-file.ts';
import { damaged, SegmentFileError } from '../files/segment-file-error.ts';
import type { FileRegion, SegmentFileFooter } from '../files/segment-file-footer.ts';
import { TIMESTAMP_FIELD_ID } from '../files/segment-file-format.ts';
import { sourceInMemory } from '../files/segment-file-source.ts';
import { ColumnSlicer } from './column-slice.ts';
import type { UsedFile } from './files-in-use.ts';
import { KeyLookup } from './key-lookup.ts';

/** How the bytes of a segment file come into memory. */
export interface SealedFileSource {
  /**
   * All bytes of the file, at an address that is a multiple of 64, for good: nobody changes or unmaps them as long as
   * anything refers to them.
   */
  map(): Promise<Uint8Array>;
  /**
   * What was mapped by the last `map`, which counts as a use of it, where its bytes may be elsewhere while nobody uses them.
   * Left out, or `null`: they stay.
   */
  content?(): FileContent | null;
}

/** The bytes of a file that is mapped, where its room may be given to others. */
export interface FileContent extends UsedFile {
  /** What stays in any case. */
  keep(ranges: readonly Pick<FileRegion, 'offset' | 'bytes'>[]): void;
}

type State =
  | { readonly name: 'closed' }
  | { readonly name: 'opening'; readonly opened: Promise<void> }
  | { readonly name: 'open'; readonly content: OpenedFile }
  | { readonly name: 'broken'; readonly cause: unknown }
  /** For good. */
  | { readonly name: 'given up'; readonly cause: unknown };

interface OpenedFile {
  readonly bytes: Uint8Array;
  readonly footer: SegmentFileFooter;
  readonly columns: ColumnSlicer;
  readonly keys: KeyLookup;
}

/**
 * The rows of a sealed segment, in its file. Opened when somebody needs them first; open, its columns are views of the
 * mapped file, made when they are asked for. Of a bucket's file the columns may be elsewhere while nobody uses it; keys and
 * times stay, since any write may ask for them.
 */
export class SealedFile implements UsedFile {
  readonly info: SegmentInfo;
  /** The number of the last read that may have looked at it; later reads have larger ones. */
  lastUse = 0;
  readonly #source: SealedFileSource;
  #state: State = { name: 'closed' };
  /** What was mapped, once the file was open; `null`: all bytes stay. */
  #mapped: FileContent | null = null;
  /** Uses that wait until the file is open. */
  #waiting = 0;

  constructor(info: SegmentInfo, source: SealedFileSource) {
    this.info = info;
    this.#source = source;
  }

  get isOpen(): boolean {
    return this.#state.name === 'open';
  }

  /** Whether the file can't be used; it may be when it is opened again, unless it was given up. */
  get isBroken(): boolean {
    return this.#state.name === 'broken' || this.#state.name === 'given up';
  }

  /**
   * Resolves when keys, times and statistics can be asked for; columns can by those who use the file. One that is broken is
   * tried again, unless it was given up.
   * @throws MilvusError 1009 that names the segment, when the file is missing or not what was written
   */
  async open(): Promise<void> {
    if (this.#state.name === 'open') return;
    await this.use();
    this.leave();
  }

  get isLasting(): boolean {
    return this.#state.name === 'open' && this.#mapped === null;
  }

  /**
   * Begins a use, which `leave` ends; resolves when the columns can be asked for, `null`: they can.
   * @throws as `open`; nothing is to be left then
   */
  use(): Promise<void> | null {
    if (this.#state.name !== 'open') return this.#useOpened();
    const coming = this.#mapped?.use() ?? null;
    if (coming === null) return null;
    return coming.catch((cause: unknown) => {
      throw segmentBroken(this.info, cause);
    });
  }

  leave(): void {
    this.#mapped?.leave();
  }

  /**
   * Refuses all later reads: its bytes have turned out to be damaged, or rows were written without a look at its keys,
   * so that it could show what they have replaced.
   */
  giveUp(cause: unknown): void {
    this.#state = { name: 'given up', cause };
  }

  /** Bytes of each field's column in the file; `null` as long as it is closed. */
  get fieldBytes(): ReadonlyMap<FieldId, number> | null {
    if (this.#state.name !== 'open') return null;
    const { columns } = this.#state.content.footer;
    return new Map(columns.map(({ field, buffers }) => [field.id, sizeOf(buffers)]));
  }

  /** Of the columns that are there. */
  get mappedFieldBytes(): ReadonlyMap<FieldId, number> {
    if (this.#state.name !== 'open') return new Map();
    const { columns } = this.#state.content.footer;
    const there = columns.filter(({ field }) => this.isThere || isKept(field));
    return new Map(there.map(({ field, buffers }) => [field.id, sizeOf(buffers)]));
  }

  /** Of all that is there: columns, filters, footers; 0 as long as it is closed. */
  get mappedBytes(): number {
    if (this.#state.name !== 'open') return 0;
    return this.isThere ? this.info.file.bytes : sizeOf(keptRegions(this.#state.content.footer));
  }

  /** What the file says of a field's values; `undefined` as long as it is closed, or when the field is newer than the file. */
  statistics(id: FieldId): ColumnStatistics | undefined {
    if (this.#state.name !== 'open') return undefined;
    return this.#state.content.footer.columns.find(({ field }) => field.id === id)?.statistics;
  }

  /** A field's column where it is mapped; `null` as long as the file is closed, or when it is newer than the file. */
  mappedColumn(id: FieldId): Uint8Array | null {
    if (this.#state.name !== 'open') return null;
    const { bytes, footer } = this.#state.content;
    const buffers = footer.columns.find(({ field }) => field.id === id)?.buffers ?? [];
    const [first, last] = [buffers[0], buffers.at(-1)];
    if (first === undefined || last === undefined) return null;
    return bytes.subarray(first.offset, last.offset + last.bytes);
  }

  /** The file's bytes where they are mapped; `null` as long as it is closed. */
  get mapped(): Uint8Array | null {
    return this.#state.name === 'open' ? this.#state.content.bytes : null;
  }

  /** Whether the columns are there: whoever uses the file finds them so. Keys and times of an open file always are. */
  get isThere(): boolean {
    return this.#state.name === 'open' && this.#mapped?.isThere !== false;
  }

  /** Some rows of a field; `undefined` when it is newer than the file. The file is used; for keys and times it is open. */
  column(id: FieldId, first: number, count: number): Column | undefined {
    const { footer, columns } = this.#content;
    const column = footer.columns.find(({ field }) => field.id === id);
    if (column === undefined) return undefined;
    assert(this.isThere || isKept(column.field), 'columns of a sealed segment are read by who uses it');
    return columns.slice(column, { first, count });
  }

  /** Finds rows by key. The file is open. */
  get keys(): KeyLookup {
    return this.#content.keys;
  }

  /**
   * When each row was written: rising. The file is open. Rows that were all written at one time have the one that the
   * segment is known by: a file that is made before its write is ordered has another in its place.
   */
  timestamps(first: number, count: number): BigInt64Array {
    const { firstTimestamp, lastTimestamp } = this.info;
    if (firstTimestamp === lastTimestamp) return new BigInt64Array(count).fill(firstTimestamp);
    return (this.column(TIMESTAMP_FIELD_ID as FieldId, first, count) as Int64Column).values;
  }

  /** What an opening comes to, unless the file was given up meanwhile. */
  #become(state: State): void {
    if (this.#state.name !== 'given up') this.#state = state;
  }

  get #content(): OpenedFile {
    assert(this.#state.name === 'open', 'a sealed segment is opened before it is read');
    return this.#state.content;
  }

  /** The opening's own use goes to the last of those who have waited for it. */
  async #useOpened(): Promise<void> {
    if (this.#state.name === 'given up') throw segmentBroken(this.info, this.#state.cause);
    if (this.#state.name !== 'opening') this.#state = { name: 'opening', opened: this.#open() };
    this.#waiting += 1;
    try {
      await this.#state.opened;
    } finally {
      this.#waiting -= 1;
    }
    // It may have been given up meanwhile.
    if (!this.isOpen) throw segmentBroken(this.info, 'it was found to be damaged');
    if (this.#waiting > 0) void this.#mapped?.use();
  }

  async #open(): Promise<void> {
    try {
      const bytes = await this.#source.map();
      const { footer } = await SegmentFile.open(sourceInMemory(bytes));
      requireMatch(this.info, footer);
      this.#mapped = this.#source.content?.() ?? null;
      this.#mapped?.keep(keptRegions(footer));
      const columns = new ColumnSlicer(bytes);
      const keys = keyLookup(bytes, footer, columns);
      this.#become({ name: 'open', content: { bytes, footer, columns, keys } });
    } catch (cause) {
      this.#become({ name: 'broken', cause });
      throw segmentBroken(this.info, cause);
    }
  }
}

/** What writes and moments ask for, whoever reads the columns: keys, and when rows were written. */
function keptRegions({ columns, keyFilter, keyOrder }: SegmentFileFooter): readonly FileRegion[] {
  const kept = columns.filter(({ field }) => isKept(field));
  const regions = [...kept.flatMap(({ buffers }) => buffers), keyFilter, keyOrder];
  return regions.filter((region) => region !== null);
}

function sizeOf(regions: readonly FileRegion[]): number {
  return regions.reduce((sum, { bytes }) => sum + bytes, 0);
}

function isKept({ id, isPrimaryKey }: FileField): boolean {
  return isPrimaryKey || id === TIMESTAMP_FIELD_ID;
}

/** The file may be sound and yet be another one's. @throws SegmentFileError */
function requireMatch(info: SegmentInfo, { kind, rows, label, columns }: SegmentFileFooter): void {
  const isRight =
    kind === 'rows' &&
    rows === info.rows &&
    label.segmentId === info.id &&
    label.collectionId === info.collectionId;
  if (!isRight) throw new SegmentFileError('foreign', 'the file is not the one of this segment');
  const times = columns.find(({ field }) => field.id === TIMESTAMP_FIELD_ID);
  if (times?.field.dataType !== DataType.Int64) throw damaged('it has no timestamps');
}

function keyLookup(bytes: Uint8Array, footer: SegmentFileFooter, slicer: ColumnSlicer): KeyLookup {
  const { columns, keyFilter, keyOrder, rows } = footer;
  const column = columns.find(({ field }) => field.isPrimaryKey);
  if (column === undefined || keyFilter === null) throw damaged('it has no keys');
  const keys = slicer.slice(column, { first: 0, count: rows }) as KeyColumn;
  const part = ({ offset, bytes: length }: FileRegion) => bytes.subarray(offset, offset + length);
  const order = keyOrder === null ? null : part(keyOrder);
  return new KeyLookup(
    keys,
    new KeyFilter(part(keyFilter)),
    order === null ? null : new Uint32Array(order.buffer, order.byteOffset, rows),
  );
}

function segmentBroken({ id, file }: SegmentInfo, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return dataIntegrity(`segment ${id} (${file.key}) can't be read: ${reason}`, cause);
}
