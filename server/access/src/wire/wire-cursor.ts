/** Bytes that are not the protocol buffer they should be. Stays inside access/wire: its users tell clients more. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export const WIRE_TYPE = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

const EMPTY = new Uint8Array(0);
const VARINT_BYTES_MAX = 10;

/** Reads the members of one protocol buffer message. Every method throws WireError instead of leaving the bytes. */
export class WireCursor {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The low 32 bits of a varint, unsigned. */
  uint32(): number {
    const bytes = this.bytes;
    let value = 0;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new WireError('a number is cut off');
      if (count < 5) value |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) return value >>> 0;
    }
    throw new WireError('a number is longer than ten bytes');
  }

  /** A varint as signed 64-bit integer. */
  int64(): bigint {
    const bytes = this.bytes;
    let value = 0n;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new WireError('a number is cut off');
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new WireError('a number is longer than ten bytes');
  }

  /** The length of a length-delimited member that lies within the bytes. */
  length(): number {
    const length = this.uint32();
    if (length > this.bytes.length - this.at) throw new WireError('a member is cut off');
    return length;
  }

  /** A view of a length-delimited member. */
  view(): Uint8Array {
    const length = this.length();
    if (length === 0) return EMPTY;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    const view = this.view();
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('utf8');
  }

  /** Passes over the value of a member, groups included. */
  skip(tag: number): void {
    let depth = 0;
    let wireType = tag & 7;
    for (;;) {
      if (wireType === WIRE_TYPE.groupStart) depth += 1;
      else if (wireType === WIRE_TYPE.groupEnd) depth -= 1;
      else this.#skipValue(wireType);
      if (depth < 0) throw new WireError('a group ends that has not begun');
      if (depth === 0) return;
      wireType = this.uint32() & 7;
    }
  }

  #skipValue(wireType: number): void {
    if (wireType === WIRE_TYPE.varint) this.uint32();
    else if (wireType === WIRE_TYPE.bytes) this.view();
    else if (wireType === WIRE_TYPE.fixed64) this.at += 8;
    else if (wireType === WIRE_TYPE.fixed32) this.at += 4;
    else throw new WireError(`unknown wire type ${wireType}`);
    if (this.at > this.bytes.length) throw new WireError('a member is cut off');
  }
}

/** The tag of member `number` with a wire type. */
export function tagOf(number: number, wireType: number): number {
  return ((number << 3) | wireType) >>> 0;
}

/**
 * Bytes one after the other. What is added once stays a view; what is added in pieces is copied together.
 * Two encodings of a message one after the other are, by the format's own rule, the two merged: this is how
 * members that come in pieces are read.
 */
export class Concatenation {
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  #isOwned = false;

  add(view: Uint8Array): void {
    if (view.length === 0) return;
    if (this.#length === 0) {
      this.#bytes = view;
      this.#isOwned = false;
    } else {
      this.#reserve(this.#length + view.length);
      this.#bytes.set(view, this.#length);
    }
    this.#length += view.length;
  }

  clear(): void {
    this.#bytes = EMPTY;
    this.#length = 0;
    this.#isOwned = false;
  }

  get bytes(): Uint8Array {
    return this.#bytes.length === this.#length ? this.#bytes : this.#bytes.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    if (this.#isOwned && this.#bytes.length >= length) return;
    const larger = new Uint8Array(Math.max(64, 2 * length));
    larger.set(this.bytes);
    this.#bytes = larger;
    this.#isOwned = true;
  }
}
