import type { FieldSchema, KeyColumn, MetricType } from '@elanus/model';
import type { GraphWalk, MinHashScoring, QueryVectors, SearchHits, SparseScoring } from '@elanus/rpc';
import { type WeighedQueries, weighQueries } from './bm25/weigh-queries.ts';
import { analyzeRecall } from './explain/analyze-recall.ts';
import { noteScans } from './explain/note-scans.ts';
import { type HitList, mergeHits } from './hit-list.ts';
import { keyOrderWhenNeeded } from './key-order.ts';
import { prepareRead } from './prepare-read.ts';
import { inPieces, type Read } from './read.ts';
import { keysOfRows, locationsOfRows, type RowList } from './row-list.ts';
import { type RowsToScan, type ScanTools, scanRows } from './scan-rows.ts';
import { type SelectedRows, selectRows } from './select-rows.ts';
import type { ChunkView } from './shard.ts';
import { searchElements } from './vector-index/search-elements.ts';
import { searchLists } from './vector-index/search-lists.ts';
import { expectedRecall, searchPiece, splitByIndex } from './vector-index/search-piece.ts';
import { walkOfPage } from './vector-index/walk-of-page.ts';

export interface VectorSearch {
  readonly field: FieldSchema;
  readonly metric: MetricType;
  readonly queries: QueryVectors;
  /** Hits wanted per query. */
  readonly limit: number;
  readonly radius: number | null;
  readonly rangeFilter: number | null;
  /** How to use indexes; `null`: not, every row is compared. */
  readonly walk: GraphWalk | null;
  /** See `SearchTask` of @elanus/rpc. */
  readonly recallTarget?: number;
  /** Required with the metric BM25, whose queries hold words and how often each is asked for. */
  readonly sparse?: SparseScoring;
  /** Required with the metric MHJACCARD. */
  readonly minHash?: MinHashScoring;
}

/** A search as rows are compared with it: of BM25 its queries hold weights. */
export interface WeighedSearch extends Omit<VectorSearch, 'sparse'> {
  readonly bm25?: WeighedQueries['bm25'];
}

/**
 * The best rows of all that the read is about, for each query: by the indexes that there are, and by comparing with
 * every row that has none.
 */
export async function searchShards(
  read: Read,
  search: VectorSearch,
  tools: ScanTools,
  keyType: KeyColumn['dataType'],
): Promise<Omit<SearchHits, 'readTimestamp'>> {
  const { trace } = read;
  const preparing = prepareRead(read, search.field.id);
  if (preparing !== null) await preparing;
  trace?.stages.lap('open');
  const selected = await selectRows(read);
  const asked = search.sparse === undefined ? search : await weighed(read, search, search.sparse);
  const isPage = asked.walk?.answer === 'page';
  const planned = isPage ? { ...asked, walk: await walkOfPage(read, asked, tools, selected) } : asked;
  const { found, recall } = await findHits(read, planned, tools, selected);
  const { list, scores } = await hitRows(read, found, selected);
  const keys = await keysOfRows(read, list, keyType);
  const locations = await locationsOfRows(read, list);
  if (trace != null) {
    trace.stages.lap('collect');
    if (trace.level === 'analyze') {
      trace.analysis = await analyzeRecall(read, planned, tools, { selected, found, keyType });
      trace.stages.lap('analyze');
    }
  }
  const elements =
    found.elements === undefined ? {} : { elements: withoutGaps(found.elements, found.counts, found.stride) };
  const hits = { counts: found.counts, keys, scores, locations, ...elements };
  return recall === null ? hits : { ...hits, recalls: new Float32Array(found.counts.length).fill(recall) };
}

async function weighed(read: Read, search: VectorSearch, scoring: SparseScoring): Promise<WeighedSearch> {
  const { sparse: _, ...rest } = search;
  return { ...rest, ...(await weighQueries(read, search.field.id, search.queries, scoring)) };
}

async function findHits(
  read: Read,
  search: WeighedSearch,
  tools: ScanTools,
  selected: readonly SelectedRows[],
): Promise<{ readonly found: HitList; readonly recall: number | null }> {
  // Nothing may wait between finding an index and searching it: it could be freed meanwhile.
  const split = splitByIndex(selected, search);
  const { indexed, plain } = split;
  const recall = search.recallTarget === undefined ? null : expectedRecall(split);
  if (indexed.length === 0) {
    const found = await scanPlain(read, search, tools, { selected, plain });
    read.trace?.stages.lap('search');
    return { found, recall };
  }
  const order = keyOrderWhenNeeded(() => selected.map(({ view }) => view));
  const searches = indexed.map((part) => {
    if (search.queries.lists !== undefined) return searchLists(read, search, part, tools);
    // An index over the vectors in lists: each is looked for by itself.
    if (part.piece.starts !== null) return searchElements(read, search, part, order);
    return searchPiece(read, search, part, order);
  });
  if (plain.length > 0) searches.push(scanPlain(read, search, tools, { selected, plain }));
  const lists = searches.length === 1 ? [await searches[0]!] : await Promise.all(searches);
  read.trace?.stages.lap('search');
  const found =
    lists.length === 1
      ? lists[0]!
      : await mergeHits(read, lists, search.limit, { metric: search.metric, order });
  read.trace?.stages.lap('merge');
  return { found, recall };
}

/** Compares rows one by one. The kernel has the search when this returns. */
function scanPlain(
  read: Read,
  search: WeighedSearch,
  tools: ScanTools,
  { selected, plain }: { readonly selected: readonly SelectedRows[]; readonly plain: readonly RowsToScan[] },
): Promise<HitList> {
  const { trace } = read;
  const scanning = scanRows(read, search, tools, plain);
  if (trace == null) return scanning;
  return scanning.then(async (found) => {
    await noteScans(read, trace, search, selected, plain, found);
    return found;
  });
}

/** The hits of all queries one after the other, and only the views that they are in. */
async function hitRows(
  read: Read,
  { counts, stride, viewOf, rows, scores }: HitList,
  selected: readonly SelectedRows[],
): Promise<{ readonly list: RowList; readonly scores: Float32Array }> {
  const packed = withoutGaps(viewOf, counts, stride);
  const places = new Uint32Array(packed.length);
  const views: ChunkView[] = [];
  /** Of a view its place among `views`, + 1. */
  const placeOf = new Uint32Array(selected.length);
  const placing = inPieces(read, packed.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const view = packed[i]!;
      if (placeOf[view] === 0) placeOf[view] = views.push(selected[view]!.view);
      places[i] = placeOf[view]! - 1;
    }
  });
  if (placing !== null) await placing;
  const list = { views, viewOf: places, rows: withoutGaps(rows, counts, stride) };
  return { list, scores: withoutGaps(scores, counts, stride) };
}

/** The first `counts[q]` of every `stride` values, one query after the other. */
function withoutGaps<Values extends Uint32Array | Float32Array>(
  values: Values,
  counts: Uint32Array,
  stride: number,
): Values {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === counts.length * stride) return values;
  const packed = new (values.constructor as new (length: number) => Values)(total);
  let at = 0;
  for (let query = 0; query < counts.length; query++) {
    packed.set(values.subarray(query * stride, query * stride + counts[query]!), at);
    at += counts[query]!;
  }
  return packed;
}
