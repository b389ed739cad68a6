import type { ColumnSource, WordIndex } from '@elanus/expr';
import type { VectorCodes } from '@elanus/kernel';
import {
  type CollectionSchema,
  type Column,
  type FieldId,
  type FieldSchema,
  fieldById,
  type KeyColumn,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import { type ColumnBuffer, columnBuffer } from './column-buffer.ts';
import { NO_ROW } from './key-index.ts';
import { missingColumn } from './missing-column.ts';
import type { Moment } from './moment.ts';
import type { SealedFile } from './sealed/sealed-file.ts';
import { grownBytes, grownUint32, sharedBytes, sharedUint32 } from './shared-memory.ts';
import { knownWords } from './words/known-words.ts';

/** The fields that rows are stored with. */
export function storedFields(schema: CollectionSchema): readonly FieldSchema[] {
  return schema.dynamicField === null ? schema.fields : [...schema.fields, schema.dynamicField];
}

export interface ChunkOptions {
  readonly schema: CollectionSchema;
  readonly partitionId: PartitionId;
  /** Of row 0 in the shard; the following rows follow it. */
  readonly firstLocation: number;
  /** Rows that fit before memory has to grow. */
  readonly rowsReserved: number;
}

/** Rows `firstRow .. firstRow + rows` of a sealed segment. */
export interface StoredRows {
  readonly file: SealedFile;
  readonly firstRow: number;
}

/** Deleted before the process started: when, says the list of restored deletions. */
const DELETED_BEFORE = 0xffff_ffff;

/**
 * A run of rows of one partition, in the order of their writes, column by column: in memory while rows are added, and
 * for as long as no file has them; then in the file of a sealed segment, in the same places.
 *
 * Writes of the shard have ordinals 1, 2, 3 ... in the order of their timestamps. Rows are appended by a
 * write that is not visible yet, and published together with its deletions; as rows lie in write order,
 * the rows that a moment can see are a prefix, less those deleted by then. Rows from before the start of the process
 * have no ordinals: their file says when they were written.
 */
export class Chunk implements ColumnSource {
  readonly partitionId: PartitionId;
  readonly firstLocation: number;
  #schema: CollectionSchema;
  #buffers: ReadonlyMap<FieldId, ColumnBuffer>;
  /** Where the columns are when they are not in `#buffers`, and those that somebody has asked for. */
  #stored: StoredRows | null = null;
  readonly #storedColumns = new Map<FieldId, Column>();
  readonly #missing = new Map<FieldId, Column>();
  readonly #inverseNorms = new Map<FieldId, { values: Float32Array; rows: number }>();
  readonly #codes = new Map<FieldId, VectorCodes>();
  #rows = 0;
  #visibleRows = 0;
  #liveRows = 0;
  /** Row numbers at which a new write begins, and its ordinal. */
  #runStarts = sharedUint32(4);
  #runOrdinals = sharedUint32(4);
  #runs = 0;
  /** The ordinal of the write that deleted each row, 0 for none. Nothing until the first deletion. */
  #deletedBy: Uint32Array<SharedArrayBuffer> | null = null;
  /** The location of the row that had the key of this row before, + 1, 0 for none. */
  #previous: Uint32Array<SharedArrayBuffer> | null = null;
  /** A bit for each row that is visible now; bits of later rows are set. Nothing while all are. */
  #live: Uint8Array<SharedArrayBuffer> | null = null;
  /** A reader holds `#live`: it may not change any more. */
  #liveIsLent = false;
  #isDead = false;
  #isClosed = false;
  /** Whether the rows were written before this process started. */
  #isRestored = false;
  /** Rows that were deleted before this process started, ascending, and when. */
  #restoredDeletions: { readonly rows: Uint32Array; readonly timestamps: BigInt64Array } | null = null;

  constructor({ schema, partitionId, firstLocation, rowsReserved }: ChunkOptions) {
    this.#schema = schema;
    this.partitionId = partitionId;
    this.firstLocation = firstLocation;
    this.#buffers = new Map(
      storedFields(schema).map((field) => [field.id, columnBuffer(field, rowsReserved)]),
    );
  }

  /** Rows of a sealed segment, as they were when the process started. `deletions`: rows ascending, and when. */
  static restored(options: {
    readonly schema: CollectionSchema;
    readonly partitionId: PartitionId;
    readonly firstLocation: number;
    readonly rows: number;
    readonly stored: StoredRows;
    readonly deletions: { readonly rows: Uint32Array; readonly timestamps: BigInt64Array };
  }): Chunk {
    const { rows, stored, deletions } = options;
    const chunk = new Chunk({ ...options, rowsReserved: 0 });
    chunk.#buffers = new Map();
    chunk.#stored = stored;
    chunk.#isClosed = true;
    chunk.#isRestored = true;
    chunk.#rows = rows;
    chunk.publishRows();
    if (deletions.rows.length === 0) return chunk;
    chunk.#restoredDeletions = deletions;
    chunk.#deletedBy = sharedUint32(rows);
    for (const row of deletions.rows) {
      chunk.#deletedBy[row] = DELETED_BEFORE;
      chunk.publishDeletion(row);
    }
    return chunk;
  }

  /** Rows appended, published or not. */
  get rows(): number {
    return this.#rows;
  }

  /** Whether only keys are left: the rows were dropped. */
  get isDead(): boolean {
    return this.#isDead;
  }

  /** Whether no more rows may come. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether the columns are in a file; `null` as long as they are in memory. */
  get stored(): StoredRows | null {
    return this.#stored;
  }

  /** Whether the rows were written before this process started. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** When the last of the rows that were deleted before this process started was; `null`: none was. */
  get lastRestoredDeletion(): Timestamp | null {
    let last: bigint | null = null;
    for (const timestamp of this.#restoredDeletions?.timestamps ?? [])
      if (last === null || timestamp > last) last = timestamp;
    return last as Timestamp | null;
  }

  get visibleRows(): number {
    return this.#visibleRows;
  }

  /** Published rows that nobody has deleted. */
  get liveRows(): number {
    return this.#liveRows;
  }

  get byteLength(): number {
    let bytes = (this.#deletedBy?.byteLength ?? 0) + (this.#previous?.byteLength ?? 0);
    bytes += this.#runStarts.byteLength + this.#runOrdinals.byteLength + (this.#live?.length ?? 0);
    for (const buffer of this.#buffers.values()) bytes += buffer.byteLength;
    for (const norms of this.#inverseNorms.values()) bytes += norms.values.byteLength;
    for (const { values, factors } of this.#codes.values()) bytes += values.byteLength + factors.byteLength;
    return bytes;
  }

  /** Bytes of texts and the like: what rows take beyond their fixed size. */
  get textBytes(): number {
    let bytes = 0;
    for (const buffer of this.#buffers.values()) bytes += buffer.textBytes;
    return bytes;
  }

  /**
   * The chunk as far as the key index needs it: keys, and the rows that had them before. All rows of it count
   * as deleted. The chunk itself stays as it is for those who read it.
   */
  keysOnly(): Chunk {
    const { partitionId, firstLocation } = this;
    const { id } = this.#schema.primaryKey;
    const rest = new Chunk({ schema: this.#schema, partitionId, firstLocation, rowsReserved: 0 });
    const keys = this.#buffers.get(id);
    rest.#buffers = keys === undefined ? new Map() : new Map([[id, keys]]);
    rest.#stored = this.#stored;
    rest.#isRestored = this.#isRestored;
    rest.#rows = this.#rows;
    rest.#previous = this.#previous;
    rest.#isDead = true;
    return rest;
  }

  /** Later readers also find the fields that `schema` has gained. No rows may be appended from then on. */
  useSchema(schema: CollectionSchema): void {
    this.#schema = schema;
    this.#isClosed = true;
  }

  /** No rows may be appended from then on. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * From now on the columns are those of a file that is open and has the same rows; the memory is freed when the
   * last reader has gone.
   */
  moveTo(stored: StoredRows): void {
    this.#isClosed = true;
    this.#buffers = new Map();
    this.#stored = stored;
    this.#storedColumns.clear();
  }

  /**
   * All rows so far of a field; its arrays may be longer. Fields newer than the chunk have their default. The file of
   * a stored chunk is open.
   */
  column(id: FieldId): Column {
    const buffer = this.#buffers.get(id);
    if (buffer !== undefined) return buffer.column();
    const stored = this.#storedColumns.get(id) ?? this.#readStored(id);
    if (stored !== undefined) return stored;
    const known = this.#missing.get(id);
    if (known !== undefined) return known;
    const field = fieldById(this.#schema, id);
    if (field === undefined) throw new RangeError(`no field ${id}`);
    const column = missingColumn(field, this.#rows);
    this.#missing.set(id, column);
    return column;
  }

  get keys(): KeyColumn {
    return this.column(this.#schema.primaryKey.id) as KeyColumn;
  }

  /** Takes a copy of rows `start .. end` for write `ordinal`; `columns` has one for each stored field. */
  append(columns: ReadonlyMap<FieldId, Column>, start: number, end: number, ordinal: number): void {
    for (const [id, buffer] of this.#buffers) buffer.append(columns.get(id)!, start, end);
    if (this.#runs === 0 || this.#runOrdinals[this.#runs - 1] !== ordinal) this.#beginRun(ordinal);
    this.#rows += end - start;
    if (this.#deletedBy !== null) this.#deletedBy = grownUint32(this.#deletedBy, this.#rows);
    if (this.#previous !== null) this.#previous = grownUint32(this.#previous, this.#rows);
    if (this.#live !== null && this.#live.length * 8 < this.#rows) this.#live = this.#grownLive();
  }

  /** Notes that the row's key was at `location` before; `NO_ROW`: nowhere. */
  setPrevious(row: number, location: number): void {
    this.#previous ??= sharedUint32(Math.max(this.#rows, 64));
    this.#previous[row] = location === NO_ROW ? 0 : location + 1;
  }

  /** Where the row's key was before, or `NO_ROW`. */
  previous(row: number): number {
    const word = this.#previous?.[row] ?? 0;
    return word === 0 ? NO_ROW : word - 1;
  }

  /** Notes that write `ordinal` deletes the row; false when another has. Readers see it after `publish`. */
  markDeleted(row: number, ordinal: number): boolean {
    if (this.#isDead) return false;
    this.#deletedBy ??= sharedUint32(Math.max(this.#rows, 64));
    if (this.#deletedBy[row] !== 0) return false;
    this.#deletedBy[row] = ordinal;
    return true;
  }

  /** Shows all rows appended so far. */
  publishRows(): number {
    const published = this.#rows - this.#visibleRows;
    this.#visibleRows = this.#rows;
    this.#liveRows += published;
    return published;
  }

  /** Hides a row that was marked and is published. */
  publishDeletion(row: number): void {
    if (this.#live === null) this.#live = sharedBytes(Math.ceil(this.#rows / 8)).fill(0xff);
    else if (this.#liveIsLent) this.#live = new Uint8Array(this.#live.buffer.slice(0));
    this.#liveIsLent = false;
    this.#live[row >> 3]! &= ~(1 << (row & 7));
    this.#liveRows -= 1;
  }

  /** Bits of the rows visible now (those behind `visibleRows` mean nothing); `null`: all. It never changes again. */
  lendLive(): Uint8Array | null {
    this.#liveIsLent = true;
    return this.#live;
  }

  /** Rows that were there at a moment. */
  rowsAt({ ordinal, at }: Moment): number {
    if (this.#isRestored) return this.#restoredRowsAt(at);
    let low = 0;
    let high = this.#runs;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runOrdinals[middle]! <= ordinal) low = middle + 1;
      else high = middle;
    }
    const rows = low === this.#runs ? this.#rows : this.#runStarts[low]!;
    return Math.min(rows, this.#visibleRows);
  }

  /** Bits of the first `rows` rows that were not deleted at a moment; `null`: all. */
  liveAt({ ordinal, at }: Moment, rows: number): Uint8Array | null {
    const deletedBy = this.#deletedBy;
    if (deletedBy === null) return null;
    const live = sharedBytes(Math.ceil(rows / 8));
    for (let row = 0; row < rows; row++) {
      const by = deletedBy[row]!;
      if (by === 0 || (by > ordinal && by !== DELETED_BEFORE)) live[row >> 3]! |= 1 << (row & 7);
    }
    if (this.#restoredDeletions === null) return live;
    for (const [i, row] of this.#restoredDeletions.rows.entries())
      if (row < rows && this.#restoredDeletions.timestamps[i]! > at) live[row >> 3]! |= 1 << (row & 7);
    return live;
  }

  /** Whether the row was there and not deleted at a moment. */
  isVisibleAt(row: number, moment: Moment): boolean {
    if (row >= this.rowsAt(moment)) return false;
    const by = this.#deletedBy?.[row] ?? 0;
    if (by === DELETED_BEFORE) return this.#restoredDeletion(row) > moment.at;
    return by === 0 || by > moment.ordinal;
  }

  /** The writes of this process that have brought the first and the last row. There are rows. */
  get ordinals(): { readonly first: number; readonly last: number } {
    return { first: this.#runOrdinals[0]!, last: this.#runOrdinals[this.#runs - 1]! };
  }

  /** When each row was written; `timestampOf` knows the writes of this process. */
  timestamps(timestampOf: (ordinal: number) => Timestamp): BigInt64Array {
    if (this.#isRestored) return this.#stored!.file.timestamps(this.#stored!.firstRow, this.#rows);
    const timestamps = new BigInt64Array(this.#rows);
    for (let run = 0; run < this.#runs; run++) {
      const end = run + 1 < this.#runs ? this.#runStarts[run + 1]! : this.#rows;
      timestamps.fill(timestampOf(this.#runOrdinals[run]!), this.#runStarts[run]!, end);
    }
    return timestamps;
  }

  /** Rows that writes of this process have deleted, and by which, in the order of the rows. */
  *deletions(): Generator<{ readonly row: number; readonly ordinal: number }> {
    const deletedBy = this.#deletedBy;
    if (deletedBy === null) return;
    for (let row = 0; row < this.#rows; row++) {
      const ordinal = deletedBy[row]!;
      if (ordinal !== 0 && ordinal !== DELETED_BEFORE) yield { row, ordinal };
    }
  }

  /**
   * 1 / length of each vector of the first `rows` rows, computed by `compute` for those that are not known yet, up to
   * `rowsMax` at a call; `null` as long as they are not all known.
   */
  inverseNorms(
    id: FieldId,
    rows: number,
    rowsMax: number,
    compute: (start: number, end: number) => Float32Array,
  ): Float32Array | null {
    let norms = this.#inverseNorms.get(id);
    const known = norms?.rows ?? 0;
    if (rows - known > rowsMax && !this.#isClosed) return null;
    if (norms === undefined || norms.values.length < rows) {
      const bytes = grownBytes(sharedBytes(norms?.values.byteLength ?? 256), 4 * rows);
      const values = new Float32Array(bytes.buffer);
      if (norms !== undefined) values.set(norms.values);
      norms = { values, rows: known };
      this.#inverseNorms.set(id, norms);
    }
    const end = Math.min(rows, known + rowsMax);
    if (end > known) {
      norms.values.set(compute(known, end), known);
      norms.rows = end;
    }
    return norms.rows < rows ? null : norms.values;
  }

  /** Of a text field whose words a filter has asked for. */
  words(id: FieldId): WordIndex | undefined {
    return knownWords(this, id);
  }

  /** Codes of the first rows of a vector field, if anybody has made some. */
  codes(id: FieldId): VectorCodes | undefined {
    return this.#codes.get(id);
  }

  setCodes(id: FieldId, codes: VectorCodes): void {
    if (!this.#isDead) this.#codes.set(id, codes);
  }

  #readStored(id: FieldId): Column | undefined {
    if (this.#stored === null) return undefined;
    const column = this.#stored.file.column(id, this.#stored.firstRow, this.#rows);
    // The kernel remembers where an array is, so the same memory must stay the same array.
    if (column !== undefined) this.#storedColumns.set(id, column);
    return column;
  }

  /** Rows of a file written up to `at`. */
  #restoredRowsAt(at: Timestamp): number {
    const { file, firstRow } = this.#stored!;
    if (at >= file.info.lastTimestamp) return this.#rows;
    if (at < file.info.firstTimestamp) return 0;
    const timestamps = file.timestamps(firstRow, this.#rows);
    let low = 0;
    let high = this.#rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (timestamps[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** When a row was deleted that was so before this process started. */
  #restoredDeletion(row: number): bigint {
    const { rows, timestamps } = this.#restoredDeletions!;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return timestamps[low]!;
  }

  #beginRun(ordinal: number): void {
    this.#runStarts = grownUint32(this.#runStarts, this.#runs + 1);
    this.#runOrdinals = grownUint32(this.#runOrdinals, this.#runs + 1);
    this.#runStarts[this.#runs] = this.#rows;
    this.#runOrdinals[this.#runs] = ordinal;
    this.#runs += 1;
  }

  /** A larger copy, so that a reader's own stays as it is. */
  #grownLive(): Uint8Array<SharedArrayBuffer> {
    const grown = sharedBytes(Math.max(2 * this.#live!.length, Math.ceil(this.#rows / 8))).fill(0xff);
    grown.set(this.#live!);
    this.#liveIsLent = false;
    return grown;
  }
}

/** Opens the files that chunks lie in, so that their columns can be asked for. @throws MilvusError 1009 */
export async function openChunks(chunks: Iterable<Chunk>): Promise<void> {
  for (const { stored } of chunks) if (stored?.file.isOpen === false) await stored.file.open();
}
