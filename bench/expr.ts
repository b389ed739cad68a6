/** What filters cost: planning a text, and testing a million rows. `node bench/expr.ts [rows]` prints one table. */
import { compilePredicate, planFilter } from '@elanus/expr';
import { type Column, DataType, type FieldId, type FieldSchema } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const PASSES = 15;
const PLANS = 20_000;

/** The same numbers in every run. */
let state = 1;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return (state >>> 0) / 2 ** 32;
}

function texts(
  dataType: typeof DataType.VarChar | typeof DataType.JSON,
  textOf: (row: number) => string,
): Column {
  const parts = Array.from({ length: ROWS }, (_, row) => Buffer.from(textOf(row)));
  const offsets = new Uint32Array(ROWS + 1);
  for (const [row, part] of parts.entries()) offsets[row + 1] = offsets[row]! + part.length;
  return { dataType, length: ROWS, validity: null, offsets, bytes: Buffer.concat(parts) } as Column;
}

const base = { length: ROWS, validity: null };
const WORDS = ['red', 'green', 'blue', 'yellow', 'cyan', 'magenta', 'black'];
const word = () => WORDS[Math.floor(random() * WORDS.length)]!;

const DATA: Readonly<Record<string, Column>> = {
  id: {
    ...base,
    dataType: DataType.Int64,
    values: BigInt64Array.from({ length: ROWS }, () => BigInt(Math.floor(random() * ROWS))),
  },
  age: {
    ...base,
    dataType: DataType.Int32,
    values: Int32Array.from({ length: ROWS }, () => random() * 100),
    validity: Uint8Array.from({ length: ROWS }, () => (random() < 0.1 ? 0 : 1)),
  },
  score: { ...base, dataType: DataType.Double, values: Float64Array.from({ length: ROWS }, random) },
  color: texts(DataType.VarChar, word),
  $meta: texts(
    DataType.JSON,
    (row) => `{"kind": "${word()}", "level": ${row % 10}, "note": "a row among others"}`,
  ),
};

function field(name: string, index: number): FieldSchema {
  return fieldFixture(100 + index, name, DATA[name]!.dataType, {
    isPrimaryKey: name === 'id',
    isDynamic: name === '$meta',
    nullable: name === 'age',
  });
}

const allFields = Object.keys(DATA).map(field);
const schema = schemaFixture(allFields, { name: 'bench' });
const source = { column: (id: FieldId) => DATA[allFields[id - 100]!.name]! };

function best(run: () => void, passes: number): number {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < passes; pass++) {
    const startMs = performance.now();
    run();
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  return bestMs;
}

const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => 450_000_000_000_000_000n + BigInt(i * 977)).join(', ');

const PLANNED: Readonly<Record<string, string>> = {
  'id == 7': 'id == 7',
  'id in [10 keys]': `id in [${keys(10)}]`,
  'a conjunction of four': 'age > 18 and color in ["red", "blue"] and score < 0.5 and not (kind == "x")',
};
const FILTERS = [
  'id == 500000',
  'id < 500000',
  '100000 <= id < 600000',
  'age > 50',
  'score < 0.5',
  'id + 1 < 500000',
  `id in [${Array.from({ length: 100 }, (_, i) => i * 31).join(',')}]`,
  'age > 50 and score < 0.5 and id < 500000',
  'age > 50 or (score < 0.5 and id < 500000)',
  'color == "red"',
  'color in ["red", "green", "blue", "cyan"]',
  'color like "%e%n%"',
  'level == 3',
  'kind == "red" and age > 90',
];

const lines = [['filter', 'cost']];
for (const [name, text] of Object.entries(PLANNED)) {
  const ms = best(() => {
    for (let i = 0; i < PLANS; i++) planFilter(text, schema);
  }, 5);
  lines.push([`plan ${name}`, `${((ms / PLANS) * 1_000).toFixed(2)} us`]);
}
const many = `id in [${keys(100_000)}]`;
lines.push(['plan id in [100,000 keys]', `${best(() => planFilter(many, schema), 5).toFixed(1)} ms`]);

const matches = new Uint8Array(ROWS);
for (const text of FILTERS) {
  const filter = compilePredicate(planFilter(text, schema)!);
  const firstMs = best(() => filter(source, 0, ROWS, matches), 1);
  const bestMs = best(() => filter(source, 0, ROWS, matches), PASSES);
  const shown = text.length > 48 ? `${text.slice(0, 45)}...` : text;
  lines.push([shown, `${bestMs.toFixed(2)} ms, the first time ${firstMs.toFixed(2)}`]);
}
for (const [name, cost] of lines) console.log(`${name!.padEnd(50)} ${cost}`);
