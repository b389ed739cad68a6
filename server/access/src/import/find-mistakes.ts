import { MilvusError } from '@elanus/model';
import type { EncodedRows } from './unit-messages.ts';
import type { ReadRows, UnitReader } from './unit-reader.ts';

/** What is wrong with a row of a batch. */
export interface RowMistake {
  /** Of the batch. */
  readonly row: number;
  readonly reason: string;
}

/**
 * The rows of a batch that are wrong, in their order, `most` of them: what refuses a run of rows is found by halves, since
 * whoever checks many rows at once need not say which one it was.
 */
export async function findMistakes(
  { batch, rows }: ReadRows,
  reader: Pick<UnitReader, 'encode'>,
  { most, check }: { readonly most: number; readonly check: (encoded: EncodedRows) => Promise<void> },
): Promise<readonly RowMistake[]> {
  /** `null`: nothing is. */
  const wrongWith = async (from: number, to: number): Promise<string | null> => {
    const encoded = await reader.encode(batch, from, to);
    if (typeof encoded === 'string') return encoded;
    try {
      await check(encoded);
      return null;
    } catch (error) {
      if (error instanceof MilvusError) return error.message;
      throw error;
    }
  };
  const found: RowMistake[] = [];
  for (let from = 0; from < rows && found.length < most; ) {
    if ((await wrongWith(from, rows)) === null) break;
    let sound = from;
    let wrong = rows;
    while (wrong - sound > 1) {
      const middle = (sound + wrong) >>> 1;
      if ((await wrongWith(from, middle)) === null) sound = middle;
      else wrong = middle;
    }
    const reason = await wrongWith(sound, wrong);
    found.push({ row: sound, reason: alone(reason ?? 'the row and those before it do not go together') });
    from = wrong;
  }
  return found;
}

const PREFIX = 'fail to deal the insert data, error: ';

/** What is said of a single row without its number there, which is 0 always. */
function alone(reason: string): string {
  return reason.replace(PREFIX, '').replace(/^row 0:? /, '');
}
