import { type CollectionSchema, DataType, type FieldSchema } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { Row } from './demo-rows.ts';
import type { Draw } from './fuzzed-filters.ts';

/** One of the values, all as likely. */
export function pick<Value>(draw: Draw, values: readonly Value[]): Value {
  return values[draw(values.length)]!;
}

const ELEMENT_TYPES = [
  ...[DataType.Bool, DataType.Int8, DataType.Int16, DataType.Int32, DataType.Int64],
  ...[DataType.Float, DataType.Double, DataType.VarChar],
] as const;
const TYPES = [
  ...ELEMENT_TYPES,
  ...[DataType.Int64, DataType.VarChar, DataType.JSON, DataType.JSON],
  ...[DataType.Timestamptz, DataType.Geometry, DataType.Array, DataType.Array],
];

/** What makes `text_match` possible. */
const MATCHED = [
  { key: 'enable_analyzer', value: 'true' },
  { key: 'enable_match', value: 'true' },
];
const FIRST_ID = 101;
const META_ID = 190;

/** Some fields of any types, nullable or not; perhaps structs, perhaps a dynamic field. */
export function randomSchema(draw: Draw): CollectionSchema {
  const isByNumber = draw(3) > 0;
  const fields = [
    fieldFixture(100, 'id', isByNumber ? DataType.Int64 : DataType.VarChar, { isPrimaryKey: true }),
  ];
  const count = 2 + draw(6);
  for (let i = 0; i < count; i++) fields.push(randomField(draw, FIRST_ID + i, `f${i}`));
  if (draw(2) === 0) {
    const nullable = draw(2) === 0;
    for (let i = 1 + draw(3); i > 0; i--)
      fields.push(
        fieldFixture(FIRST_ID + count + i, `parts[s${i}]`, DataType.Array, {
          elementType: pick(draw, ELEMENT_TYPES),
          nullable,
        }),
      );
  }
  if (draw(3) > 0) fields.push(fieldFixture(META_ID, '$meta', DataType.JSON, { isDynamic: true }));
  return schemaFixture(fields);
}

function randomField(draw: Draw, id: number, name: string): FieldSchema {
  const dataType = pick(draw, TYPES);
  const nullable = draw(2) === 0;
  if (dataType === DataType.Array)
    return fieldFixture(id, name, dataType, { nullable, elementType: pick(draw, ELEMENT_TYPES) });
  if (dataType === DataType.VarChar && draw(3) === 0)
    return fieldFixture(id, name, dataType, { nullable, typeParams: MATCHED });
  return fieldFixture(id, name, dataType, { nullable });
}

/** Integers that rows and filters have in common, so that they meet; all fit into their type. */
export const INTEGERS: ReadonlyMap<DataType, readonly bigint[]> = new Map([
  [DataType.Int8, [-128n, -2n, -1n, 0n, 1n, 2n, 3n, 7n, 127n]],
  [DataType.Int16, [-32_768n, -129n, -1n, 0n, 1n, 2n, 3n, 7n, 32_767n]],
  [DataType.Int32, [-(2n ** 31n), -40_000n, -1n, 0n, 1n, 2n, 3n, 7n, 2n ** 31n - 1n]],
  [
    DataType.Int64,
    [-(2n ** 63n), -(2n ** 53n) - 1n, -1n, 0n, 1n, 2n, 3n, 7n, 2n ** 53n + 1n, 2n ** 63n - 1n],
  ],
]);

