import { assert, type VarCharColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type KeyReader, NO_ROW } from '../key-index.ts';

/**
 * Which chunk of a shard a location is in. The upper bits of a location are a place, and a chunk has one or, over a file,
 * several that follow each other; places are given once, in their order.
 */
export class ChunkLocations implements KeyReader {
  /** Rows of a place: a power of two. */
  readonly #placeRows: number;
  readonly #placeBits: number;
  readonly #places: (Chunk | undefined)[] = [];

  constructor(placeRows: number) {
    this.#placeRows = placeRows;
    this.#placeBits = Math.log2(placeRows);
  }

  /** Places that were ever given: when the number grows, rows before have got their last neighbour. */
  get placesBegun(): number {
    return this.#places.length;
  }

  /** Where the next chunk will begin. */
  get nextLocation(): number {
    return this.#places.length * this.#placeRows;
  }

  /** Memory of all chunks. */
  get byteLength(): number {
    return [...new Set(this.#places)].reduce((sum, chunk) => sum + (chunk?.byteLength ?? 0), 0);
  }

  /** Gives a new chunk, which will have `rowsMax` rows at most, its places. */
  add(rowsMax: number, make: (firstLocation: number) => Chunk): Chunk {
    const firstLocation = this.nextLocation;
    assert(firstLocation + rowsMax < NO_ROW, 'a shard has fewer than 2^32 rows');
    const chunk = make(firstLocation);
    for (let places = Math.ceil(rowsMax / this.#placeRows); places > 0; places--) this.#places.push(chunk);
    return chunk;
  }

  /** The chunk of a row; `undefined` when nothing of it is kept. */
  get(location: number): Chunk | undefined {
    return this.#places[location >>> this.#placeBits];
  }

  /** The chunk of a row that the key index knows. */
  at(location: number): Chunk {
    const chunk = this.get(location);
    assert(chunk !== undefined, 'a location names a chunk');
    return chunk;
  }

  isTextAt(location: number, bytes: Uint8Array, start: number, end: number): boolean {
    const chunk = this.at(location);
    const texts = chunk.keys as VarCharColumn;
    let at = texts.offsets[location - chunk.firstLocation]!;
    for (let i = start; i < end; i++, at++) if (texts.bytes[at] !== bytes[i]) return false;
    return true;
  }

  /** Keeps nothing of a chunk but its keys, of which it returns a chunk; that one is to be freed. */
  keepKeysOnly(chunk: Chunk): Chunk {
    const rest = chunk.keysOnly();
    this.#replace(chunk, rest);
    return rest;
  }

  /** Keeps nothing of a chunk. */
  free(chunk: Chunk): void {
    this.#replace(chunk, undefined);
  }

  /** Puts something else in all places of a chunk. */
  #replace({ firstLocation, rows }: Chunk, replacement: Chunk | undefined): void {
    const first = firstLocation >>> this.#placeBits;
    this.#places.fill(replacement, first, first + Math.max(1, Math.ceil(rows / this.#placeRows)));
  }
}
