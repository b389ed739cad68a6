import { shapeBytesMax } from '@elanus/expr';
import { DataType, type FieldId, type Int64Column, type KeyColumn } from '@elanus/model';
import type { Chunk } from './chunk.ts';
import type { ReadTrace } from './explain/read-trace.ts';
import { isLongAt } from './filter/long-shapes.ts';
import { type MarkedView, scanOnThreads } from './filter/scan-on-threads.ts';
import { TextCosts } from './filter/text-costs.ts';
import { int64Order } from './key-order.ts';
import { type Read, takeTurns } from './read.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView, Shard } from './shard.ts';

const NO_SHAPES: ReadonlyMap<FieldId, number> = new Map();

/** A test that may take longer is for other threads. */
const TEST_NS_MAX = 1_000_000;

/** Keys looked up between two looks at the clock. */
const KEYS_PER_PIECE = 256;

/** Up to so many numbers are looked up in their order, which is then that of the rows. */
const ORDERED_KEYS_MAX = 32;

/**
 * The rows that the read may see with one of `keys` and that its filter takes; each once, in the order of their keys when it
 * says those, otherwise in none.
 */
export async function rowsByKey(read: Read, keys: KeyColumn): Promise<RowList> {
  const { predicate } = read.selection ?? {};
  const texts = predicate === undefined ? null : new TextCosts(predicate.condition);
  const bytesMax = predicate === undefined ? NO_SHAPES : shapeBytesMax(predicate.condition);
  const order = keys.dataType === DataType.Int64 ? orderOfFew(keys) : null;
  const keysAre = order === null ? 'any' : 'distinct';
  const found = new FoundRows(keysAre);
  const others = new FoundRows(keysAre);
  const count = order?.length ?? keys.length;
  for (let at = 0; at < count; at++) {
    const key = order === null ? at : order[at]!;
    const isPieceEnd = at % KEYS_PER_PIECE === KEYS_PER_PIECE - 1;
    if (isPieceEnd || (texts !== null && read.share.isSpent())) await takeTurns(read);
    for (const shard of read.shards) {
      for (const location of shard.find(keys, key, read.scope)) {
        const chunk = shard.chunkAt(location);
        const row = location - chunk.firstLocation;
        const textCost = texts?.of(chunk, row, row + 1) ?? 0;
        if (textCost > TEST_NS_MAX || (bytesMax.size > 0 && isLongAt(chunk, row, bytesMax)))
          others.add(shard, chunk, row);
        else if (isMatch(read, chunk, row)) found.add(shard, chunk, row, key);
      }
    }
  }
  if (texts !== null) await testElsewhere(read, others.list(), texts, found);
  const list = order === null || others.count > 0 ? found.list() : found.listOf(keys as Int64Column);
  if (read.trace != null) noteKeys(read.trace, list);
  return list;
}

/** Tests rows that may take long, and adds those that match. */
async function testElsewhere(
  read: Read,
  { views, viewOf, rows }: RowList,
  texts: TextCosts,
  found: FoundRows,
): Promise<void> {
  const { predicate, matches } = read.selection ?? {};
  if (views.length === 0 || predicate === undefined || matches == null) return;
  const marked: MarkedView[] = views.map((view) => ({ view, marked: new Uint8Array((view.rows + 7) >> 3) }));
  for (const [i, row] of rows.entries()) marked[viewOf[i]!]!.marked![row >> 3]! |= 1 << (row & 7);
  const tools = read.filters;
  const search =
    tools === undefined ? null : { filter: matches, predicate, tools, areLong: true, costOfTest: 0, texts };
  const answers = search === null ? null : await scanOnThreads(read, marked, search);
  for (const [i, row] of rows.entries()) {
    const view = views[viewOf[i]!]!;
    if (answers === null) await takeTurns(read);
    const isFound =
      answers === null
        ? isMatch(read, view.chunk, row)
        : ((answers[viewOf[i]!]!.allowed[row >> 3]! >> (row & 7)) & 1) === 1;
    if (isFound) found.add(view.shard, view.chunk, row);
  }
}

function noteKeys(trace: ReadTrace, { views, viewOf }: RowList): void {
  trace.noteWay(views, 'primary keys');
  for (const view of viewOf) trace.filters.get(views[view]!)!.matched += 1;
  trace.stages.lap('filter');
}

const match = new Uint8Array(1);

function isMatch(read: Read, chunk: Chunk, row: number): boolean {
  const matches = read.selection?.matches ?? null;
  if (matches === null) return true;
  matches(chunk, row, row + 1, match);
  return match[0] === 1;
}

/** The places of a few keys in their order, of equal ones the first; `null`: they are too many. */
function orderOfFew(keys: Int64Column): readonly number[] | null {
  const { length } = keys;
  if (length > ORDERED_KEYS_MAX) return null;
  const compare = int64Order([keys]);
  const order: number[] = [];
  for (let next = 0; next < length; next++) {
    let at = order.length;
    while (at > 0 && compare(0, next, 0, order[at - 1]!) < 0) at--;
    if (at > 0 && compare(0, next, 0, order[at - 1]!) === 0) continue;
    for (let behind = order.length; behind > at; behind--) order[behind] = order[behind - 1]!;
    order[at] = next;
  }
  return order;
}

class FoundRows {
  readonly #views: ChunkView[] = [];
  readonly #numberOfChunk = new Map<Chunk, number>();
  readonly #viewOf: number[] = [];
  readonly #rows: number[] = [];
  /** The place of each row's key among those that were asked for. */
  readonly #keyOf: number[] = [];
  /** `null`: no key is asked for twice. */
  readonly #seen: Set<number> | null;

  constructor(keysAre: 'distinct' | 'any') {
    this.#seen = keysAre === 'any' ? new Set() : null;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** A key that is listed twice is found twice. */
  add(shard: Shard, chunk: Chunk, row: number, key = 0): void {
    const number = this.#numberOf(shard, chunk);
    if (this.#seen !== null) {
      const identity = number * 2 ** 32 + row;
      if (this.#seen.has(identity)) return;
      this.#seen.add(identity);
    }
    this.#viewOf.push(number);
    this.#rows.push(row);
    this.#keyOf.push(key);
  }

  #numberOf(shard: Shard, chunk: Chunk): number {
    const last = this.#views.length - 1;
    if (last >= 0 && this.#views[last]!.chunk === chunk) return last;
    let number = this.#numberOfChunk.get(chunk);
    if (number === undefined) {
      number = this.#views.push({ shard, chunk, rows: chunk.visibleRows, live: null }) - 1;
      this.#numberOfChunk.set(chunk, number);
    }
    return number;
  }

  /** As `list`, of rows that were added in the order of their keys, which are these. */
  listOf(keys: Int64Column): RowList {
    const values = new BigInt64Array(this.#keyOf.length);
    for (let i = 0; i < values.length; i++) {
      // Of rows with the same key others know which comes first.
      if (i > 0 && this.#keyOf[i] === this.#keyOf[i - 1]) return this.list();
      values[i] = keys.values[this.#keyOf[i]!]!;
    }
    return { ...this.list(), keys: { ...keys, length: values.length, values } };
  }

  list(): RowList {
    return { views: this.#views, viewOf: Uint32Array.from(this.#viewOf), rows: Uint32Array.from(this.#rows) };
  }
}
