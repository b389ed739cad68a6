import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { CellValue } from '../columns.ts';

/** What a column holds. Numbers of 64 bits are bigints, those of lists of bytes 0 to 255. */
export type WrittenType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'float'
  | 'double'
  | 'text'
  | { readonly list: WrittenType }
  | { readonly struct: Readonly<Record<string, WrittenType>> };

export interface WrittenField {
  readonly name: string;
  readonly type: WrittenType;
  readonly nullable: boolean;
}

const PHYSICAL = {
  bool: { type: 'BOOLEAN' },
  int8: { type: 'INT32', converted_type: 'INT_8' },
  int16: { type: 'INT32', converted_type: 'INT_16' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  uint8: { type: 'INT32', converted_type: 'UINT_8' },
  float: { type: 'FLOAT' },
  double: { type: 'DOUBLE' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
} as const;

/** A Parquet file, row group by row group: what was made is handed out, and only the footer's numbers are kept. */
export class ParquetFileWriter {
  readonly #fields: readonly WrittenField[];
  readonly #bytes = new ByteWriter();
  readonly #writer: ParquetWriter;

  constructor(fields: readonly WrittenField[]) {
    this.#fields = fields;
    const schema: SchemaElement[] = [{ name: 'schema', num_children: fields.length }];
    for (const { name, type, nullable } of fields)
      schema.push(...elementsOf(name, type, nullable ? 'OPTIONAL' : 'REQUIRED'));
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'elanus' });
  }

  /** Rows as one row group, a list of values for each field; resolves to the bytes that were made. */
  async write(rows: number, columns: ReadonlyMap<string, readonly CellValue[]>): Promise<Uint8Array> {
    await this.#writer.write({
      columnData: this.#fields.map(({ name, type }) => ({
        name,
        data: columns.get(name) as never,
        // Elements of vectors hardly ever come twice; runs of flags are more than Milvus 2.3 can read.
        ...(typeof type === 'object' ? { encoding: 'PLAIN' as const, statistics: false } : {}),
        ...(type === 'bool' ? { encoding: 'PLAIN' as const } : {}),
      })),
      rowGroupSize: rows,
    });
    return this.#taken();
  }

  /** The footer. */
  async finish(): Promise<Uint8Array> {
    await this.#writer.finish();
    return this.#taken();
  }

  /** The writer counts what it has made by `offset`; `index` says where it goes on in its buffer. */
  #taken(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}

function elementsOf(
  name: string,
  type: WrittenType,
  repetition_type: 'OPTIONAL' | 'REQUIRED' | 'REPEATED',
): SchemaElement[] {
  if (typeof type === 'string') return [{ name, repetition_type, ...PHYSICAL[type] }];
  if ('list' in type)
    return [
      { name, repetition_type, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elementsOf('element', type.list, 'REQUIRED'),
    ];
  const members = Object.entries(type.struct);
  return [
    { name, repetition_type, num_children: members.length },
    ...members.flatMap(([member, own]) => elementsOf(member, own, 'REQUIRED')),
  ];
}
