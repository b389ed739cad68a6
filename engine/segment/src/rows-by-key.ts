import { shapeBytesMax } from '@elanus/expr';
import { DataType, type FieldId, type Int64Column, type KeyColumn } from '@elanus/model';
import type { Chunk } from './chunk.ts';
import type { ReadTrace } from './explain/read-trace.ts';
import { isLongAt } from './filter/long-shapes.ts';
import { type MarkedView, scanOnThreads } from './filter/scan-on-threads.ts';
import { TextCosts } from './filter/text-costs.ts';
import { int64Order, wordsOf } from './key-order.ts';
import { type Read, takeTurns } from './read.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView } from './shard.ts';

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
  const found = new FoundRows();
  const others = new FoundRows();
  const { predicate } = read.selection ?? {};
  const texts = predicate === undefined ? null : new TextCosts(predicate.condition);
  const bytesMax = predicate === undefined ? NO_SHAPES : shapeBytesMax(predicate.condition);
  const order = keys.dataType === DataType.Int64 ? orderOfFew(keys) : null;
  for (let at = 0; at < keys.length; at++) {
    const key = order === null ? at : order[at]!;
    const isPieceEnd = at % KEYS_PER_PIECE === KEYS_PER_PIECE - 1;
    if (isPieceEnd || (texts !== null && read.share.isSpent())) await takeTurns(read);
    for (const shard of read.shards) {
      for (const location of shard.find(keys, key, read.scope)) {
        const chunk = shard.chunkAt(location);
        const row = location - chunk.firstLocation;
        const view = { shard, chunk, rows: chunk.visibleRows, live: null };
        const textCost = texts?.of(chunk, row, row + 1) ?? 0;
        if (textCost > TEST_NS_MAX || (bytesMax.size > 0 && isLongAt(chunk, row, bytesMax)))
          others.add(view, row);
        else if (isMatch(read, chunk, row)) found.add(view, row, key);
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
    if (isFound) found.add(view, row);
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

/** The places of a few keys in their order; `null`: they are too many. */
function orderOfFew(keys: Int64Column): Uint32Array | null {
  const { length } = keys;
  if (length > ORDERED_KEYS_MAX) return null;
  const isBefore = int64Order([keys]);
  const order = new Uint32Array(length);
  for (let next = 0; next < length; next++) {
    let at = next;
    for (; at > 0 && isBefore(0, next, 0, order[at - 1]!) < 0; at--) order[at] = order[at - 1]!;
    order[at] = next;
  }
  return order;
}

class FoundRows {
  readonly #views: ChunkView[] = [];
  readonly #numberOfChunk = new Map<Chunk, number>();
  readonly #seen = new Set<number>();
  readonly #viewOf: number[] = [];
  readonly #rows: number[] = [];
  /** The place of each row's key among those that were asked for. */
  readonly #keyOf: number[] = [];

  get count(): number {
    return this.#rows.length;
  }

  /** A key that is listed twice is found twice. */
  add(view: ChunkView, row: number, key = 0): void {
    let number = this.#numberOfChunk.get(view.chunk);
    if (number === undefined) {
      number = this.#views.push(view) - 1;
      this.#numberOfChunk.set(view.chunk, number);
    }
    const identity = number * 2 ** 32 + row;
    if (this.#seen.has(identity)) return;
    this.#seen.add(identity);
    this.#viewOf.push(number);
    this.#rows.push(row);
    this.#keyOf.push(key);
  }

  /** As `list`, of rows that were added in the order of their keys, which are these. */
  listOf(keys: Int64Column): RowList {
    const values = new BigInt64Array(this.#keyOf.length);
    const words = wordsOf(values);
    const asked = wordsOf(keys.values);
    for (const [i, key] of this.#keyOf.entries()) {
      words[2 * i] = asked[2 * key]!;
      words[2 * i + 1] = asked[2 * key + 1]!;
      // Of rows with the same key others know which comes first.
      if (i > 0 && words[2 * i] === words[2 * i - 2] && words[2 * i + 1] === words[2 * i - 1])
        return this.list();
    }
    return { ...this.list(), keys: { ...keys, length: values.length, values } };
  }

  list(): RowList {
    return { views: this.#views, viewOf: Uint32Array.from(this.#viewOf), rows: Uint32Array.from(this.#rows) };
  }
}
