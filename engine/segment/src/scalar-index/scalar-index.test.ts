import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileCondition, planFilter } from '@elanus/expr';
import { type Column, DataType, type FieldId, type FieldSchema } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { type Random, seededRandom } from '@elanus/runtime';
import { buildScalarIndex, type IndexedBlock } from './build-scalar-index.ts';
import { decodeScalarIndex, encodeScalarIndex, ScalarIndexFileError } from './index-file.ts';
import { scalarIndexSpec } from './plan-index.ts';
import { planCondition } from './plan-rows.ts';
import { probeIndex } from './probe-index.ts';
import type { ScalarIndexData } from './scalar-index.ts';

const SEED = 7;
const NUMBERS = [
  ['i8', DataType.Int8],
  ['i16', DataType.Int16],
  ['i32', DataType.Int32],
  ['i64', DataType.Int64],
  ['float', DataType.Float],
  ['double', DataType.Double],
] as const;
const fields: readonly FieldSchema[] = [
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  ...NUMBERS.map(([name, type], i) => fieldFixture(101 + i, name, type, { nullable: true })),
  fieldFixture(110, 'flag', DataType.Bool, { nullable: true }),
  fieldFixture(111, 'text', DataType.VarChar, { nullable: true }),
  fieldFixture(112, 'numbers', DataType.Array, { nullable: true, elementType: DataType.Int64 }),
  fieldFixture(113, 'texts', DataType.Array, { nullable: true, elementType: DataType.VarChar }),
  fieldFixture(114, 'doc', DataType.JSON, { nullable: true }),
];
const schema = schemaFixture(fields, { name: 'indexed' });
const fieldOf = (name: string) => fields.find((field) => field.name === name)!;

const WORDS = ['', 'a', 'ab', 'abc', 'abd', 'red', 'größe', 'redder', 'zzz', '日本', 'a b', 'ab%c'];

/** Blocks as an index numbers them: the second begins behind a gap. */
interface Rows {
  readonly columns: ReadonlyMap<FieldId, Column>;
  readonly count: number;
  readonly firstRow: number;
}

