import { SLICE_ITEMS, type Work } from './work.ts';

const SEED = (Math.random() * 2 ** 32) | 0;

/** Whether `bytes[start .. end)` are exactly `text`. */
export function equalBytes(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const { length } = text;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** Texts one behind the other: text i is `bytes[offsets[i] .. offsets[i + 1])`, in UTF-8. */
export interface PackedTexts {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** Writes texts one behind the other, in slices. */
export function* packingTexts(texts: readonly string[]): Work<PackedTexts> {
  const offsets = new Uint32Array(texts.length + 1);
  for (let at = 0; at < texts.length; at++) {
    if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    offsets[at + 1] = offsets[at]! + Buffer.byteLength(texts[at]!);
  }
  const bytes = Buffer.allocUnsafeSlow(offsets.at(-1)!);
  for (let at = 0; at < texts.length; at++) {
    if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    bytes.write(texts[at]!, offsets[at]!);
  }
  return { bytes, offsets };
}

/** Where in a list of texts a row's UTF-8 bytes are, without decoding them. */
export class TextIndex {
  readonly #texts: PackedTexts;
  readonly #firstSlot: number;
  /** Each place holds 0, or 1 more than the position of a text in the list. */
  readonly #places: Uint32Array;
  /** Of each text in the list: how many distinct ones stand before it. */
  readonly #ranks: Uint32Array;
  #size = 0;
  #bytesMin = Infinity;
  #bytesMax = -1;

  constructor(texts: PackedTexts, firstSlot: number) {
    const count = texts.offsets.length - 1;
    this.#texts = texts;
    this.#firstSlot = firstSlot;
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
    this.#ranks = new Uint32Array(count);
  }

  /** Distinct texts get the slots `firstSlot .. firstSlot + size` in the order of the list. Built in slices. */
  static *building(texts: readonly string[], firstSlot = 0): Work<TextIndex> {
    const index = new TextIndex(yield* packingTexts(texts), firstSlot);
    for (let at = 0; at < texts.length; at++) {
      if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
      index.add(at);
    }
    return index;
  }

  get size(): number {
    return this.#size;
  }

  /** -1 when the text is not in the list. */
  slotOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length < this.#bytesMin || length > this.#bytesMax) return -1;
    const position = this.#places[this.#placeOf(bytes, start, end)]!;
    return position === 0 ? -1 : this.#firstSlot + this.#ranks[position - 1]!;
  }

  /** Makes the text at `position` of the list known; whether it was not before. */
  add(position: number): boolean {
    const { bytes, offsets } = this.#texts;
    const [start, end] = [offsets[position]!, offsets[position + 1]!];
    const place = this.#placeOf(bytes, start, end);
    if (this.#places[place] !== 0) return false;
    this.#places[place] = position + 1;
    this.#ranks[position] = this.#size++;
    this.#bytesMin = Math.min(this.#bytesMin, end - start);
    this.#bytesMax = Math.max(this.#bytesMax, end - start);
    return true;
  }

  /** The place of the text, or the free one where it would be. */
  #placeOf(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#places.length - 1;
    let place = hashBytes(bytes, start, end) & mask;
    while (this.#places[place] !== 0 && !this.#isAt(this.#places[place]! - 1, bytes, start, end))
      place = (place + 1) & mask;
    return place;
  }

  #isAt(position: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { offsets, bytes: own } = this.#texts;
    const from = offsets[position]!;
    if (offsets[position + 1]! - from !== end - start) return false;
    for (let i = 0; i < end - start; i++) if (own[from + i] !== bytes[start + i]) return false;
    return true;
  }
}

function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
