import type { Random } from './random.ts';

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number };

/** What a disk writes whole, most of the time. */
const SECTOR_BYTES = 512;
/** How often a sector is torn in two nevertheless. */
const TORN_SECTOR_PROBABILITY = 0.05;

/** The bytes of a simulated file: as readers see them, as they are durable, and the changes between. */
export class SimulatedFile {
  view: Uint8Array = new Uint8Array(0);
  /** Unix milliseconds of the last change. */
  modifiedMs = 0;
  #durable: Uint8Array = new Uint8Array(0);
  /** In order, since the last sync. */
  #changes: Change[] = [];

  write(bytes: Uint8Array, position: number): void {
    const change: Change = { kind: 'write', position, bytes: bytes.slice() };
    this.view = applied(this.view, change);
    this.#changes.push(change);
  }

  truncate(length: number): void {
    const change: Change = { kind: 'truncate', length };
    this.view = applied(this.view, change);
    this.#changes.push(change);
  }

  settleAll(): void {
    for (const change of this.#changes) this.#durable = applied(this.#durable, change);
    this.#changes = [];
  }

  /**
   * Makes some of the changes durable and forgets the others: lengths in order, as a journal keeps them,
   * sectors in any order, some of them torn.
   */
  settleSome(random: Random): void {
    const lengthsUpTo = random.below(this.#changes.length + 1);
    const keepSector = random.float();
    for (const [index, change] of this.#changes.entries()) {
      if (change.kind === 'truncate') {
        if (index < lengthsUpTo) this.#durable = applied(this.#durable, change);
        continue;
      }
      for (const piece of sectorsOf(change.position, change.bytes)) {
        if (!random.chance(keepSector)) continue;
        const isTorn = random.chance(TORN_SECTOR_PROBABILITY);
        const bytes = isTorn ? piece.bytes.subarray(0, random.below(piece.bytes.length)) : piece.bytes;
        this.#durable = applied(this.#durable, { kind: 'write', position: piece.position, bytes });
      }
    }
    this.#changes = [];
  }

  /** The machine started anew: readers see what is durable. */
  forgetView(): void {
    this.view = this.#durable.slice();
  }

  flipBit(bit: number): void {
    const at = bit >> 3;
    for (const bytes of [this.view, this.#durable]) {
      if (at < bytes.length) bytes[at]! ^= 1 << (bit & 7);
    }
  }
}

/** A new array, so that what was handed out does not change. */
function applied(bytes: Uint8Array, change: Change): Uint8Array {
  const length =
    change.kind === 'truncate'
      ? change.length
      : Math.max(bytes.length, change.position + change.bytes.length);
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  if (change.kind === 'write') result.set(change.bytes, change.position);
  return result;
}

function* sectorsOf(position: number, bytes: Uint8Array): Generator<{ position: number; bytes: Uint8Array }> {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES));
    yield { position: position + at, bytes: bytes.subarray(at, end) };
    at = end;
  }
}
