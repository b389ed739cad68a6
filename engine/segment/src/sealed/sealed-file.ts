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
import { KeyFilter } from '../files/key-filter.ts';
import { SegmentFile } from '../files/segment-file.ts';
import { damaged, SegmentFileError } from '../files/segment-file-error.ts';
import type { FileRegion, SegmentFileFooter } from '../files/segment-file-footer.ts';
import { TIMESTAMP_FIELD_ID } from '../files/segment-file-format.ts';
import { sourceInMemory } from '../files/segment-file-source.ts';
import { ColumnSlicer } from './column-slice.ts';
import { KeyLookup } from './key-lookup.ts';

/** How the bytes of a segment file come into memory. */
export interface SealedFileSource {
  /**
   * All bytes of the file, at an address that is a multiple of 64, for good: nobody changes or unmaps them as long as
   * anything refers to them.
   */
  map(): Promise<Uint8Array>;
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
 * mapped file, made when they are asked for.
 */
export class SealedFile {
  readonly info: SegmentInfo;
  /** The number of the last read that may have looked at it; later reads have larger ones. */
  lastUse = 0;
  readonly #source: SealedFileSource;
  #state: State = { name: 'closed' };

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
   * Resolves when the columns can be asked for. A file that is broken is tried again, unless it was given up.
   * @throws MilvusError 1009 that names the segment, when the file is missing or not what was written
   */
  async open(): Promise<void> {
    if (this.#state.name === 'open') return;
    if (this.#state.name === 'given up') throw segmentBroken(this.info, this.#state.cause);
    if (this.#state.name !== 'opening') this.#state = { name: 'opening', opened: this.#open() };
    await this.#state.opened;
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
    return new Map(
      columns.map(({ field, buffers }) => [field.id, buffers.reduce((sum, { bytes }) => sum + bytes, 0)]),
    );
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

  /** Some rows of a field; `undefined` when it is newer than the file. The file is open. */
  column(id: FieldId, first: number, count: number): Column | undefined {
    const { footer, columns } = this.#content;
    const column = footer.columns.find(({ field }) => field.id === id);
    return column === undefined ? undefined : columns.slice(column, { first, count });
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

  async #open(): Promise<void> {
    try {
      const bytes = await this.#source.map();
      const { footer } = await SegmentFile.open(sourceInMemory(bytes));
      requireMatch(this.info, footer);
      const columns = new ColumnSlicer(bytes);
      const keys = keyLookup(bytes, footer, columns);
      this.#become({ name: 'open', content: { bytes, footer, columns, keys } });
    } catch (cause) {
      this.#become({ name: 'broken', cause });
      throw segmentBroken(this.info, cause);
    }
  }
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
