import {
  type CellValue,
  fixedTexts,
  npyHeader,
  ParquetFileWriter,
  type WrittenField,
  type WrittenType,
} from '@elanus/formats';
import {
  assert,
  type CollectionSchema,
  type Column,
  DataType,
  denseVectorBytes,
  type FieldId,
  type FieldSchema,
  fieldById,
  plainFieldName,
  subFieldsOf,
} from '@elanus/model';
import { type JsonOut, jsonPieces, shortestDouble } from '../rest/json-text.ts';
import { runAtOnce } from '../rows/sliced-work.ts';
import { cellsOf } from './column-cells.ts';
import type { FileSpec } from './export-messages.ts';

type Columns = ReadonlyMap<FieldId, Column>;

/** Makes the bytes of one file. */
export interface FileMaker {
  begin(): Uint8Array;
  rows(rows: number, columns: Columns): Promise<Uint8Array>;
  end(): Promise<Uint8Array>;
}

const NOTHING = new Uint8Array(0);

export function fileMaker(file: FileSpec): FileMaker {
  if (file.format === 'parquet') return new ParquetMaker(file.schema, file.fields);
  return file.format === 'numpy' ? new NumpyMaker(file) : new JsonLinesMaker(file.schema, file.fields);
}

/** A column of a file: a field, or an array of structs, whose sub-fields are put together. */
interface Source {
  readonly name: string;
  readonly nullable: boolean;
  readonly members: readonly FieldSchema[];
  readonly isStruct: boolean;
}

function sourcesOf(schema: CollectionSchema, fields: readonly FieldId[]): readonly Source[] {
  const structs = schema.structArrays
    .filter((struct) => struct.fieldIds.some((id) => fields.includes(id)))
    .map((struct) => ({
      name: struct.name,
      nullable: struct.nullable,
      members: subFieldsOf(schema, struct),
      isStruct: true,
    }));
  const inStructs = new Set(structs.flatMap(({ members }) => members.map(({ id }) => id)));
  const plain = fields
    .filter((id) => !inStructs.has(id))
    .map((id) => fieldById(schema, id)!)
    .map((field) => ({ name: field.name, nullable: field.nullable, members: [field], isStruct: false }));
  return [...plain, ...structs];
}

/** Values of a source; of structs an array of objects for each row. */
function sourceCells(source: Source, columns: Columns, cells: (column: Column) => CellValue[]): CellValue[] {
  const own = source.members.map(({ id }) => cells(columns.get(id)!));
  if (!source.isStruct) return own[0]!;
  return own[0]!.map((first, row) => {
    if (first === null) return null;
    return (first as readonly CellValue[]).map((_, at) =>
      Object.fromEntries(
        source.members.map((field, member) => [
          plainFieldName(field),
          (own[member]![row] as readonly CellValue[])[at]!,
        ]),
      ),
    );
  });
}

class ParquetMaker implements FileMaker {
  readonly #sources: readonly Source[];
  readonly #writer: ParquetFileWriter;

  constructor(schema: CollectionSchema, fields: readonly FieldId[]) {
    this.#sources = sourcesOf(schema, fields);
    this.#writer = new ParquetFileWriter(this.#sources.map(writtenField));
  }

  begin(): Uint8Array {
    return NOTHING;
  }

  async rows(rows: number, columns: Columns): Promise<Uint8Array> {
    const cells = new Map(
      this.#sources.map((source) => [
        source.name,
        sourceCells(source, columns, (column) => cellsOf(column, 'bytes')).map((value) =>
          isSparse(source) && value !== null ? jsonText(value) : value,
        ),
      ]),
    );
    return await this.#writer.write(rows, cells);
  }

  end(): Promise<Uint8Array> {
    return this.#writer.finish();
  }
}

function isSparse({ members }: Source): boolean {
  return members[0]!.dataType === DataType.SparseFloatVector;
}

function writtenField({ name, nullable, members, isStruct }: Source): WrittenField {
  if (!isStruct) return { name, nullable, type: writtenType(members[0]!.dataType, members[0]!) };
  const struct = Object.fromEntries(
    members.map((field) => [plainFieldName(field), writtenType(field.elementType!, field)]),
  );
  return { name, nullable, type: { list: { struct } } };
}

function writtenType(type: DataType, field: FieldSchema): WrittenType {
  switch (type) {
    case DataType.Bool:
      return 'bool';
    case DataType.Int8:
      return 'int8';
    case DataType.Int16:
      return 'int16';
    case DataType.Int32:
      return 'int32';
    case DataType.Int64:
      return 'int64';
    case DataType.Float:
      return 'float';
    case DataType.Double:
      return 'double';
    case DataType.FloatVector:
      return { list: 'float' };
    case DataType.Int8Vector:
      return { list: 'int8' };
    case DataType.BinaryVector:
    case DataType.Float16Vector:
    case DataType.BFloat16Vector:
      return { list: 'uint8' };
    case DataType.Array:
      return { list: writtenType(field.elementType!, field) };
    default:
      return 'text';
  }
}

