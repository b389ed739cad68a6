import { assert, DataType, type KeyColumn } from '@elanus/model';
import { type KeyIndex, NO_ROW } from './key-index.ts';
import { wordsOf } from './key-order.ts';
import { ExtendibleKeyTables, LOCATION_WORD, SLOT_WORDS } from './key-table.ts';

/** Of a key so many bits are not hashed: keys of one group have slots beside each other, in one line of the processor's cache. */
const GROUP_BITS = 2;
const GROUP_MASK = 2 ** GROUP_BITS - 1;

/**
 * Keys of 64 bits, handled as two halves: a bigint per probe would cost more than the probe. Clients count their keys up
 * more often than not: four in a row are looked for in one place, and what those after the first cost is a third.
 */
export class Int64KeyIndex extends ExtendibleKeyTables implements KeyIndex {
  readonly #seed: number;

  constructor(seed: number) {
    super();
    this.#seed = seed;
  }

  put(keys: KeyColumn, start: number, end: number, firstLocation: number, replaced: Uint32Array): void {
    const halves = halvesOf(keys);
    for (let row = start; row < end; row++) {
      const low = halves[2 * row]!;
      const high = halves[2 * row + 1]!;
      replaced[row - start] = this.#putOne(low, high, firstLocation + row - start);
    }
  }

  find(keys: KeyColumn, row: number): number {
    if (this.size === 0) return NO_ROW;
    const halves = halvesOf(keys);
    const low = halves[2 * row]!;
    const high = halves[2 * row + 1]!;
    const hash = this.hashOfWords(low, high);
    const { words, mask } = this.tableOf(hash);
    const at = slotOf(words, mask, hash, low, high) * SLOT_WORDS;
    return (words[at + LOCATION_WORD]! - 1) >>> 0;
  }

  move(keys: KeyColumn, row: number, from: number, to: number): void {
    const halves = halvesOf(keys);
    const low = halves[2 * row]!;
    const high = halves[2 * row + 1]!;
    const hash = this.hashOfWords(low, high);
    const table = this.tableOf(hash);
    const slot = slotOf(table.words, table.mask, hash, low, high);
    const at = slot * SLOT_WORDS + LOCATION_WORD;
    if (table.words[at] === 0 || (table.words[at]! - 1) >>> 0 !== from) return;
    if (to === NO_ROW) this.removeSlot(table, slot);
    else table.words[at] = to + 1;
  }

  protected hashOfWords(low: number, high: number): number {
    let hash = Math.imul((low >>> GROUP_BITS) ^ this.#seed, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15) ^ high, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
    return (hash & ~GROUP_MASK) | (low & GROUP_MASK);
  }

  #putOne(low: number, high: number, location: number): number {
    const hash = this.hashOfWords(low, high);
    const { words, mask } = this.tableOf(hash);
    const at = slotOf(words, mask, hash, low, high) * SLOT_WORDS + LOCATION_WORD;
    const before = words[at]!;
    if (before === 0) {
      this.insert(hash, low, high, location);
      return NO_ROW;
    }
    words[at] = location + 1;
    return (before - 1) >>> 0;
  }
}

/** The key's slot, or the free one where its search ends. */
function slotOf(words: Int32Array, mask: number, hash: number, low: number, high: number): number {
  let slot = hash & mask;
  while (true) {
    const at = slot * SLOT_WORDS;
    if (words[at + LOCATION_WORD] === 0) return slot;
    if (words[at] === low && words[at + 1] === high) return slot;
    slot = (slot + 1) & mask;
  }
}

/** The keys as 32-bit words, low half first. */
function halvesOf(keys: KeyColumn): Int32Array {
  assert(keys.dataType === DataType.Int64, 'an int64 index is asked for int64 keys');
  return wordsOf(keys.values);
}
