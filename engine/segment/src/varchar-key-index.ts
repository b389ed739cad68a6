import { assert, DataType, type KeyColumn, type VarCharColumn } from '@elanus/model';
import { type KeyIndex, type KeyReader, NO_ROW } from './key-index.ts';
import { ExtendibleKeyTables, type KeyTable, LOCATION_WORD, SLOT_WORDS } from './key-table.ts';

/** Keys of text: a slot holds hash and length, the bytes are compared where the row is. */
export class VarCharKeyIndex extends ExtendibleKeyTables implements KeyIndex {
  readonly #reader: KeyReader;
  readonly #seed: number;

  constructor(reader: KeyReader, seed: number) {
    super();
    this.#reader = reader;
    this.#seed = seed;
  }

  put(keys: KeyColumn, start: number, end: number, firstLocation: number, replaced: Uint32Array): void {
    const texts = textsOf(keys);
    for (let row = start; row < end; row++)
      replaced[row - start] = this.#putOne(texts, row, firstLocation + row - start);
  }

  find(keys: KeyColumn, row: number): number {
    const texts = textsOf(keys);
    const hash = this.#hashOf(texts, row);
    const table = this.tableOf(hash);
    return (table.words[this.#slotOf(table, hash, texts, row) * SLOT_WORDS + LOCATION_WORD]! - 1) >>> 0;
  }

  move(keys: KeyColumn, row: number, from: number, to: number): void {
    const texts = textsOf(keys);
    const hash = this.#hashOf(texts, row);
    const table = this.tableOf(hash);
    const slot = this.#slotOf(table, hash, texts, row);
    const at = slot * SLOT_WORDS + LOCATION_WORD;
    if (table.words[at] === 0 || (table.words[at]! - 1) >>> 0 !== from) return;
    if (to === NO_ROW) this.removeSlot(table, slot);
    else table.words[at] = to + 1;
  }

  protected hashOfWords(hash: number): number {
    return hash;
  }

  #putOne(texts: VarCharColumn, row: number, location: number): number {
    const hash = this.#hashOf(texts, row);
    const table = this.tableOf(hash);
    const at = this.#slotOf(table, hash, texts, row) * SLOT_WORDS + LOCATION_WORD;
    const before = table.words[at]!;
    if (before === 0) {
      this.insert(hash, hash, texts.offsets[row + 1]! - texts.offsets[row]!, location);
      return NO_ROW;
    }
    table.words[at] = location + 1;
    return (before - 1) >>> 0;
  }

  /** The key's slot, or the free one where its search ends. */
  #slotOf({ words, mask }: KeyTable, hash: number, { offsets, bytes }: VarCharColumn, row: number): number {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    let slot = hash & mask;
    while (true) {
      const at = slot * SLOT_WORDS;
      const location = words[at + LOCATION_WORD]!;
      if (location === 0) return slot;
      const mayBeSame = words[at] === hash && words[at + 1] === end - start;
      if (mayBeSame && this.#reader.isTextAt((location - 1) >>> 0, bytes, start, end)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #hashOf({ offsets, bytes }: VarCharColumn, row: number): number {
    const end = offsets[row + 1]!;
    let hash = this.#seed;
    for (let at = offsets[row]!; at < end; at++) {
      hash = Math.imul(hash ^ bytes[at]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b);
    return hash ^ (hash >>> 16);
  }
}

function textsOf(keys: KeyColumn): VarCharColumn {
  assert(keys.dataType === DataType.VarChar, 'a text index is asked for text keys');
  return keys;
}