/** Floats by the fewest digits that say them. */
class JsonLinesMaker implements FileMaker {
  readonly #sources: readonly Source[];

  constructor(schema: CollectionSchema, fields: readonly FieldId[]) {
    this.#sources = sourcesOf(schema, fields);
  }

  begin(): Uint8Array {
    return NOTHING;
  }

  async rows(rows: number, columns: Columns): Promise<Uint8Array> {
    const cells = this.#sources.map((source) => {
      const own = sourceCells(source, columns, (column) => {
        const values = cellsOf(column, 'numbers');
        return isOfFloats(column) ? values.map(shortFloats) : values;
      });
      const isJson = source.members[0]!.dataType === DataType.JSON;
      const name = JSON.stringify(source.name);
      return own.map(
        (value) => `${name}:${isJson && value !== null ? oneLine(value as string) : jsonText(value)}`,
      );
    });
    const lines = Array.from({ length: rows }, (_, row) => `{${cells.map((own) => own[row]).join(',')}}\n`);
    return Buffer.from(lines.join(''));
  }

  async end(): Promise<Uint8Array> {
    return NOTHING;
  }
}

/** JSON text has line ends between its values only. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}

function isOfFloats(column: Column): boolean {
  if ('elements' in column) return isOfFloats(column.elements);
  const { dataType } = column;
  return (
    dataType === DataType.Float ||
    dataType === DataType.FloatVector ||
    dataType === DataType.Float16Vector ||
    dataType === DataType.BFloat16Vector ||
    dataType === DataType.SparseFloatVector
  );
}

function shortFloats(value: CellValue): CellValue {
  if (typeof value === 'number') return shortestDouble(value);
  if (Array.isArray(value)) return value.map(shortFloats);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shortFloats(one as CellValue)]));
}

function jsonText(value: CellValue): string {
  return runAtOnce(jsonPieces(value as JsonOut, 'number')).join('');
}

const NUMPY_TYPES: Readonly<Partial<Record<DataType, string>>> = {
  [DataType.Bool]: '|b1',
  [DataType.Int8]: '|i1',
  [DataType.Int16]: '<i2',
  [DataType.Int32]: '<i4',
  [DataType.Int64]: '<i8',
  [DataType.Float]: '<f4',
  [DataType.Double]: '<f8',
  [DataType.FloatVector]: '<f4',
  [DataType.Int8Vector]: '|i1',
  [DataType.BinaryVector]: '|u1',
  [DataType.Float16Vector]: '|u1',
  [DataType.BFloat16Vector]: '|u1',
};

class NumpyMaker implements FileMaker {
  readonly #file: Extract<FileSpec, { format: 'numpy' }>;
  readonly #field: FieldSchema;

  constructor(file: Extract<FileSpec, { format: 'numpy' }>) {
    this.#file = file;
    this.#field = fieldById(file.schema, file.field)!;
  }

  begin(): Uint8Array {
    const { rows, width } = this.#file;
    const { dataType, dim } = this.#field;
    const type = NUMPY_TYPES[dataType];
    if (type === undefined) return npyHeader(`<U${width}`, [rows]);
    if (dim === null) return npyHeader(type, [rows]);
    const bytes = denseVectorBytes(dataType as never, dim);
    return npyHeader(type, [rows, dataType === DataType.FloatVector ? dim : bytes]);
  }

  async rows(_rows: number, columns: Columns): Promise<Uint8Array> {
    const column = columns.get(this.#file.field)!;
    if ('dim' in column)
      return column.bytes.subarray(0, column.length * denseVectorBytes(column.dataType, column.dim));
    if (NUMPY_TYPES[column.dataType] === undefined)
      return fixedTexts(cellsOf(column, 'numbers') as string[], this.#file.width);
    assert('values' in column, 'numbers are values');
    const { buffer, byteOffset, BYTES_PER_ELEMENT } = column.values;
    return new Uint8Array(buffer, byteOffset, column.length * BYTES_PER_ELEMENT);
  }

  async end(): Promise<Uint8Array> {
    return NOTHING;
  }
}

/** How many characters the longest text of a column has, at least 1. */
export function longestText(column: Column): number {
  return Math.max(1, ...cellsOf(column, 'numbers').map((text) => [...(text as string)].length));
}
