import {
  type CollectionSchema,
  type Column,
  DataType,
  denseVectorBytes,
  type FieldId,
  isDenseVector,
  type PartitionId,
} from '@elanus/model';
import { Chunk } from './chunk.ts';
import { isNumeric, NUMERIC_BYTES } from './numeric-type.ts';
import { storedFields } from './stored-fields.ts';

const CHUNK_ROWS_MAX = 8192;
const CHUNK_ROWS_MIN = 64;
/** Fixed-size values of a chunk: the copy that growing the first chunk of a segment makes stays short. */
const CHUNK_BYTES_MAX = 8 * 1024 * 1024;
/** Texts and the like, which grow in every chunk; one write's piece may pass it. */
const CHUNK_TEXT_BYTES_MAX = 4 * 1024 * 1024;
/** Rows that the first chunk of a segment has room for at once. */
const FIRST_ROWS_RESERVED = 64;

/** Bytes that every row of `schema` takes, texts and the like not counted. */
export function fixedRowBytes(schema: CollectionSchema): number {
  return storedFields(schema).reduce((sum, { dataType, dim }) => {
    if (isNumeric(dataType)) return sum + NUMERIC_BYTES[dataType];
    if (isDenseVector(dataType)) return sum + denseVectorBytes(dataType, dim ?? 0);
    return sum + (dataType === DataType.SparseFloatVector ? 64 : 8);
  }, 0);
}

/** Most rows of a chunk: a power of two, so that a location splits into chunk and row by its bits. */
export function chunkRowsOf(schema: CollectionSchema): number {
  let rows = CHUNK_ROWS_MAX;
  while (rows > CHUNK_ROWS_MIN && rows * fixedRowBytes(schema) > CHUNK_BYTES_MAX) rows /= 2;
  return rows;
}

export interface GrowingSegmentOptions {
  readonly schema: CollectionSchema;
  readonly partitionId: PartitionId;
  readonly chunkRows: number;
  /** Gives each new chunk its place among the shard's locations. */
  readonly addChunk: (make: (firstLocation: number) => Chunk) => Chunk;
}

/** The rows of one partition in one shard. Writes are appended at its last chunk, in memory. */
export class GrowingSegment {
  readonly partitionId: PartitionId;
  readonly #options: GrowingSegmentOptions;
  #schema: CollectionSchema;
  #chunks: Chunk[] = [];

  constructor(options: GrowingSegmentOptions) {
    this.partitionId = options.partitionId;
    this.#options = options;
    this.#schema = options.schema;
  }

  /** In the order of their rows. */
  get chunks(): readonly Chunk[] {
    return this.#chunks;
  }

  get liveRows(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.liveRows, 0);
  }

  /** Rows from now on have the fields of `schema`. */
  useSchema(schema: CollectionSchema): void {
    this.#schema = schema;
    for (const chunk of this.#chunks) chunk.useSchema(schema);
  }

  /** Appends rows `start .. end`, or as many of them as go into the last chunk; returns that chunk. */
  append(columns: ReadonlyMap<FieldId, Column>, start: number, end: number, ordinal: number): Chunk {
    const chunk = this.#chunkWithRoom();
    const fitting = Math.min(end - start, this.#options.chunkRows - chunk.rows);
    chunk.append(columns, start, start + fitting, ordinal);
    return chunk;
  }

  /** Adds rows from before this process started. */
  restore(chunk: Chunk): void {
    this.#chunks.push(chunk);
  }

  /** Adds rows that lie in a file, behind all there are. */
  adopt(chunk: Chunk): void {
    this.#chunks.at(-1)?.close();
    this.#chunks.push(chunk);
  }

  /** Puts chunks in the place of the first of some others, which are forgotten. */
  replace(gone: ReadonlySet<Chunk>, added: readonly Chunk[]): void {
    const at = Math.max(
      0,
      this.#chunks.findIndex((chunk) => gone.has(chunk)),
    );
    const kept = (chunks: readonly Chunk[]): readonly Chunk[] => chunks.filter((chunk) => !gone.has(chunk));
    this.#chunks = [...kept(this.#chunks.slice(0, at)), ...added, ...kept(this.#chunks.slice(at))];
  }

  /** Forgets a chunk whose rows are all deleted. */
  remove(chunk: Chunk): void {
    this.#chunks = this.#chunks.filter((other) => other !== chunk);
  }

  #chunkWithRoom(): Chunk {
    const last = this.#chunks.at(-1);
    const { chunkRows, partitionId, addChunk } = this.#options;
    const hasRoom = last !== undefined && last.rows < chunkRows && last.textBytes < CHUNK_TEXT_BYTES_MAX;
    if (hasRoom && !last.isClosed) return last;
    last?.close();
    // Whoever has filled one chunk fills the next, too: all its room at once saves the copies of growing.
    const rowsReserved = last === undefined ? FIRST_ROWS_RESERVED : chunkRows;
    const chunk = addChunk(
      (firstLocation) => new Chunk({ schema: this.#schema, partitionId, firstLocation, rowsReserved }),
    );
    this.#chunks.push(chunk);
    return chunk;
  }
}
