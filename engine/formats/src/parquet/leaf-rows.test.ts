import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { SchemaTree } from 'hyparquet';
import { FormatError } from '../byte-source.ts';
import type { LeafPage } from './leaf-page.ts';
import { NumberListRows } from './leaf-rows.ts';

const node = (repetition_type: string) => ({ element: { repetition_type } }) as unknown as SchemaTree;
/** A list that may be missing, of numbers that may not. */
const PATH = [node('REQUIRED'), node('OPTIONAL'), node('REPEATED'), node('REQUIRED')];
const [MISSING, EMPTY, ELEMENT] = [0, 1, 2];

type Row = readonly number[] | null;

/** A page as a file would have it: floats as bytes that begin anywhere, or decoded. */
function pageOf(
  numbers: readonly number[],
  levels: {
    readonly repetition: readonly number[];
    readonly definition: readonly number[] | null;
    readonly areBytes: boolean;
    readonly released?: () => void;
  },
): LeafPage {
  const values = Float32Array.from(numbers);
  const bytes = new Uint8Array(1 + values.byteLength).subarray(1);
  bytes.set(new Uint8Array(values.buffer));
  const starts = levels.repetition.flatMap((level, at) => (level === 0 ? [at] : []));
  return {
    count: levels.repetition.length,
    definitionLevels: levels.definition === null ? null : Uint8Array.from(levels.definition),
    repetitionLevels: () => Uint8Array.from(levels.repetition),
    rowStarts: () => Uint32Array.from(starts),
    values: () => values,
    floatBytes: () => (levels.areBytes ? bytes : null),
    release: () => {
      bytes.fill(0xff);
      levels.released?.();
    },
  };
}

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
        fc.boolean(),
        (rows, pages, batch, areBytes) => {
          const levels = levelsOf(rows);
          const numbers = rows.flatMap((one) => one ?? []);
          const lists = new NumberListRows(PATH);
          let [made, released] = [0, 0];
          for (let at = 0, value = 0, page = 0; at < levels.length; page++) {
            const own = levels.slice(at, at + pages[page % pages.length]!);
            at += own.length;
            const count = own.filter(([, definition]) => definition === ELEMENT).length;
            made += 1;
            lists.add(
              pageOf(numbers.slice(value, value + count), {
                // Of a page with nothing but elements nobody reads these levels.
                definition: count === own.length ? null : own.map(([, definition]) => definition),
                repetition: own.map(([repetition]) => repetition),
                areBytes,
                released: () => {
                  released += 1;
                },
              }),
            );
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
          assert.ok(released <= (areBytes ? made : 0), 'memory of pages is given back once');
        },
      ),
    );
  });

  it('of float32 lie where they are wanted, others elsewhere', () => {
    const memory = { take: (bytes: number) => new Uint8Array(new SharedArrayBuffer(bytes)) };
    const lists = new NumberListRows(PATH, memory);
    const page = { repetition: [0, 1, 0, 1], definition: null };
    lists.add(pageOf([1, 2, 3, 4], { ...page, areBytes: true }));
    lists.add(pageOf([5, 6, 7, 8], { ...page, areBytes: false }));
    lists.end();
    const { numbers } = lists.take(4);
    assert.ok(numbers.buffer instanceof SharedArrayBuffer);
    assert.deepEqual([...numbers], [1, 2, 3, 4, 5, 6, 7, 8]);
    const doubles = new NumberListRows(PATH, memory);
    doubles.add({
      ...pageOf([1, 2], { ...page, repetition: [0, 1], areBytes: false }),
      values: () => Float64Array.of(1, 2),
    });
    doubles.add(pageOf([3, 4], { ...page, repetition: [0, 1], areBytes: true }));
    doubles.end();
    const both = doubles.take(2).numbers;
    assert.ok(both.buffer instanceof ArrayBuffer);
    assert.deepEqual([...both], [1, 2, 3, 4]);
  });

  for (const [type, converted, kind] of [
    ['INT32', 'UINT_8', Int32Array],
    ['INT32', undefined, Int32Array],
    ['INT32', 'UINT_32', Float64Array],
    ['DOUBLE', undefined, Float64Array],
  ] as const)
    it(`of ${type} ${converted ?? ''} that come one by one, as from a dictionary, keep what they are`, () => {
      const element = { repetition_type: 'REQUIRED', type, converted_type: converted };
      const lists = new NumberListRows([...PATH.slice(0, 3), { element } as unknown as SchemaTree]);
      const page = pageOf([1, 2, 255], { repetition: [0, 1, 1], definition: null, areBytes: false });
      lists.add({ ...page, values: () => [1, 2, 255] });
      lists.end();
      const { numbers } = lists.take(1);
      assert.ok(numbers instanceof kind);
      assert.deepEqual([...numbers], [1, 2, 255]);
    });

  it('that begin within a row are damaged', () => {
    for (const definition of [null, [ELEMENT]])
      assert.throws(
        () => new NumberListRows(PATH).add(pageOf([1], { repetition: [1], definition, areBytes: false })),
        FormatError,
      );
  });
});
