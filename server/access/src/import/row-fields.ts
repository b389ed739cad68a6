import type { CsvCell } from '@elanus/formats';
import { findNumberRuns } from '@elanus/kernel';
import { DataType } from '@elanus/model';
import type { schema_CollectionSchema } from '@elanus/proto';
import { isObject } from '../rest/body.ts';
import { type Json, JsonError, type JsonObject, readJson } from '../rest/json-reader.ts';
import { badRow } from '../rest/rest-errors.ts';
import { runAtOnce } from '../rows/sliced-work.ts';

const META = '$meta';

/** A row of a JSON file, with what is under `$meta` among its other keys. @throws MilvusError 1804 */
export function jsonRow(text: Buffer): JsonObject {
  const row = jsonValue(text);
  if (!isObject(row)) throw badRow('a row is not an object');
  return withMeta(row);
}

function withMeta(row: JsonObject): JsonObject {
  const meta = row[META] ?? null;
  if (meta === null) return row;
  const { [META]: _, ...own } = row;
  const members = typeof meta === 'string' ? jsonValue(Buffer.from(meta)) : meta;
  if (!isObject(members)) throw badRow(`${META} is not an object`);
  for (const key in members)
    if (key in own) throw badRow(`${META} has the key ${key}, which the row has, too`);
  return Object.assign(Object.create(null) as JsonObject, own, members);
}

function jsonValue(text: Buffer): Json {
  try {
    return runAtOnce(readJson(text, { runs: findNumberRuns(text) }));
  } catch (error) {
    if (error instanceof JsonError) throw badRow(error.message);
    throw error;
  }
}

export interface CsvOptions {
  readonly header: readonly string[];
  readonly nullText: string;
}

/** What the cells of records mean, by the types of their fields. */
export class CsvReader {
  readonly #readers: readonly ((cell: CsvCell) => Json | undefined)[];
  readonly #header: readonly string[];

  /** @throws MilvusError 1804 for a header that does not fit */
  constructor(schema: schema_CollectionSchema, { header, nullText }: CsvOptions) {
    this.#header = header;
    if (new Set(header).size < header.length) throw badRow('the header has a name twice');
    const fields = new Map(schema.fields.map((field) => [field.name, field]));
    const structs = new Set(schema.structArrayFields.map(({ name }) => name));
    this.#readers = header.map((name) => {
      const field = fields.get(name);
      if (field === undefined || field.isDynamic)
        return structs.has(name) || name === META
          ? ({ text }) => jsonValue(Buffer.from(text))
          : ({ text }) => text;
      const canBeNull = field.nullable || field.defaultValue !== undefined;
      const isNull = ({ text, isQuoted }: CsvCell) =>
        canBeNull && text === nullText && !(isQuoted && nullText === '');
      return (cell) =>
        isNull(cell) ? undefined : cellValue(field.dataType as DataType, field.name, cell.text);
    });
  }

  /** A record as a row. @throws MilvusError 1804 */
  row(cells: readonly CsvCell[]): JsonObject {
    if (cells.length !== this.#header.length)
      throw badRow(`a record has ${cells.length} values, the header ${this.#header.length}`);
    const row = Object.create(null) as JsonObject;
    for (const [at, cell] of cells.entries()) {
      const value = this.#readers[at]!(cell);
      if (value !== undefined) row[this.#header[at]!] = value;
    }
    return withMeta(row);
  }
}

const INTEGER = /^[+-]?\d+$/;

function cellValue(type: DataType, name: string, text: string): Json {
  const wrong = () => badRow(`the field ${name} cannot be ${JSON.stringify(text.slice(0, 64))}`);
  switch (type) {
    case DataType.Bool:
      if (/^(true|1)$/i.test(text)) return true;
      if (/^(false|0)$/i.test(text)) return false;
      throw wrong();
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      if (!INTEGER.test(text)) throw wrong();
      return Number(text);
    case DataType.Int64:
      if (!INTEGER.test(text)) throw wrong();
      return BigInt(text);
    case DataType.Float:
    case DataType.Double: {
      const number = Number(text);
      if (text.trim() === '' || !Number.isFinite(number)) throw wrong();
      return number;
    }
    case DataType.VarChar:
    case DataType.Text:
    case DataType.Timestamptz:
    case DataType.Geometry:
    case DataType.JSON:
      return text;
    default:
      return jsonValue(Buffer.from(text));
  }
}
