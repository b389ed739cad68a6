import type { Predicate, RowFilter } from '@elanus/expr';
import type { FilterShare, PartExplanation, ReadExplanation } from '@elanus/rpc';
import type { Chunk } from '../chunk.ts';
import { matchBits, rowsAtOnce } from '../filter/match-bits.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { bytesOfColumn } from './column-bytes.ts';
import type { ReadTrace, SearchNote } from './read-trace.ts';

/** What a read did, out of what it noted. The rows that it was about are still there. */
export async function explainRead(
  read: Read,
  trace: ReadTrace,
  about: Pick<ReadExplanation, 'kind' | 'target'>,
): Promise<ReadExplanation> {
  const places = new Places(read);
  const parts: PartExplanation[] = [];
  if (trace.searches.length > 0)
    for (const note of trace.searches) parts.push(await partOfSearch(read, trace, places, note));
  else for (const view of viewsOf(trace)) parts.push(await partOfView(read, trace, places, view));
  return {
    ...about,
    readTimestamp: read.scope.at,
    stages: trace.stages.all,
    filterBytes: bytesOfFilter(trace, read.selection?.predicate),
    parts: joined(parts),
    analysis: trace.analysis,
  };
}

/** Which segment a chunk is in. */
class Places {
  readonly #segments = new Map<Chunk, Pick<PartExplanation, 'segmentIds' | 'partitionId' | 'state'>>();

  constructor({ shards }: Read) {
    for (const shard of shards)
      for (const { id, partitionId, chunks } of shard.segments()) {
        const state = id === null ? 'growing' : 'sealed';
        for (const chunk of chunks)
          this.#segments.set(chunk, { segmentIds: [id ?? shard.segmentId], partitionId, state });
      }
  }

  /** A chunk whose rows were dropped meanwhile counts as growing. */
  of({ shard, chunk }: ChunkView): Pick<PartExplanation, 'segmentIds' | 'partitionId' | 'state'> {
    const known = this.#segments.get(chunk);
    return known ?? { segmentIds: [shard.segmentId], partitionId: chunk.partitionId, state: 'growing' };
  }
}

async function partOfSearch(
  read: Read,
  trace: ReadTrace,
  places: Places,
  { parts, ...search }: SearchNote,
): Promise<PartExplanation> {
  const views = parts.map(({ view }) => view);
  const segments = views.map((view) => places.of(view));
  return {
    segmentIds: [...new Set(segments.flatMap(({ segmentIds }) => segmentIds))],
    partitionId: segments[0]!.partitionId,
    state: segments.every(({ state }) => state === 'sealed') ? 'sealed' : 'growing',
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    filter: await filterOf(read, trace, views),
    search,
  };
}

function viewsOf({ filters, selected }: ReadTrace): Iterable<ChunkView> {
  return filters.size > 0 ? filters.keys() : selected.map(({ view }) => view);
}

async function partOfView(
  read: Read,
  trace: ReadTrace,
  places: Places,
  view: ChunkView,
): Promise<PartExplanation> {
  const filter = await filterOf(read, trace, [view]);
  return { ...places.of(view), rows: view.rows, filter, search: null };
}

async function filterOf(
  read: Read,
  trace: ReadTrace,
  views: readonly ChunkView[],
): Promise<FilterShare | null> {
  const notes = views.flatMap((view) => {
    const note = trace.filters.get(view);
    return note === undefined ? [] : [{ view, note }];
  });
  if (notes.length === 0) return null;
  let rows = 0;
  let matched = 0;
  let expected: number | null = 0;
  for (const { view, note } of notes) {
    await takeTurns(read);
    rows += view.rows;
    matched += note.matched;
    const share: number | null = note.estimated ?? sampledShare(view, read.selection?.matches ?? null);
    expected = expected === null || share === null ? null : expected + share * view.rows;
  }
  return {
    estimated: expected === null ? null : expected / Math.max(1, rows),
    actual: matched / Math.max(1, rows),
    ways: [...new Set(notes.map(({ note }) => note.way))],
  };
}

/** Rows that an estimate tests, in so many places of a chunk. */
const SAMPLED_PLACES = 32;
const SAMPLED_ROWS_PER_PLACE = 8;
const sampled = new Uint8Array(Math.max(SAMPLED_ROWS_PER_PLACE, 8));

/** The share of rows that match among some all over the chunk; `null` of a read by keys. */
function sampledShare({ chunk, rows }: ChunkView, filter: RowFilter | null): number | null {
  if (filter === null || rows === 0) return null;
  const step = Math.min(SAMPLED_ROWS_PER_PLACE, rowsAtOnce(filter));
  const places = Math.min(SAMPLED_PLACES, Math.ceil(rows / step));
  let tested = 0;
  let matched = 0;
  for (let place = 0; place < places; place++) {
    const start = Math.floor(Math.ceil(rows / step) * (place / places)) * step;
    const end = Math.min(start + step, rows);
    matched += matchBits(filter, chunk, start, end, sampled, 0);
    tested += end - start;
  }
  return matched / tested;
}

/** Of the columns that were gone through row by row. */
function bytesOfFilter(trace: ReadTrace, predicate: Predicate | undefined): number {
  if (predicate === undefined) return 0;
  let bytes = 0;
  for (const [{ chunk, rows }, { way }] of trace.filters) {
    if (way !== 'scan') continue;
    for (const id of predicate.fieldIds) bytes += bytesOfColumn(chunk.column(id), rows);
  }
  return bytes;
}

/** Parts of the same segments that were treated alike, put together. */
function joined(parts: readonly PartExplanation[]): readonly PartExplanation[] {
  const byKind = new Map<string, PartExplanation>();
  for (const part of parts) {
    const { segmentIds, search, state, partitionId } = part;
    const kind = [segmentIds.join(), partitionId, state, search?.strategy, search?.why, search?.ef].join('|');
    const known = byKind.get(kind);
    byKind.set(kind, known === undefined ? part : sumOf(known, part));
  }
  return [...byKind.values()];
}

function sumOf(a: PartExplanation, b: PartExplanation): PartExplanation {
  const [before, behind] = [a.search, b.search];
  const search =
    before === null || behind === null
      ? before
      : {
          ...before,
          candidates: added(before.candidates, behind.candidates),
          distances: added(before.distances, behind.distances),
          bytesRead: added(before.bytesRead, behind.bytesRead),
          hits: before.hits + behind.hits,
        };
  return { ...a, rows: a.rows + b.rows, filter: sumOfFilters(a, b), search };
}

function added(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function sumOfFilters(a: PartExplanation, b: PartExplanation): FilterShare | null {
  if (a.filter === null || b.filter === null) return a.filter ?? b.filter;
  const rows = Math.max(1, a.rows + b.rows);
  const mean = (x: number, y: number) => (x * a.rows + y * b.rows) / rows;
  const [estimatedA, estimatedB] = [a.filter.estimated, b.filter.estimated];
  return {
    estimated: estimatedA === null || estimatedB === null ? null : mean(estimatedA, estimatedB),
    actual: mean(a.filter.actual, b.filter.actual),
    ways: [...new Set([...a.filter.ways, ...b.filter.ways])],
  };
}
