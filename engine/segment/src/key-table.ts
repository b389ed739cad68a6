/** Words of a slot: two that identify the key, and its location + 1 (0: the slot is free). */
export const SLOT_WORDS = 3;
export const LOCATION_WORD = 2;

const SLOTS_MIN = 16;
const SLOTS_MAX = 2048;
/** Beyond this depth tables grow instead of splitting: only keys made to collide get there. */
const DEPTH_MAX = 18;

/** Open addressing over at most 3/4 of its slots; a key's search begins at the low bits of its hash. */
export interface KeyTable {
  readonly words: Int32Array<ArrayBuffer>;
  /** Slots - 1; slots are a power of two. */
  readonly mask: number;
  /** Leading bits of the hash that all keys of this table share. */
  readonly depth: number;
  used: number;
}

function newTable(slots: number, depth: number): KeyTable {
  return { words: new Int32Array(slots * SLOT_WORDS), mask: slots - 1, depth, used: 0 };
}

/**
 * Extendible hashing: a directory indexed by the leading bits of the hash points to small tables. A full
 * table doubles up to 2048 slots, then splits in two by one more bit, so no insert ever moves more than
 * one small table, and a small index stays small. Tables that have lost their last key are small again.
 */
export abstract class ExtendibleKeyTables {
  #directory: KeyTable[] = [newTable(SLOTS_MIN, 0)];
  /** The directory has 2^depth entries. */
  #depth = 0;
  #byteLength = SLOTS_MIN * SLOT_WORDS * 4;
  #size = 0;

  get byteLength(): number {
    return this.#byteLength + 8 * this.#directory.length;
  }

  get size(): number {
    return this.#size;
  }

  /** The hash of a key from the two words that identify it. */
  protected abstract hashOfWords(first: number, second: number): number;

  /** Where a key of this hash is, if it is anywhere. Valid until the next `insert`. */
  protected tableOf(hash: number): KeyTable {
    return this.#directory[(hash >>> 1) >>> (31 - this.#depth)]!;
  }

  /** Adds a key that is known not to be there. */
  protected insert(hash: number, first: number, second: number, location: number): void {
    let table = this.tableOf(hash);
    while (4 * table.used >= 3 * (table.mask + 1)) {
      this.#makeRoom(table, hash);
      table = this.tableOf(hash);
    }
    insertFresh(table, hash, first, second, location + 1);
    this.#size += 1;
  }

  /** Frees a slot and closes the gap that it would leave in the runs of keys behind it. The table may be another one then. */
  protected removeSlot(table: KeyTable, slot: number): void {
    const { words, mask } = table;
    const hash = this.hashOfWords(words[slot * SLOT_WORDS]!, words[slot * SLOT_WORDS + 1]!);
    let gap = slot;
    for (
      let next = (gap + 1) & mask;
      words[next * SLOT_WORDS + LOCATION_WORD] !== 0;
      next = (next + 1) & mask
    ) {
      const at = next * SLOT_WORDS;
      const home = this.hashOfWords(words[at]!, words[at + 1]!) & mask;
      const isBetween = ((next - home) & mask) < ((next - gap) & mask);
      if (isBetween) continue;
      words.copyWithin(gap * SLOT_WORDS, at, at + SLOT_WORDS);
      gap = next;
    }
    words.fill(0, gap * SLOT_WORDS, (gap + 1) * SLOT_WORDS);
    table.used -= 1;
    this.#size -= 1;
    if (this.#size === 0) this.#reset();
    else if (table.used === 0 && table.mask + 1 > SLOTS_MIN) this.#shrink(table, hash);
  }

  #reset(): void {
    const table = newTable(SLOTS_MIN, 0);
    this.#directory = [table];
    this.#depth = 0;
    this.#byteLength = table.words.byteLength;
  }

  #shrink(table: KeyTable, hash: number): void {
    const small = newTable(SLOTS_MIN, table.depth);
    this.#byteLength -= table.words.byteLength - small.words.byteLength;
    this.#point(hash, table.depth, small);
  }

  #makeRoom(table: KeyTable, hash: number): void {
    const slots = table.mask + 1;
    if (slots < SLOTS_MAX || table.depth >= DEPTH_MAX) this.#grow(table, hash);
    else this.#split(table, hash);
  }

  #grow(table: KeyTable, hash: number): void {
    const grown = newTable(2 * (table.mask + 1), table.depth);
    this.#byteLength += grown.words.byteLength - table.words.byteLength;
    this.#refill(table, () => grown);
    this.#point(hash, table.depth, grown);
  }

  #split(table: KeyTable, hash: number): void {
    const depth = table.depth + 1;
    if (depth > this.#depth) {
      this.#directory = this.#directory.flatMap((entry) => [entry, entry]);
      this.#depth += 1;
    }
    const bit = 32 - depth;
    const low = newTable(table.mask + 1, depth);
    const high = newTable(table.mask + 1, depth);
    this.#byteLength += table.words.byteLength;
    this.#refill(table, (h) => ((h >>> bit) & 1 ? high : low));
    this.#point(hash & ~(1 << bit), depth, low);
    this.#point(hash | (1 << bit), depth, high);
  }

  /** Moves all keys to other tables and gives the memory back: the collector would come for it when much is lying about. */
  #refill(from: KeyTable, target: (hash: number) => KeyTable): void {
    const { words } = from;
    for (let at = 0; at < words.length; at += SLOT_WORDS) {
      const location = words[at + LOCATION_WORD]!;
      if (location === 0) continue;
      const hash = this.hashOfWords(words[at]!, words[at + 1]!);
      insertFresh(target(hash), hash, words[at]!, words[at + 1]!, location);
    }
    words.buffer.transfer(0);
  }

  /** Directs all hashes whose first `depth` bits are those of `hash` to `table`. */
  #point(hash: number, depth: number, table: KeyTable): void {
    const entries = 2 ** (this.#depth - depth);
    const first = ((hash >>> 1) >>> (31 - depth)) * entries;
    this.#directory.fill(table, first, first + entries);
  }
}

function insertFresh(
  table: KeyTable,
  hash: number,
  first: number,
  second: number,
  locationWord: number,
): void {
  const { words, mask } = table;
  let slot = hash & mask;
  while (words[slot * SLOT_WORDS + LOCATION_WORD] !== 0) slot = (slot + 1) & mask;
  const at = slot * SLOT_WORDS;
  words[at] = first;
  words[at + 1] = second;
  words[at + LOCATION_WORD] = locationWord;
  table.used += 1;
}