/** Exact in 32 bits, because Float columns and the constants beside them are. */
export const FRACTIONS: readonly number[] = [-1.5, 0, 0.5, 1, 2, 2.25, 3, 100, 2 ** 40, -0];
export const WORDS: readonly string[] = [
  '',
  'a',
  'b',
  'ab',
  'ba',
  'aé',
  'é',
  '𝄞',
  '\ufffd',
  'a%',
  'a_b',
  'abc',
];
/** Words and signs that a tokenizer leaves out. */
export const TOKENS: readonly string[] = ['fox', 'Quick', 'brown', 'dog', 'the', ',', '-'];
export const INSTANTS: readonly string[] = [
  ...['2024-02-29T12:00:00Z', '2025-01-31T00:00:00Z', '2025-03-01T00:00:00Z', '1969-12-31T23:59:59Z'],
];
/** Members of documents. */
export const KEYS: readonly string[] = ['a', 'b', 's', 't', 'a b', '0'];
const JSON_NUMBERS: readonly string[] = [
  ...['0', '1', '2', '-3', '1.0', '2.5', '1e2', '-0', '9007199254740993', '9007199254740992.0'],
  ...['9223372036854775807', '-9223372036854775808'],
];

/** A row of the schema; keys are as different as `number`s are. */
export function randomRow(draw: Draw, schema: CollectionSchema, number: number): Row {
  const row: Record<string, unknown> = {};
  const structs = draw(4);
  const hasStructs = draw(4) > 0;
  for (const field of schema.fields) {
    if (field.isPrimaryKey) row[field.name] = keyOf(field, number);
    else if (field.name.startsWith('parts[')) {
      if (hasStructs || !field.nullable) row[field.name] = elements(draw, field, structs);
    } else if (!field.nullable || draw(4) > 0) row[field.name] = fieldValue(draw, field);
  }
  if (schema.dynamicField !== null) row.$meta = document(draw, 1);
  return row;
}

/** Keys that filters also speak of, and that come once. */
function keyOf({ dataType }: FieldSchema, number: number): bigint | string {
  return dataType === DataType.Int64
    ? BigInt(number) - 3n
    : `${WORDS[number % 6]}${number < 6 ? '' : number}`;
}

function fieldValue(draw: Draw, field: FieldSchema): unknown {
  switch (field.dataType) {
    case DataType.Array:
      return elements(draw, field, draw(4));
    case DataType.JSON:
      return document(draw, 2);
    case DataType.Timestamptz:
      return BigInt(Date.parse(pick(draw, INSTANTS)) + (draw(7) - 3) * 86_400_000) * 1_000n;
    case DataType.Geometry:
      return `POINT (${draw(5) - 2} ${draw(5) - 2})`;
    case DataType.VarChar:
      if (field.typeParams.length === 0) return pick(draw, WORDS);
      return Array.from({ length: draw(8) }, () => pick(draw, TOKENS)).join(' ');
    default:
      return scalar(draw, field.dataType);
  }
}

function elements(draw: Draw, { elementType }: FieldSchema, count: number): readonly unknown[] {
  return Array.from({ length: count }, () => scalar(draw, elementType!));
}

function scalar(draw: Draw, type: DataType): unknown {
  switch (type) {
    case DataType.Bool:
      return draw(2) === 0;
    case DataType.Float:
    case DataType.Double:
      return pick(draw, FRACTIONS);
    case DataType.VarChar:
      return pick(draw, WORDS);
    default: {
      const integer = pick(draw, INTEGERS.get(type)!);
      return type === DataType.Int64 ? integer : Number(integer);
    }
  }
}

/** The text of an object, with blanks and escapes that mean nothing. */
function document(draw: Draw, depth: number): string {
  const members = KEYS.filter(() => draw(2) === 0).map((key) => `"${key}" :${jsonValue(draw, depth)}`);
  return `{${members.join(', ')}}`;
}

function jsonValue(draw: Draw, depth: number): string {
  switch (draw(depth > 0 ? 8 : 6)) {
    case 0:
    case 1:
      return pick(draw, JSON_NUMBERS);
    case 2:
    case 3:
      return JSON.stringify(pick(draw, WORDS)).replace('é', '\\u00e9');
    case 4:
      return pick(draw, ['true', 'false']);
    case 5:
      return 'null';
    case 6:
      return `[${Array.from({ length: draw(4) }, () => jsonValue(draw, depth - 1)).join(' ,')}]`;
    default:
      return document(draw, depth - 1);
  }
}