function packed(values: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const parts = values.map((value) => Buffer.from(value));
  const offsets = new Uint32Array(values.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return { offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}

function randomNumber(type: DataType, random: Random): number {
  if (type === DataType.Float || type === DataType.Double)
    return random.chance(0.05) ? Number.NaN : random.chance(0.1) ? -0 : (random.below(40) - 20) / 4;
  return random.below(30) - 15;
}

function randomDocument(random: Random): string {
  const values: readonly string[] = [
    '1',
    '1.0',
    '-0',
    '9007199254740993',
    '9007199254740992',
    String(random.below(20) - 10),
    String((random.below(20) - 10) / 4),
    '"red"',
    '"\\u0072ed"',
    JSON.stringify(WORDS[random.below(WORDS.length)]),
    'true',
    'false',
    'null',
    '{}',
    '[]',
    '[1, 2, 2, "red", true, null]',
    `[${random.below(5)}, 9007199254740993]`,
    `["red", ${random.below(3)}]`,
    '[[1], 2]',
  ];
  const value = values[random.below(values.length)];
  return random.chance(0.1) ? '{"other": 1}' : `{"k": ${value}, "deep": {"x": ${random.below(5)}}}`;
}

function randomRows(count: number, firstRow: number, random: Random): Rows {
  const columns = new Map<FieldId, Column>();
  for (const { id, name, dataType, elementType } of fields) {
    const validity =
      name === 'id' || random.chance(0.3)
        ? null
        : Uint8Array.from({ length: count }, () => (random.chance(0.2) ? 0 : 1));
    const base = { dataType, length: count, validity };
    const word = () => WORDS[random.below(WORDS.length)]!;
    if (dataType === DataType.VarChar) {
      columns.set(id, { ...base, ...packed(Array.from({ length: count }, word)) } as Column);
    } else if (dataType === DataType.JSON) {
      columns.set(id, {
        ...base,
        ...packed(Array.from({ length: count }, () => randomDocument(random))),
      } as Column);
    } else if (dataType === DataType.Array) {
      const offsets = new Uint32Array(count + 1);
      for (let row = 0; row < count; row++) offsets[row + 1] = offsets[row]! + random.below(4);
      const length = offsets[count]!;
      const elements =
        elementType === DataType.VarChar
          ? { dataType: DataType.VarChar, length, validity: null, ...packed(Array.from({ length }, word)) }
          : {
              dataType: DataType.Int64,
              length,
              validity: null,
              values: BigInt64Array.from({ length }, () => BigInt(random.below(6))),
            };
      columns.set(id, { ...base, offsets, elements } as Column);
    } else if (dataType === DataType.Int64) {
      const wide = [-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, -1n, 0n];
      const values = BigInt64Array.from({ length: count }, (_, row) =>
        name === 'id'
          ? BigInt(firstRow + row)
          : random.chance(0.3)
            ? wide[random.below(5)]!
            : BigInt(random.below(9)),
      );
      columns.set(id, { ...base, values } as Column);
    } else {
      const numbers = Array.from({ length: count }, () =>
        dataType === DataType.Bool ? random.below(2) : randomNumber(dataType, random),
      );
      const types = {
        [DataType.Bool]: Uint8Array,
        [DataType.Int8]: Int8Array,
        [DataType.Int16]: Int16Array,
        [DataType.Int32]: Int32Array,
        [DataType.Float]: Float32Array,
        [DataType.Double]: Float64Array,
      } as const;
      columns.set(id, { ...base, values: types[dataType as 1].from(numbers) } as Column);
    }
  }
  return { columns, count, firstRow };
}

/** Every index that can be made on these fields, by name. */
function indexesOf(blocks: readonly Rows[]): ReadonlyMap<string, ScalarIndexData> {
  const definitions: [string, string, readonly string[] | null, string | null][] = [
    ...NUMBERS.map(([name]): [string, string, null, null] => ['STL_SORT', name, null, null]),
    ['AUTOINDEX', 'flag', null, null],
    ['TRIE', 'text', null, null],
    ['NGRAM', 'text', null, null],
    ['BITMAP', 'numbers', null, null],
    ['INVERTED', 'texts', null, null],
    ...['BOOL', 'DOUBLE', 'VARCHAR', 'ARRAY_BOOL', 'ARRAY_DOUBLE', 'ARRAY_VARCHAR', 'JSON'].map(
      (cast): [string, string, readonly string[], string] => ['INVERTED', 'doc', ['k'], cast],
    ),
    ['AUTOINDEX', 'doc', ['deep', 'x'], 'DOUBLE'],
    ['NGRAM', 'doc', ['k'], 'VARCHAR'],
  ];
  const indexes = new Map<string, ScalarIndexData>();
  for (const [indexType, name, steps, castType] of definitions) {
    const field = fieldOf(name);
    const spec = scalarIndexSpec({
      indexType,
      field,
      steps,
      castType,
      gramMin: indexType === 'NGRAM' ? 2 : null,
    })!;
    const columns: IndexedBlock[] = blocks.map(({ columns: all, count, firstRow }) => ({
      column: all.get(field.id)!,
      rows: count,
      firstRow,
    }));
    const key = `${indexType} ${name} ${steps?.join('/') ?? ''} ${castType ?? ''}`;
    indexes.set(key, buildScalarIndex(spec, columns, SEED));
  }
  return indexes;
}

const NUMBER_LEAVES = [
  '== 3',
  '!= 3',
  '< 3',
  '<= 3',
  '> 3',
  '>= -2',
  'in [1, 2, 3, 99]',
  'not in [1, 2]',
  'in []',
];
const FILTERS: readonly string[] = [
  ...NUMBERS.flatMap(([name]) => NUMBER_LEAVES.map((leaf) => `${name} ${leaf}`)),
  ...NUMBERS.flatMap(([name]) => [
    `-3 < ${name} <= 4`,
    `not (1 <= ${name} < 2)`,
    `${name} + 1 == 3`,
    `${name} * 2 > 5`,
  ]),
  ...['0', '0.25', '-0.25', '1e300'].flatMap((x) => [
    `double == ${x}`,
    `float >= ${x}`,
    `not (double < ${x})`,
  ]),
  'i64 == 9007199254740993',
  'i64 == 9223372036854775807',
  'i64 < -9223372036854775807',
  'i8 == 1000',
  'i8 < 1000',
  `i64 in [${Array.from({ length: 40 }, (_, i) => i * 3).join()}]`,
  `i64 not in [${Array.from({ length: 40 }, (_, i) => i * 3).join()}]`,
  'flag == true',
  'flag != true',
  'flag in [true]',
  ...['==', '!=', '<', '<=', '>', '>='].flatMap((operator) => [
    `text ${operator} "ab"`,
    `text ${operator} "größe"`,
  ]),
  'text in ["red", "nothing", ""]',
  'text not in ["red", "zzz"]',
  '"ab" <= text < "b"',
  ...[
    'ab%',
    '%',
    '',
    'ab',
    '%b%',
    '%dd%',
    'r_d',
    'r_d%',
    '_b%',
    '%er',
    're%er',
    'ab\\\\%c',
    '%größ%',
    '%本',
  ].flatMap((pattern) => [
    `text like "${pattern}"`,
    `not (text like "${pattern}")`,
    `doc["k"] like "${pattern}"`,
  ]),
  'text =~ "^a.*c$"',
  'text !~ "e"',
  ...['numbers', 'texts'].flatMap((name) => {
    const list = name === 'numbers' ? '[1, 2]' : '["red", "ab"]';
    const value = name === 'numbers' ? '3' : '"zzz"';
    return [
      `array_contains(${name}, ${value})`,
      `not array_contains(${name}, ${value})`,
      `array_contains_any(${name}, ${list})`,
      `array_contains_all(${name}, ${list})`,
      `not array_contains_all(${name}, ${list})`,
      `array_contains_all(${name}, [])`,
      `array_contains_any(${name}, [])`,
      `array_length(${name}) == 2`,
      `${name}[0] == ${value}`,
    ];
  }),
  ...[
    '1',
    '1.0',
    '0',
    '9007199254740993',
    '9007199254740992',
    '2.5',
    '"red"',
    'true',
    '[]',
    '[1, 2, 2, "red", true]',
  ].flatMap((value) => [`doc["k"] == ${value}`, `doc["k"] != ${value}`]),
  ...['<', '>='].flatMap((operator) => [`doc["k"] ${operator} 1.5`, `doc["k"] ${operator} "red"`]),
  'doc["k"] in [1, 2, "red", true]',
  'doc["k"] not in [1, "red"]',
  'doc["k"] in []',
  'doc["k"] not in []',
  'doc["k"] + 1 == 2',
  '-2 <= doc["k"] < 2',
  'not ("a" < doc["k"] < "s")',
  'exists doc["k"]',
  'doc["k"] is null',
  'json_contains(doc["k"], 2)',
  'json_contains(doc["k"], "red")',
  'json_contains(doc["k"], true)',
  'json_contains(doc["k"], 9007199254740993)',
  'not json_contains(doc["k"], 2)',
  'json_contains_any(doc["k"], [1, "red"])',
  'json_contains_all(doc["k"], [1, "red", true])',
  'json_contains_all(doc["k"], [[1], 2])',
  'not json_contains_all(doc["k"], ["red", true])',
  'doc["deep"]["x"] == 3',
  'i8 == 3 and text == "red"',
  'i8 < 3 and doc["deep"]["x"] == 3 and flag == true',
  'i8 == 3 or text like "ab%" or json_contains(doc["k"], 2)',
  'not (i8 == 3 or text == "red")',
  'i8 == 3 or (i16 == 2 and text == "red")',
  'i8 == 3 or not array_contains(numbers, 3)',
  'i8 == 3 or array_contains_all(numbers, [1, 2])',
  'i8 == 3 or not json_contains_all(doc["k"], [1, "red"]) or (i16 == 2 and flag == true)',
  '(i8 == 3 or i16 == 2) and (text == "red" or double < 0)',
];

/** The rows of the blocks for which a filter is TRUE, as bits of the numbers that the index gives them. */
function scan(
  condition: Parameters<typeof compileCondition>[0],
  blocks: readonly Rows[],
  rows: number,
): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8));
  const filter = compileCondition(condition);
  for (const { columns, count, firstRow } of blocks) {
    const matches = new Uint8Array(count);
    filter({ column: (id) => columns.get(id)! }, 0, count, matches);
    for (const [row, isMatch] of matches.entries())
      if (isMatch === 1) bits[(firstRow + row) >> 3]! |= 1 << ((firstRow + row) & 7);
  }
  return bits;
}

