import type { Token } from './token.ts';
import type { Work } from './work.ts';

/** Runs of tokens that follow each other: shingle i is `bytes[starts[i] .. ends[i])`, in UTF-8. */
export interface Shingles {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Words that are written between two yields. */
const SLICE_WORDS = 8192;
/** Bytes that a UTF-16 unit takes at most. */
const UNIT_BYTES_MAX = 3;

/** Every run of `size` words, with a space between two; where there are fewer, all of them. */
export function* wordShingles(words: readonly Token[], size: number): Work<Shingles> {
  let room = 0;
  for (let at = 0; at < words.length; at++) {
    if (at % SLICE_WORDS === SLICE_WORDS - 1) yield;
    room += UNIT_BYTES_MAX * words[at]!.text.length + 1;
  }
  const bytes = Buffer.allocUnsafe(room);
  const begins = new Uint32Array(words.length);
  const ends = new Uint32Array(words.length);
  let used = 0;
  for (let at = 0; at < words.length; at++) {
    if (at % SLICE_WORDS === SLICE_WORDS - 1) yield;
    begins[at] = used;
    used += bytes.write(words[at]!.text, used);
    ends[at] = used;
    bytes[used++] = 0x20;
  }
  return runsOf(bytes, begins, ends, size);
}

/** Every run of `size` characters of a text in UTF-8; where there are fewer, all of it. */
export function charShingles(text: Uint8Array, size: number): Shingles {
  const begins = new Uint32Array(text.length);
  let characters = 0;
  for (let at = 0; at < text.length; at++) {
    const continues = (text[at]! & 0xc0) === 0x80;
    if (!continues) begins[characters++] = at;
  }
  const ends = new Uint32Array(characters);
  ends.set(begins.subarray(1, characters));
  if (characters > 0) ends[characters - 1] = text.length;
  return runsOf(text, begins.subarray(0, characters), ends, size);
}

function runsOf(bytes: Uint8Array, begins: Uint32Array, ends: Uint32Array, size: number): Shingles {
  const last = Math.min(size, begins.length) - 1;
  const count = Math.max(begins.length - last, 0);
  if (last < 0) return { bytes, starts: begins, ends };
  return { bytes, starts: begins.subarray(0, count), ends: ends.subarray(last, last + count) };
}
