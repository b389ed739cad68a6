/** Arrays of numbers in JSON texts, which vectors are: read where they lie, before somebody reads the rest. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadNative } from './native.ts';

/** Shorter arrays are left to whoever reads the text. */
const NUMBERS_MIN = 8;
const WORDS_OF_RUN = 4;
/** Commas and brackets of so many bytes are counted in well under a millisecond. */
const COUNTED_BYTES = 4 * 1024 * 1024;

/** The arrays of at least eight numbers, and nothing else, in a text, in their order. */
export interface NumberRuns {
  readonly count: number;
  /** Of each the place of its bracket, the byte behind it, the place of its first number, and how many it has. */
  readonly words: Uint32Array;
  /** Each the double nearest to its digits. */
  readonly numbers: Float64Array;
}

/**
 * Finds them on the calling thread, about 30 ns a number. Arrays with integers of more than 15 digits, which doubles may not
 * hold, or with numbers beyond all doubles are left out. Of what is no JSON some arrays may be found, too: each is one.
 */
export function findNumberRuns(json: Uint8Array): NumberRuns {
  const { words, numbers } = roomFor(json, added(NO_COUNTS, json));
  const count = words.length === 0 ? 0 : loadNative().numberRuns(json, NUMBERS_MIN, words, numbers);
  return { count, words, numbers };
}

/** As `findNumberRuns`, on another thread but for a look at the bytes, some at a time; `json` must not change meanwhile. */
export async function findNumberRunsAside(json: Uint8Array): Promise<NumberRuns> {
  let counts = NO_COUNTS;
  for (let at = 0; at < json.length; at += COUNTED_BYTES) {
    if (at > 0) await nextTurn();
    counts = added(counts, json.subarray(at, at + COUNTED_BYTES));
  }
  const { words, numbers } = roomFor(json, counts);
  const count =
    words.length === 0 ? 0 : await loadNative().startNumberRuns(NUMBERS_MIN, [json, words, numbers]);
  return { count, words, numbers };
}

interface Counts {
  readonly numbers: number;
  readonly arrays: number;
}

const NO_COUNTS: Counts = { numbers: 0, arrays: 0 };

function added({ numbers, arrays }: Counts, json: Uint8Array): Counts {
  const counts = new Uint32Array(2);
  loadNative().countNumbers(json, counts);
  return { numbers: numbers + counts[0]!, arrays: arrays + counts[1]! };
}

/** At most four times the text. */
function roomFor(
  json: Uint8Array,
  { numbers, arrays }: Counts,
): { readonly words: Uint32Array; readonly numbers: Float64Array } {
  // A number takes a byte and its comma.
  const runs = Math.min(arrays, Math.floor(json.length / (2 * NUMBERS_MIN)));
  const room = runs === 0 ? 0 : Math.min(numbers, Math.ceil(json.length / 2));
  // Whatever is read of it was written before: zeros would take a millisecond for each four mebibytes.
  const memory = Buffer.allocUnsafeSlow(Float64Array.BYTES_PER_ELEMENT * room).buffer;
  return { words: new Uint32Array(WORDS_OF_RUN * runs), numbers: new Float64Array(memory) };
}
