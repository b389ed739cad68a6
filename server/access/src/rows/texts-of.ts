/** Texts in UTF-8, one after the other: text i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface TextRuns {
  readonly length: number;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** The texts as strings; a null is an empty one. */
export function textsOf({ length, offsets, bytes }: TextRuns): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length }, (_, at) => buffer.toString('utf8', offsets[at], offsets[at + 1]));
}
