import {
  type ArrayColumn,
  assert,
  type CollectionSchema,
  type Column,
  type DenseVectorColumn,
  denseVectorBytes,
  type FieldId,
  fieldById,
  isArray,
  isDenseVector,
  MilvusError,
  type NumericColumn,
  type VectorArrayColumn,
} from '@elanus/model';
import type { RowLocations } from '@elanus/rpc';
import type { LoopShare } from '@elanus/runtime';
import { type Chunk, openChunks } from './chunk.ts';
import { missingColumn } from './missing-column.ts';
import { isNumeric, NUMERIC_BYTES, numericColumn } from './numeric-type.ts';
import { takeTurns } from './read.ts';
import { FilesInUse } from './sealed/files-in-use.ts';
import type { Shard } from './shard.ts';

/** Bytes copied between two looks at the clock. */
const PIECE_BYTES = 512 * 1024;
const PIECE_ROWS = 1024;

/**
 * The values of `fields` in the rows at `locations`, in that order, copied out of `shards`.
 * @throws MilvusError (retriable) when a row's partition was dropped since it was found
 */
export async function fetchColumns(
  source: { readonly shards: readonly Shard[]; readonly schema: CollectionSchema; readonly share: LoopShare },
  locations: RowLocations,
  fields: readonly FieldId[],
): Promise<ReadonlyMap<FieldId, Column>> {
  const places = resolve(source.shards, locations);
  using use = new FilesInUse();
  await openChunks(places.chunks, use);
  const columns = new Map<FieldId, Column>();
  for (const id of fields) {
    const field = fieldById(source.schema, id);
    if (field === undefined) throw fieldDropped(id);
    const gather = new Gather(
      places.chunks.map((chunk) => chunk.column(id)),
      places,
      source.share,
    );
    columns.set(id, places.rows.length === 0 ? missingColumn(field, 0) : await gather.column());
  }
  return columns;
}

interface Places {
  readonly chunks: readonly Chunk[];
  /** Parallel to `rows`: index into `chunks`. */
  readonly chunkOf: Uint32Array;
  readonly rows: Uint32Array;
}

function resolve(shards: readonly Shard[], { segmentIds, segments, rows }: RowLocations): Places {
  const shardOf = segmentIds.map((id) => shards.find((shard) => shard.segmentId === id));
  const numberOfChunk = new Map<Chunk, number>();
  const chunkOf = new Uint32Array(rows.length);
  const rowInChunk = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const shard = shardOf[segments[i]!];
    assert(shard !== undefined, 'a location names a shard');
    const chunk = shard.findChunk(rows[i]!);
    if (chunk === undefined) throw rowsDropped();
    let number = numberOfChunk.get(chunk);
    if (number === undefined) {
      number = numberOfChunk.size;
      numberOfChunk.set(chunk, number);
    }
    chunkOf[i] = number;
    rowInChunk[i] = rows[i]! - chunk.firstLocation;
  }
  return { chunks: [...numberOfChunk.keys()], chunkOf, rows: rowInChunk };
}

function fieldDropped(id: FieldId): MilvusError {
  return new MilvusError(`field ${id} was dropped while it was being read`, { code: 65535, retriable: true });
}

function rowsDropped(): MilvusError {
  return new MilvusError('rows were dropped while they were being read', { code: 65535, retriable: true });
}

/** Copies one field's values of scattered rows together. */
class Gather {
  readonly #columns: readonly Column[];
  readonly #places: Places;
  readonly #share: LoopShare;

  /** `columns` are parallel to `places.chunks`. */
  constructor(columns: readonly Column[], places: Places, share: LoopShare) {
    this.#columns = columns;
    this.#places = places;
    this.#share = share;
  }