function marked(probe: NonNullable<ReturnType<typeof probeIndex>>, rows: number): Uint8Array {
  // Whole words, as those have them who count them.
  const bits = new Uint8Array(4 * Math.ceil(rows / 32));
  const marking = probe.marking(bits);
  while (!marking.next().done);
  return bits.subarray(0, Math.ceil(rows / 8));
}

function assertCovers(found: Uint8Array, wanted: Uint8Array, isExact: boolean, what: string): void {
  if (isExact) assert.deepEqual(found, wanted, what);
  else
    assert.ok(
      wanted.every((byte, at) => (byte & ~found[at]!) === 0),
      `${what}: rows are missing`,
    );
}

describe('a scalar index', () => {
  for (const seed of [1, 2, 3])
    it(`names the rows that a scan finds (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const blocks = [randomRows(100 + random.below(300), 0, random)];
      blocks.push(randomRows(5 + random.below(300), Math.ceil(blocks[0]!.count / 32) * 32 + 32, random));
      const rows = blocks[1]!.firstRow + blocks[1]!.count;
      const indexes = indexesOf(blocks);
      const answered = new Set<string>();
      for (const text of FILTERS) {
        const { condition } = planFilter(text, schema)!;
        const wanted = scan(condition, blocks, rows);
        for (const [name, index] of indexes) {
          if (
            condition.kind === 'and' ||
            condition.kind === 'or' ||
            condition.kind === 'always' ||
            condition.kind === 'never'
          )
            continue;
          const probe = probeIndex(index, condition);
          if (probe === null) continue;
          answered.add(name);
          assertCovers(marked(probe, rows), wanted, probe.isExact, `${name}: ${text}`);
        }
        const whole = planCondition(condition, [...indexes.values()]);
        if (whole !== null) assertCovers(marked(whole, rows), wanted, whole.isExact, text);
      }
      assert.deepEqual(
        [...indexes.keys()].filter((name) => !answered.has(name)),
        [],
      );
    });

  it('is read from its file as it was, and knows a damaged one', () => {
    const random = seededRandom(4);
    const blocks = [randomRows(300, 0, random)];
    for (const [name, index] of indexesOf(blocks)) {
      const file = new Uint8Array(Buffer.concat(encodeScalarIndex(index)));
      assert.deepEqual(comparable(decodeScalarIndex(file)), comparable(index), name);
      for (let tries = 0; tries < 40; tries++) {
        const broken = file.slice(0, random.chance(0.2) ? random.below(file.length) : file.length);
        const at = random.below(broken.length || 1);
        if (broken.length === file.length) broken[at]! ^= 1 << random.below(8);
        try {
          // Nobody adds up the zeros between two arrays.
          assert.deepEqual(comparable(decodeScalarIndex(broken)), comparable(index), name);
        } catch (error) {
          assert.ok(error instanceof ScalarIndexFileError, String(error));
        }
      }
    }
  });
});

/** The same with plain arrays: shared and other memory is equal. */
function comparable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, comparable(part)]));
}
