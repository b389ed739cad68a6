/**
 * The few shapes of FlatBuffers that Arrow's metadata is made of, and their bytes. A parent is written before its
 * children, so that one pass suffices.
 */
export type FlatObject =
  | { readonly table: readonly FlatField[] }
  | { readonly text: string }
  | { readonly vector: readonly FlatObject[] }
  /** A vector of structures of `wordsEach` int64 each. */
  | { readonly words: readonly number[]; readonly wordsEach: number };

/** A field of a table in the order of its schema; `null`: left out, its default counts. */
export type FlatField =
  | null
  | { readonly int8: number }
  | { readonly int16: number }
  | { readonly int32: number }
  /** Up to 2^53. */
  | { readonly int64: number }
  | { readonly object: FlatObject };

/** The bytes of `root`, a table. Their length is a multiple of 8. */
export function encodeFlatBuffer(root: FlatObject): Uint8Array {
  const writer = new FlatWriter();
  writer.writeReference(root);
  return writer.finish();
}

const LITTLE_ENDIAN = true;

class FlatWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Takes four bytes here for where `object` is, and puts it somewhere behind. */
  writeReference(object: FlatObject): void {
    const at = this.#reserve(4);
    this.#refer(at, object);
  }

  finish(): Uint8Array {
    this.#alignTo(8, 0);
    return this.#bytes.slice(0, this.#length);
  }

  #refer(at: number, object: FlatObject): void {
    const target = this.#write(object);
    this.#view.setUint32(at, target - at, LITTLE_ENDIAN);
  }

  #write(object: FlatObject): number {
    if ('table' in object) return this.#writeTable(object.table);
    if ('text' in object) return this.#writeText(object.text);
    if ('words' in object) return this.#writeWords(object.words, object.wordsEach);
    return this.#writeVector(object.vector);
  }

  #writeTable(fields: readonly FlatField[]): number {
    const { offsets, bytes } = layOut(fields);
    this.#alignTo(2, 0);
    const tableOffsets = this.#reserve(4 + 2 * fields.length);
    // 4 beyond a multiple of 8: behind the table's first word its largest fields are aligned.
    this.#alignTo(8, 4);
    const table = this.#reserve(bytes);
    this.#view.setUint16(tableOffsets, 4 + 2 * fields.length, LITTLE_ENDIAN);
    this.#view.setUint16(tableOffsets + 2, bytes, LITTLE_ENDIAN);
    this.#view.setInt32(table, table - tableOffsets, LITTLE_ENDIAN);
    for (const [index, offset] of offsets.entries()) {
      this.#view.setUint16(tableOffsets + 4 + 2 * index, offset, LITTLE_ENDIAN);
      const field = fields[index]!;
      if (field !== null && !('object' in field)) this.#writeNumber(table + offset, field);
    }
    for (const [index, field] of fields.entries()) {
      if (field !== null && 'object' in field) this.#refer(table + offsets[index]!, field.object);
    }
    return table;
  }

  #writeNumber(at: number, field: Exclude<FlatField, null | { readonly object: FlatObject }>): void {
    if ('int8' in field) this.#view.setInt8(at, field.int8);
    else if ('int16' in field) this.#view.setInt16(at, field.int16, LITTLE_ENDIAN);
    else if ('int32' in field) this.#view.setInt32(at, field.int32, LITTLE_ENDIAN);
    else this.#view.setBigInt64(at, BigInt(field.int64), LITTLE_ENDIAN);
  }

  #writeText(text: string): number {
    const bytes = Buffer.from(text);
    this.#alignTo(4, 0);
    const at = this.#reserve(4 + bytes.length + 1);
    this.#view.setUint32(at, bytes.length, LITTLE_ENDIAN);
    this.#bytes.set(bytes, at + 4);
    return at;
  }

  #writeVector(objects: readonly FlatObject[]): number {
    this.#alignTo(4, 0);
    const at = this.#reserve(4 + 4 * objects.length);
    this.#view.setUint32(at, objects.length, LITTLE_ENDIAN);
    for (const [index, object] of objects.entries()) this.#refer(at + 4 + 4 * index, object);
    return at;
  }

  #writeWords(words: readonly number[], wordsEach: number): number {
    this.#alignTo(8, 4);
    const at = this.#reserve(4 + 8 * words.length);
    this.#view.setUint32(at, words.length / wordsEach, LITTLE_ENDIAN);
    for (const [index, word] of words.entries()) {
      this.#view.setBigInt64(at + 4 + 8 * index, BigInt(word), LITTLE_ENDIAN);
    }
    return at;
  }

  #alignTo(multiple: number, remainder: number): void {
    this.#reserve((multiple + remainder - (this.#length % multiple)) % multiple);
  }

  /** Zeros. */
  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Where each field of a table lies in it, 0 for those left out: largest first, so that there are no gaps. */
function layOut(fields: readonly FlatField[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  const offsets = new Array<number>(fields.length).fill(0);
  let bytes = 4;
  for (const size of [8, 4, 2, 1]) {
    for (const [index, field] of fields.entries()) {
      if (field === null || sizeOf(field) !== size) continue;
      offsets[index] = bytes;
      bytes += size;
    }
  }
  return { offsets, bytes };
}

function sizeOf(field: Exclude<FlatField, null>): number {
  if ('int8' in field) return 1;
  if ('int16' in field) return 2;
  return 'int64' in field ? 8 : 4;
}