  async column(): Promise<Column> {
    const first = this.#columns[0]!;
    const base = { length: this.#places.rows.length, validity: this.#validity() };
    if (isNumeric(first.dataType)) return { ...(await this.#numbers(first.dataType)), ...base };
    if (isDenseVector(first.dataType)) {
      const { dim } = first as DenseVectorColumn;
      const size = denseVectorBytes(first.dataType, dim);
      return { dataType: first.dataType, dim, ...base, bytes: await this.#denseVectors(size) };
    }
    if (isArray(first.dataType)) {
      const arrays = this.#columns as readonly ArrayLike[];
      return { dataType: first.dataType, ...base, ...(await this.#arrays(arrays)) } as Column;
    }
    const texts = this.#columns as readonly TextLike[];
    return { dataType: first.dataType, ...base, ...(await this.#texts(texts)) } as Column;
  }

  #validity(): Uint8Array | null {
    if (this.#columns.every(({ validity }) => validity === null)) return null;
    const { chunkOf, rows } = this.#places;
    const flags = new Uint8Array(rows.length);
    for (let i = 0; i < rows.length; i++) flags[i] = this.#columns[chunkOf[i]!]!.validity?.[rows[i]!] ?? 1;
    return flags.includes(0) ? flags : null;
  }

  /** Calls `copy` for runs of rows of about `PIECE_BYTES`. */
  async #inPieces(rowBytes: number, copy: (start: number, end: number) => void): Promise<void> {
    const { length } = this.#places.rows;
    const step = Math.max(1, Math.min(PIECE_ROWS, Math.floor(PIECE_BYTES / Math.max(rowBytes, 1))));
    for (let start = 0; start < length; start += step) {
      await takeTurns({ share: this.#share });
      copy(start, Math.min(start + step, length));
    }
  }

  async #numbers(dataType: NumericColumn['dataType']): Promise<NumericColumn> {
    const { chunkOf, rows } = this.#places;
    const { length } = rows;
    const buffer = new ArrayBuffer(length * NUMERIC_BYTES[dataType]);
    const target = numericColumn(dataType, { buffer, byteOffset: 0, capacity: length }, length, null);
    // One kind of array on both sides: the cast only says so to the compiler.
    const out = target.values as Float64Array;
    const sources = this.#columns.map((column) => (column as NumericColumn).values as Float64Array);
    await this.#inPieces(8, (start, end) => {
      for (let i = start; i < end; i++) out[i] = sources[chunkOf[i]!]![rows[i]!]!;
    });
    return target;
  }

  async #denseVectors(size: number): Promise<Uint8Array> {
    const { chunkOf, rows } = this.#places;
    const out = new Uint8Array(rows.length * size);
    const sources = this.#columns.map((column) => (column as DenseVectorColumn).bytes);
    await this.#inPieces(size, (start, end) => {
      for (let i = start; i < end; ) {
        const next = this.#runEnd(i, end);
        const first = rows[i]! * size;
        out.set(sources[chunkOf[i]!]!.subarray(first, first + (next - i) * size), i * size);
        i = next;
      }
    });
    return out;
  }

  /** The end of the rows from `i` on, at most `end`, that follow each other where they are: pages of iterators do. */
  #runEnd(i: number, end: number): number {
    const { chunkOf, rows } = this.#places;
    let next = i + 1;
    while (next < end && rows[next] === rows[i]! + next - i && chunkOf[next] === chunkOf[i]) next += 1;
    return next;
  }

  async #texts(sources: readonly TextLike[]): Promise<{ offsets: Uint32Array; bytes: Uint8Array }> {
    const { chunkOf, rows } = this.#places;
    const offsets = this.#offsets(sources);
    const bytes = new Uint8Array(offsets.at(-1)!);
    await this.#inPieces(bytes.length / rows.length, (start, end) => {
      for (let i = start; i < end; ) {
        const next = this.#runEnd(i, end);
        const source = sources[chunkOf[i]!]!;
        const row = rows[i]!;
        bytes.set(source.bytes.subarray(source.offsets[row]!, source.offsets[row + next - i]!), offsets[i]!);
        i = next;
      }
    });
    return { offsets, bytes };
  }

  async #arrays(sources: readonly ArrayLike[]): Promise<{ offsets: Uint32Array; elements: Column }> {
    const { chunkOf, rows } = this.#places;
    const offsets = this.#offsets(sources);
    const elementChunks = new Uint32Array(offsets.at(-1)!);
    const elementRows = new Uint32Array(offsets.at(-1)!);
    await this.#inPieces(8, (start, end) => {
      for (let i = start; i < end; i++) {
        const first = sources[chunkOf[i]!]!.offsets[rows[i]!]!;
        for (let at = offsets[i]!; at < offsets[i + 1]!; at++) {
          elementChunks[at] = chunkOf[i]!;
          elementRows[at] = first + at - offsets[i]!;
        }
      }
    });
    const places = { chunks: this.#places.chunks, chunkOf: elementChunks, rows: elementRows };
    const elements = sources.map((source) => source.elements);
    return { offsets, elements: await new Gather(elements, places, this.#share).column() };
  }

  #offsets(sources: readonly { readonly offsets: Uint32Array }[]): Uint32Array {
    const { chunkOf, rows } = this.#places;
    const offsets = new Uint32Array(rows.length + 1);
    let used = 0;
    for (let i = 0; i < rows.length; i++) {
      const source = sources[chunkOf[i]!]!.offsets;
      used += source[rows[i]! + 1]! - source[rows[i]!]!;
      offsets[i + 1] = used;
    }
    if (used > 0xffff_ffff) throw rowsTooLarge();
    return offsets;
  }
}

type ArrayLike = ArrayColumn | VectorArrayColumn;
type TextLike = { readonly offsets: Uint32Array; readonly bytes: Uint8Array };

function rowsTooLarge(): MilvusError {
  return new MilvusError('the values of these rows are larger than 4 GiB together', { code: 65535 });
}
