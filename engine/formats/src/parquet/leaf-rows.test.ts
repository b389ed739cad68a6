import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SchemaTree } from 'hyparquet';
import { FormatError } from '../byte-source.ts';
import { NumberListRows } from './leaf-rows.ts';

const node = (repetition_type: string) => ({ element: { repetition_type } }) as unknown as SchemaTree;
/** A list that may be missing, of numbers that may not. */
const PATH = [node('REQUIRED'), node('OPTIONAL'), node('REPEATED'), node('REQUIRED')];
const [MISSING, EMPTY, ELEMENT] = [0, 1, 2];

type Row = readonly number[] | null;

/** One level for each element, and for each row without any. */
function levelsOf(rows: readonly Row[]): readonly (readonly [repetition: number, definition: number])[] {
  return rows.flatMap((row): (readonly [number, number])[] => {
    if (row === null) return [[0, MISSING]];
    if (row.length === 0) return [[0, EMPTY]];
    return row.map((_, at) => [at === 0 ? 0 : 1, ELEMENT]);
  });
}

describe('lists of numbers', () => {
  it('are the rows that were written, wherever pages and batches end', () => {
    const row = fc.oneof(
      { weight: 6, arbitrary: fc.array(fc.nat(1000), { minLength: 1, maxLength: 5 }) },
      fc.constant([] as number[]),
      fc.constant(null),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 30 }),
        sizes,
        fc.integer({ min: 1, max: 9 }),
        (rows, pages, batch) => {
          const levels = levelsOf(rows);
          const numbers = rows.flatMap((one) => one ?? []);
          const lists = new NumberListRows(PATH);
          for (let at = 0, value = 0, page = 0; at < levels.length; page++) {
            const own = levels.slice(at, at + pages[page % pages.length]!);
            at += own.length;
            const count = own.filter(([, definition]) => definition === ELEMENT).length;
            lists.add({
              values: Float32Array.from(numbers.slice(value, value + count)),
              // Of a page with nothing but elements nobody reads these levels.
              definitionLevels:
                count === own.length ? null : Uint8Array.from(own, ([, definition]) => definition),
              repetitionLevels: Uint8Array.from(own, ([repetition]) => repetition),
            });
            value += count;
          }
          lists.end();
          assert.equal(lists.rows, rows.length);
          const found: Row[] = [];
          while (lists.rows > 0) {
            const count = Math.min(batch, lists.rows);
            const taken = lists.take(count);
            for (let at = 0; at < count; at++) {
              const list = [...taken.numbers.subarray(taken.offsets[at], taken.offsets[at + 1])].map(Number);
              found.push(taken.nulls?.[at] === 1 ? null : list);
            }
          }
          assert.deepEqual(found, rows);
        },
      ),
    );
  });

  it('that begin within a row are damaged', () => {
    for (const definitionLevels of [null, Uint8Array.of(ELEMENT)])
      assert.throws(
        () =>
          new NumberListRows(PATH).add({
            values: Float32Array.of(1),
            definitionLevels,
            repetitionLevels: Uint8Array.of(1),
          }),
        FormatError,
      );
  });
});
