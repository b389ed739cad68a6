import type { ColumnSource, JsonPlaces, WordIndex } from '@elanus/expr';
import type { VectorCodes } from '@elanus/kernel';
import {
  assert,
  type CollectionSchema,
  type Column,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  type Timestamp,
} from '@elanus/model';
import { ChunkColumns, type StoredRows } from './chunk/chunk-columns.ts';
import { ChunkDeletions, type RestoredRowDeletions } from './chunk/chunk-deletions.ts';
import { InverseNorms } from './chunk/inverse-norms.ts';
import { WriteRuns } from './chunk/write-runs.ts';
import { bytesOfPlaces, knownPlaces } from './filter/json-places.ts';
import { NO_ROW } from './key-index.ts';
import type { Moment } from './moment.ts';
import type { FilesInUse } from './sealed/files-in-use.ts';
import { grownUint32, sharedUint32 } from './shared-memory.ts';
import { knownWords } from './words/known-words.ts';

export interface ChunkOptions {
  readonly schema: CollectionSchema;
  readonly partitionId: PartitionId;
  /** Of row 0 in the shard; the following rows follow it. */
  readonly firstLocation: number;
  /** Rows that fit before memory has to grow. */
  readonly rowsReserved: number;
}

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
  /** Rows that there was room for from the beginning. */
  readonly rowsReserved: number;
  #columns: ChunkColumns;
  readonly #runs = new WriteRuns();
  #deletions = new ChunkDeletions();
  readonly #inverseNorms = new Map<FieldId, InverseNorms>();
  readonly #codes = new Map<FieldId, VectorCodes>();
  #rows = 0;
  #visibleRows = 0;
  #liveRows = 0;
  /** The location of the row that had the key of this row before, + 1, 0 for none. */
  #previous: Uint32Array<SharedArrayBuffer> | null = null;
  #isDead = false;
  #isClosed = false;
  /** Whether the rows were written before this process started, or are those of such times in a new file. */
  #isRestored = false;
  #keysAreStored = false;

  constructor({ schema, partitionId, firstLocation, rowsReserved }: ChunkOptions) {
    this.partitionId = partitionId;
    this.firstLocation = firstLocation;
    this.rowsReserved = rowsReserved;
    this.#columns = ChunkColumns.inMemory(schema, rowsReserved);
  }

  /** Rows of a sealed segment, as they were when the process started. */
  static restored(options: {
    readonly schema: CollectionSchema;
    readonly partitionId: PartitionId;
    readonly firstLocation: number;
    readonly rows: number;
    readonly stored: StoredRows;
    readonly deletions: RestoredRowDeletions;
  }): Chunk {
    const { schema, rows, stored, deletions } = options;
    const chunk = new Chunk({ ...options, rowsReserved: 0 });
    chunk.#columns = ChunkColumns.inFile(schema, stored);
    chunk.#deletions = ChunkDeletions.restored(rows, deletions);
    chunk.#isClosed = true;
    chunk.#isRestored = true;
    chunk.#keysAreStored = true;
    chunk.#rows = rows;
    chunk.#visibleRows = rows;
    chunk.#liveRows = rows - deletions.rows.length;
    return chunk;
  }

  /** Rows that write `ordinal` brings with a file, which is open; they are shown by `publishRows`. */
  static adopted(options: {
    readonly schema: CollectionSchema;
    readonly partitionId: PartitionId;
    readonly firstLocation: number;
    readonly rows: number;
    readonly stored: StoredRows;
    readonly ordinal: number;
  }): Chunk {
    const { schema, rows, stored, ordinal } = options;
    const chunk = new Chunk({ ...options, rowsReserved: 0 });
    chunk.#columns = ChunkColumns.inFile(schema, stored);
    chunk.#runs.note(0, ordinal);
    chunk.#deletions.grow(rows);
    chunk.#isClosed = true;
    chunk.#rows = rows;
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

  /** Where the columns are in a file; `null` as long as they are in memory. */
  get stored(): StoredRows | null {
    return this.#columns.stored;
  }

  /** Whether the rows were written before this process started. */
  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** Whether the rows' file answers for their keys, and the key index has never heard of them, or not any more. */
  get keysAreStored(): boolean {
    return this.#keysAreStored;
  }

  /** The key index does not know the rows any more. */
  storeKeys(): void {
    this.#keysAreStored = true;
    this.#previous = null;
  }

  /** When the last of the rows that were deleted before this process started was; `null`: none was. */
  get lastRestoredDeletion(): Timestamp | null {
    return this.#deletions.lastRestored;
  }

  get visibleRows(): number {
    return this.#visibleRows;
  }

  /** Published rows that nobody has deleted. */
  get liveRows(): number {
    return this.#liveRows;
  }

  get byteLength(): number {
    let bytes = this.#runs.byteLength + this.#deletions.byteLength + (this.#previous?.byteLength ?? 0);
    for (const [, own] of this.bytesOfFields()) bytes += own;
    return bytes + bytesOfPlaces(this);
  }

  /** The parts of `byteLength` that belong to a field: columns that are in no file, and what was made of others. */
  *bytesOfFields(): Generator<readonly [id: FieldId, bytes: number]> {
    yield* this.#columns.bytesOfFields();
    for (const [id, { byteLength }] of this.#inverseNorms) yield [id, byteLength];
    for (const [id, { values, factors }] of this.#codes) yield [id, values.byteLength + factors.byteLength];
  }

  /** Bytes of texts and the like: what rows take beyond their fixed size. */
  get textBytes(): number {
    return this.#columns.textBytes;
  }

  /**
   * The chunk as far as the key index needs it: keys, and the rows that had them before. All rows of it count
   * as deleted. The chunk itself stays as it is for those who read it.
   */
  keysOnly(): Chunk {
    const { partitionId, firstLocation } = this;
    const rest = new Chunk({ schema: this.#columns.schema, partitionId, firstLocation, rowsReserved: 0 });
    rest.#columns = this.#columns.keysOnly();
    rest.#isRestored = this.#isRestored;
    rest.#keysAreStored = this.#keysAreStored;
    rest.#rows = this.#rows;
    rest.#previous = this.#previous;
    rest.#isDead = true;
    return rest;
  }

  /** Later readers also find the fields that `schema` has gained. No rows may be appended from then on. */
  useSchema(schema: CollectionSchema): void {
    this.#columns.useSchema(schema);
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
    this.#columns.moveTo(stored);
  }

  /**
   * All rows so far of a field; its arrays may be longer. Fields newer than the chunk have their default. The file of
   * a stored chunk is open.
   */
  column(id: FieldId): Column {
    return this.#columns.column(id, this.#rows);
  }

  /** As `ChunkColumns.awaits`; nobody reads the rows of a dead chunk. */
  awaits(id: FieldId): boolean {
    return !this.#isDead && this.#columns.awaits(id);
  }

  /** Whether rows in memory have got what a newer function makes of them, which no file has. */
  isFilled(id: FieldId): boolean {
    return this.#columns.isFilled(id);
  }

  /** As `ChunkColumns.fill`. No more rows may come. */
  fill(id: FieldId, column: Column): void {
    assert(
      this.#isClosed && this.stored === null && column.length === this.#rows,
      'all rows are filled at once',
    );
    this.#columns.fill(id, column);
  }

  /** As `ChunkColumns.hold`. */
  hold(id: FieldId): () => void {
    return this.#columns.hold(id);
  }

  get keys(): KeyColumn {
    return this.column(this.#columns.schema.primaryKey.id) as KeyColumn;
  }

  /** Takes a copy of rows `start .. end` for write `ordinal`; `columns` has one for each stored field. */
  append(columns: ReadonlyMap<FieldId, Column>, start: number, end: number, ordinal: number): void {
    this.#columns.append(columns, start, end);
    this.#runs.note(this.#rows, ordinal);
    this.#rows += end - start;
    this.#deletions.grow(this.#rows);
    if (this.#previous !== null) this.#previous = grownUint32(this.#previous, this.#rows);
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
    return !this.#isDead && this.#deletions.mark(row, ordinal);
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
    this.#deletions.publish(row);
    this.#liveRows -= 1;
  }

  /** Bits of the rows visible now (those behind `visibleRows` mean nothing); `null`: all. It never changes again. */
  lendLive(): Uint8Array | null {
    return this.#deletions.lendLive();
  }

  /** Rows that were there at a moment. */
  rowsAt({ ordinal, at }: Moment): number {
    if (this.#isRestored) return this.#restoredRowsAt(at);
    return Math.min(this.#runs.rowsUpTo(ordinal, this.#rows), this.#visibleRows);
  }

  /** Bits of the first `rows` rows that were not deleted at a moment; `null`: all. */
  liveAt(moment: Moment, rows: number): Uint8Array | null {
    return this.#deletions.liveAt(moment, rows);
  }

  /** Whether the row was there and not deleted at a moment. */
  isVisibleAt(row: number, moment: Moment): boolean {
    return row < this.rowsAt(moment) && !this.#deletions.isDeletedAt(row, moment);
  }

  /** The writes of this process that have brought the first and the last row. There are rows. */
  get ordinals(): { readonly first: number; readonly last: number } {
    return this.#runs.ordinals;
  }

  /** When each row was written; `timestampOf` knows the writes of this process. */
  timestamps(timestampOf: (ordinal: number) => Timestamp): BigInt64Array {
    if (!this.#isRestored) return this.#runs.timestamps(this.#rows, timestampOf);
    const { file, firstRow } = this.stored!;
    return file.timestamps(firstRow, this.#rows);
  }

  /** Rows that writes of this process have deleted, and by which, in the order of the rows. */
  deletions(): Generator<{ readonly row: number; readonly ordinal: number }> {
    return this.#deletions.byWrites();
  }

  /** Rows that were deleted up to write `ordinal` of this process, and when, in no order. */
  deletionTimes(
    ordinal: number,
    timestampOf: (ordinal: number) => Timestamp,
  ): Generator<{ readonly row: number; readonly timestamp: Timestamp }> {
    return this.#deletions.times(ordinal, timestampOf);
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
    const norms = this.#inverseNorms.get(id) ?? new InverseNorms();
    if (rows - norms.rows > rowsMax && !this.#isClosed) return null;
    this.#inverseNorms.set(id, norms);
    return norms.upTo(rows, rowsMax, compute);
  }

  /** Of a text field whose words a filter has asked for. */
  words(id: FieldId): WordIndex | undefined {
    return knownWords(this, id);
  }

  /** See `ColumnSource`. */
  places(path: string): JsonPlaces | undefined {
    return knownPlaces(this, path);
  }

  /** Codes of the first rows of a vector field, if anybody has made some. */
  codes(id: FieldId): VectorCodes | undefined {
    return this.#codes.get(id);
  }

  /** Frees the codes of a field; who compares its vectors one by one again has them made anew. */
  forgetCodes(id: FieldId): void {
    this.#codes.delete(id);
  }

  setCodes(id: FieldId, codes: VectorCodes): void {
    if (!this.#isDead) this.#codes.set(id, codes);
  }

  /** Rows of a file written up to `at`. */
  #restoredRowsAt(at: Timestamp): number {
    const { file, firstRow } = this.stored!;
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
}

/** Uses the files that chunks lie in, so that their columns can be asked for. @throws MilvusError 1009 */
export async function openChunks(chunks: Iterable<Chunk>, use: FilesInUse): Promise<void> {
  for (const { stored } of chunks) if (stored !== null) await use.add(stored.file);
}
