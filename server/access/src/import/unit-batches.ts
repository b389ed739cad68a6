import {
  type ByteSource,
  type ColumnReader,
  csvRows,
  jsonLines,
  jsonRows,
  NumpyRows,
  ParquetRows,
} from '@elanus/formats';
import { DataType, unreachable } from '@elanus/model';
import { sentFields } from '../rest/sent-fields.ts';
import { runAtOnce } from '../rows/sliced-work.ts';
import { columnFields } from './column-fields.ts';
import { CsvReader, jsonRowReader } from './row-fields.ts';
import { type SpareMemory, VectorMemory } from './spare-memory.ts';
import type { EncodedRows, UnitSpec } from './unit-messages.ts';

/** Some rows of a file. */
export interface UnitBatch {
  readonly rows: number;
  /** Rows `from .. to` as the wire has them. @throws MilvusError 1804 */
  encode(from: number, to: number): EncodedRows;
}

/** The rows of a unit from its `skip` on. */
export interface UnitBatches {
  /** `null`: nobody knows before the last was read. */
  readonly totalRows: number | null;
  readonly batches: AsyncIterable<UnitBatch>;
}

const ROWS_MAX = 8_192;
const ROWS_MIN = 16;
/** Bytes of a file that become a batch. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Opens the files of a unit; large columns are encoded into `memory`. @throws FormatError */
export async function openUnit(
  spec: UnitSpec,
  sources: readonly ByteSource[],
  memory: SpareMemory,
): Promise<UnitBatches> {
  const [first] = sources as [ByteSource];
  switch (spec.kind) {
    case 'json':
      return { totalRows: null, batches: jsonBatches(jsonRows(first), spec) };
    case 'json lines':
      return { totalRows: null, batches: jsonBatches(jsonLines(first), spec) };
    case 'csv':
      return { totalRows: null, batches: csvBatches(first, spec) };
    case 'parquet':
      return await columnBatches(
        await ParquetRows.open(first, { memoryOf: memoryOf(spec, memory) }),
        sources,
        spec,
        memory,
      );
    case 'numpy': {
      const byName = new Map(spec.files.map(({ name }, at) => [name, sources[at]!]));
      return await columnBatches(await NumpyRows.open(byName), sources, spec, memory);
    }
    default:
      return unreachable(spec.kind);
  }
}

/** Vectors that stay float32 are put where they can become a message. */
function memoryOf({ schema }: UnitSpec, memory: SpareMemory): (column: string) => VectorMemory | null {
  const vectors = new VectorMemory(memory);
  const floats = schema.fields.filter(({ dataType }) => dataType === DataType.FloatVector);
  const names = new Set(floats.map(({ name }) => name));
  return (column) => (names.has(column) ? vectors : null);
}

async function columnBatches(
  reader: ColumnReader,
  sources: readonly ByteSource[],
  { schema, skip }: UnitSpec,
  memory: SpareMemory,
): Promise<UnitBatches> {
  const bytes = sources.reduce((sum, { size }) => sum + size, 0);
  const fitting = Math.floor((BATCH_BYTES * reader.rows) / Math.max(1, bytes));
  const rowsMax = Math.min(ROWS_MAX, Math.max(ROWS_MIN, fitting));
  async function* batches(): AsyncGenerator<UnitBatch> {
    await reader.skip(skip);
    for (let batch = await reader.next(rowsMax); batch !== null; batch = await reader.next(rowsMax)) {
      const own = batch;
      yield { rows: own.rows, encode: (from, to) => columnFields(own, schema, { from, to, memory }) };
    }
  }
  return { totalRows: reader.rows, batches: batches() };
}

/** Rows by their texts; what is wrong with one is said when it is encoded. */
async function* jsonBatches(
  texts: AsyncIterable<readonly Buffer[]>,
  { schema, skip }: UnitSpec,
): AsyncGenerator<UnitBatch> {
  const rowOf = jsonRowReader(schema);
  for await (const rows of regrouped(texts, (text) => text.length, skip)) {
    yield {
      rows: rows.length,
      encode: (from, to) =>
        runAtOnce(sentFields(rows.slice(from, to).map(rowOf), schema, { isPartial: false })),
    };
  }
}

async function* csvBatches(
  source: ByteSource,
  { schema, skip, separator, nullText }: UnitSpec,
): AsyncGenerator<UnitBatch> {
  let reader: CsvReader | null = null;
  const sizeOf = (cells: readonly { readonly text: string }[]) =>
    cells.reduce((sum, { text }) => sum + text.length, 0);
  const records = csvRows(source, { separator });
  async function* behindHeader() {
    for await (const some of records) {
      if (reader !== null) yield some;
      else {
        reader = new CsvReader(schema, { header: some[0]!.map(({ text }) => text), nullText });
        yield some.slice(1);
      }
    }
  }
  for await (const rows of regrouped(behindHeader(), sizeOf, skip)) {
    yield {
      rows: rows.length,
      encode: (from, to) => {
        const objects = rows.slice(from, to).map((cells) => reader!.row(cells));
        return runAtOnce(sentFields(objects, schema, { isPartial: false }));
      },
    };
  }
}

/** Items in groups of a bounded number and size, the first `skip` left out. */
async function* regrouped<Item>(
  groups: AsyncIterable<readonly Item[]>,
  sizeOf: (item: Item) => number,
  skip: number,
): AsyncGenerator<readonly Item[]> {
  let left = skip;
  let own: Item[] = [];
  let size = 0;
  for await (const items of groups) {
    for (const item of items) {
      if (left > 0) {
        left--;
        continue;
      }
      own.push(item);
      size += sizeOf(item);
      if (own.length < ROWS_MAX && size < BATCH_BYTES) continue;
      yield own;
      own = [];
      size = 0;
    }
  }
  if (own.length > 0) yield own;
}
