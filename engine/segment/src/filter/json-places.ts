import { type Condition, type JsonPlaces, pathName, pathsOf, UNKNOWN_PLACE } from '@elanus/expr';
import type { Chunk } from '../chunk.ts';
import type { ChunkView } from '../shard.ts';

/** Where the values at a path are; `null` as long as nobody has asked often enough. */
interface AskedPath {
  asked: number;
  places: (JsonPlaces & { readonly buffer: SharedArrayBuffer }) | null;
}

/** Of chunks that do not change any more: by the names of paths, the one that was asked about last behind all others. */
const known = new WeakMap<Chunk, Map<string, AskedPath>>();

/** Whoever asks once never pays for it. */
const ASKED_MIN = 2;
/** Paths of a chunk: each takes 2 bytes a row. */
const PATHS_MAX = 8;

/** Where the values at the path with this name are in a chunk's documents, if that is kept: see `ColumnSource`. */
export function knownPlaces(chunk: Chunk, name: string): JsonPlaces | undefined {
  return known.get(chunk)?.get(name)?.places ?? undefined;
}

/** Bytes of all places of a chunk. */
export function bytesOfPlaces(chunk: Chunk): number {
  let bytes = 0;
  for (const { places } of known.get(chunk)?.values() ?? []) bytes += places?.byteLength ?? 0;
  return bytes;
}

/**
 * Keeps where values are that a filter is about to look for, once that was asked of a chunk before: tests write it down,
 * and find it the next time. Whether it has been kept before for all paths, and all views but those that still grow.
 */
export function keepPlaces(views: readonly ChunkView[], condition: Condition): boolean {
  const names = new Set(pathsOf(condition).map(pathName));
  const closed = views.filter(({ chunk }) => chunk.isClosed);
  if (names.size === 0 || names.size > PATHS_MAX || closed.length === 0) return false;
  let areKnown = true;
  for (const { chunk } of closed) {
    const ofChunk = known.get(chunk) ?? new Map<string, AskedPath>();
    known.set(chunk, ofChunk);
    for (const name of names) areKnown = ask(ofChunk, name, chunk.rows) && areKnown;
  }
  return areKnown;
}

function ask(paths: Map<string, AskedPath>, name: string, rows: number): boolean {
  const path = paths.get(name) ?? { asked: 0, places: null };
  const isKnown = path.places !== null;
  paths.delete(name);
  paths.set(name, path);
  path.asked += 1;
  if (path.places === null && path.asked >= ASKED_MIN)
    path.places = new Uint16Array(new SharedArrayBuffer(2 * rows)).fill(UNKNOWN_PLACE);
  const [oldest] = paths.keys();
  if (paths.size > PATHS_MAX) paths.delete(oldest!);
  return isKnown;
}
