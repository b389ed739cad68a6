import type { CsvCell } from '@elanus/formats';
import { findNumberRuns } from '@elanus/kernel';
import { DataType } from '@elanus/model';
import type { schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import { isObject } from '../rest/body.ts';
import { type Json, JsonError, type JsonObject, readJson } from '../rest/json-reader.ts';
import { badRow } from '../rest/rest-errors.ts';
import { dimensionOf } from '../rest/sent-vectors.ts';
import { runAtOnce } from '../rows/sliced-work.ts';

const META = '$meta';
const HALF_TYPES: readonly number[] = [DataType.Float16Vector, DataType.BFloat16Vector];

/** Rows of a JSON file as objects, with what is under `$meta` among their other keys. */
export function jsonRowReader({ fields }: schema_CollectionSchema): (text: Buffer) => JsonObject {
  const halves = fields.filter(({ dataType }) => HALF_TYPES.includes(dataType));
  /** @throws MilvusError 1804 */
  return (text) => {
    const row = jsonValue(text);
    if (!isObject(row)) throw badRow('a row is not an object');
    const own = withMeta(row);
    for (const field of halves) {
      const value = own[field.name];
      if (value !== undefined) own[field.name] = halfVector(field, value);
    }
    return own;
  };
}

/** The bytes of a half vector one by one, as the bulk writer of the Node SDK has them in JSON, in the form that one value has. */
function halfVector(field: schema_FieldSchema, value: Json): Json {
  if (!Array.isArray(value) || value.length !== 2 * dimensionOf(field)) return value;
  const isByte = (each: Json) => Number.isInteger(each) && (each as number) >= 0 && (each as number) <= 255;
  return value.every(isByte) ? Buffer.from(value as number[]).toString('base64') : value;
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
      return (cell) => (isNull(cell) ? undefined : cellValue(field, cell.text));
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

function cellValue(field: schema_FieldSchema, text: string): Json {
  const { name, dataType } = field;
  const wrong = () => badRow(`the field ${name} cannot be ${JSON.stringify(text.slice(0, 64))}`);
  switch (dataType) {
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
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
      return halfVector(field, jsonValue(Buffer.from(text)));
    default:
      return jsonValue(Buffer.from(text));
  }
}
