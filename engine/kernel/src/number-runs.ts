/** Arrays of numbers in JSON texts, which vectors are: read where they lie, before somebody reads the rest. */
import { loadNative } from './native.ts';

/** Shorter arrays are left to whoever reads the text. */
const NUMBERS_MIN = 8;
const WORDS_OF_RUN = 4;

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
  const { words, numbers } = roomFor(json);
  const count = words.length === 0 ? 0 : loadNative().numberRuns(json, NUMBERS_MIN, words, numbers);
  return { count, words, numbers };
}

/** As `findNumberRuns`, on another thread; `json` must not change meanwhile. */
export async function findNumberRunsAside(json: Uint8Array): Promise<NumberRuns> {
  const { words, numbers } = roomFor(json);
  const count =
    words.length === 0 ? 0 : await loadNative().startNumberRuns(NUMBERS_MIN, [json, words, numbers]);
  return { count, words, numbers };
}

/** At most four times the text. */
function roomFor(json: Uint8Array): { readonly words: Uint32Array; readonly numbers: Float64Array } {
  const counts = new Uint32Array(2);
  loadNative().countNumbers(json, counts);
  const [numbers, arrays] = counts as unknown as [number, number];
  // A number takes a byte and its comma.
  const runs = Math.min(arrays, Math.floor(json.length / (2 * NUMBERS_MIN)));
  const room = runs === 0 ? 0 : Math.min(numbers, Math.ceil(json.length / 2));
  return { words: new Uint32Array(WORDS_OF_RUN * runs), numbers: new Float64Array(room) };
}
