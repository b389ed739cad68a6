const SEED = (Math.random() * 2 ** 32) | 0;

/** Whether `bytes[start .. end)` are exactly `text`. */
export function equalBytes(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  const { length } = text;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] !== text[i]) return false;
  return true;
}

/** Where in a list of texts a row's UTF-8 bytes are, without decoding them. */
export class TextIndex {
  readonly #slotsByHash = new Map<number, number[]>();
  readonly #texts: Uint8Array[] = [];
  readonly #firstSlot: number;
  #bytesMin = Infinity;
  #bytesMax = -1;

  /** Distinct texts get the slots `firstSlot .. firstSlot + size` in the order of the list. */
  constructor(texts: readonly string[], firstSlot = 0) {
    this.#firstSlot = firstSlot;
    for (const text of texts) this.#add(Buffer.from(text));
  }

  get size(): number {
    return this.#texts.length;
  }

  /** -1 when the text is not in the list. */
  slotOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length < this.#bytesMin || length > this.#bytesMax) return -1;
    const candidates = this.#slotsByHash.get(hashBytes(bytes, start, end));
    if (candidates === undefined) return -1;
    for (const candidate of candidates)
      if (equalBytes(bytes, start, end, this.#texts[candidate]!)) return this.#firstSlot + candidate;
    return -1;
  }

  #add(text: Uint8Array): void {
    if (this.slotOf(text, 0, text.length) >= 0) return;
    const hash = hashBytes(text, 0, text.length);
    const slots = this.#slotsByHash.get(hash);
    if (slots === undefined) this.#slotsByHash.set(hash, [this.#texts.length]);
    else slots.push(this.#texts.length);
    this.#texts.push(text);
    this.#bytesMin = Math.min(this.#bytesMin, text.length);
    this.#bytesMax = Math.max(this.#bytesMax, text.length);
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
