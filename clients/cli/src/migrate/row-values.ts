import { createHash } from 'node:crypto';
import { decode, type schema_FieldData } from '@elanus/proto';

/** A value that is compared: texts, numbers, and lists of them. */
export type RowValue =
  | null
  | boolean
  | number
  | string
  | readonly RowValue[]
  | { readonly [key: string]: RowValue };

export interface DecodedColumn {
  readonly name: string;
  readonly length: number;
  valueAt(row: number): RowValue;
}

/** Columns of a read, whatever server they come from. */
export function decodedColumns(fieldsData: readonly Uint8Array[]): readonly DecodedColumn[] {
  return fieldsData.map((bytes) => {
    const field = decode('schema.FieldData', bytes);
    return decodedColumn(field, field.isDynamic ? '$meta' : field.fieldName);
  });
}

function decodedColumn(field: schema_FieldData, name: string): DecodedColumn {
  const { length, valueAt } = valuesOf(field);
  const { validData } = field;
  if (validData.length === 0) return { name, length, valueAt };
  // Some servers leave a place for what is null, others do not.
  const isDense = length === validData.length;
  const places: number[] = [];
  let present = 0;
  for (const [row, isValid] of validData.entries()) {
    places.push(isValid ? (isDense ? row : present) : -1);
    if (isValid) present++;
  }
  return {
    name,
    length: validData.length,
    valueAt: (row) => (places[row]! < 0 ? null : valueAt(places[row]!)),
  };
}

interface Values {
  readonly length: number;
  valueAt(row: number): RowValue;
}

function listed(data: readonly unknown[], rowValue: (value: never) => RowValue): Values {
  return { length: data.length, valueAt: (row) => rowValue(data[row] as never) };
}

const same = (value: boolean | number | string): RowValue => value;
const digits = (value: bigint): RowValue => String(value);

function valuesOf({ scalars, vectors, structArrays }: schema_FieldData): Values {
  if (structArrays !== undefined) {
    const members = structArrays.fields.map((member) => decodedColumn(member, member.fieldName));
    return {
      length: members[0]?.length ?? 0,
      valueAt: (row) => Object.fromEntries(members.map((member) => [member.name, member.valueAt(row)])),
    };
  }
  if (vectors !== undefined) return vectorsOf(vectors);
  if (scalars === undefined) return listed([], same);
  if (scalars.boolData) return listed(scalars.boolData.data, same);
  if (scalars.intData) return listed(scalars.intData.data, same);
  if (scalars.longData) return listed(scalars.longData.data, digits);
  if (scalars.floatData) return listed(scalars.floatData.data, same);
  if (scalars.doubleData) return listed(scalars.doubleData.data, same);
  if (scalars.stringData) return listed(scalars.stringData.data, same);
  if (scalars.geometryWktData) return listed(scalars.geometryWktData.data, same);
  if (scalars.timestamptzData) return listed(scalars.timestamptzData.data, digits);
  if (scalars.jsonData) return listed(scalars.jsonData.data, jsonValue);
  if (scalars.arrayData)
    return listed(scalars.arrayData.data, (row: NonNullable<schema_FieldData['scalars']>) => {
      const elements = valuesOf({
        scalars: row,
        vectors: undefined,
        structArrays: undefined,
      } as schema_FieldData);
      return Array.from({ length: elements.length }, (_, at) => elements.valueAt(at));
    });
  return listed([], same);
}

function vectorsOf(vectors: NonNullable<schema_FieldData['vectors']>): Values {
  const dim = Number(vectors.dim);
  const { floatVector, sparseFloatVector, vectorArray } = vectors;
  if (floatVector !== undefined) {
    const { data } = floatVector;
    return { length: data.length / dim, valueAt: (row) => [...data.slice(row * dim, (row + 1) * dim)] };
  }
  if (sparseFloatVector !== undefined) return listed(sparseFloatVector.contents, hexOf);
  if (vectorArray !== undefined)
    return listed(vectorArray.data, (row: NonNullable<schema_FieldData['vectors']>) => {
      const own = vectorsOf({ ...row, dim: vectors.dim });
      return Array.from({ length: own.length }, (_, at) => own.valueAt(at));
    });
  const [bytes, size] =
    vectors.binaryVector !== undefined
      ? [vectors.binaryVector, dim / 8]
      : vectors.int8Vector !== undefined
        ? [vectors.int8Vector, dim]
        : [vectors.float16Vector ?? vectors.bfloat16Vector ?? new Uint8Array(0), 2 * dim];
  return {
    length: bytes.length / size,
    valueAt: (row) => hexOf(bytes.subarray(row * size, (row + 1) * size)),
  };
}

function hexOf(bytes: Uint8Array): RowValue {
  return Buffer.from(bytes).toString('hex');
}

/** What JSON says, whatever the order of its keys. */
function jsonValue(bytes: Uint8Array): RowValue {
  const text = Buffer.from(bytes).toString();
  try {
    return ordered(JSON.parse(text) as RowValue);
  } catch {
    return text;
  }
}

function ordered(value: RowValue): RowValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(ordered);
  const entries = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, one]) => [key, ordered(one as RowValue)]));
}

/** A sum over rows that does not depend on their order; two collections of the same rows have the same. */
export class RowChecksum {
  #sum = 0n;
  rows = 0;

  /** `each` is told the row and its hash. */
  add(columns: readonly DecodedColumn[], each: (row: number, hash: bigint) => void = () => {}): void {
    const sorted = [...columns].sort((left, right) => (left.name < right.name ? -1 : 1));
    const length = sorted[0]?.length ?? 0;
    for (let row = 0; row < length; row++) {
      const hash = createHash('sha256');
      for (const column of sorted) {
        const value = column.valueAt(row);
        // An empty object of undeclared keys is the same as none.
        if (column.name === '$meta' && (value === null || Object.keys(value as object).length === 0))
          continue;
        hash.update(JSON.stringify([column.name, value]));
      }
      const own = hash.digest().readBigUInt64LE();
      this.#sum = BigInt.asUintN(64, this.#sum + own);
      each(row, own);
    }
    this.rows += length;
  }

  get text(): string {
    return this.#sum.toString(16).padStart(16, '0');
  }
}
