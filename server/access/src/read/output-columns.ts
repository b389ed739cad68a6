import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  isSubField,
  type JsonColumn,
  type KeyColumn,
  type StructArraySchema,
  structOf,
} from '@elanus/model';
import type { RowLocations } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import type { FieldOutput, OutputColumn } from '../wire/output-column.ts';
import { type InstantFormat, writtenInstants } from './instant-format.ts';
import { keepMembers } from './json-members.ts';
import type { OutputFields } from './output-fields.ts';

/** Fetches the columns of the rows that were found; the primary key is known already. */
export async function fetchOutput(
  { reader, share }: Pick<AccessDependencies, 'reader' | 'share'>,
  collection: CollectionInfo,
  found: { readonly keys: KeyColumn; readonly locations: RowLocations },
  output: OutputFields,
  format: InstantFormat,
): Promise<readonly OutputColumn[]> {
  if (output.fields.length === 0) return [];
  const wanted = output.fields.filter((field) => !field.isPrimaryKey).map((field) => field.id);
  const columns: ReadonlyMap<FieldId, Column> =
    wanted.length === 0 ? new Map() : await reader.fetch(collection.id, found.locations, wanted);
  const answered: OutputColumn[] = [];
  const structs = new Map<StructArraySchema, FieldOutput[]>();
  for (const field of output.fields) {
    const column = field.isPrimaryKey ? found.keys : columns.get(field.id)!;
    if (column.dataType === DataType.Timestamptz) {
      answered.push(await runInSlices(writtenInstants(field, column, format), share));
      continue;
    }
    const isRestricted = field.isDynamic && output.dynamicKeys && column.dataType === DataType.JSON;
    const kept = isRestricted ? await runInSlices(onlyKeys(column, output.dynamicKeys), share) : column;
    const struct = isSubField(field) ? structOf(collection.schema, field) : undefined;
    if (struct === undefined) {
      answered.push({ field, column: kept });
      continue;
    }
    const subFields = structs.get(struct) ?? [];
    if (subFields.length === 0) answered.push({ struct, subFields });
    structs.set(struct, subFields);
    subFields.push({ field, column: kept });
  }
  return answered;
}

/** Bytes of `$meta` that are looked through in about half a millisecond. */
const SLICE_BYTES = 128 * 1024;
const [OPEN, CLOSE] = [Buffer.from('{'), Buffer.from('}')];

/** Each row's object with none but `keys`. */
function* onlyKeys(column: JsonColumn, keys: ReadonlySet<string>): Work<JsonColumn> {
  const source = Buffer.from(column.bytes.buffer, column.bytes.byteOffset, column.bytes.byteLength);
  const parts: Buffer[] = [];
  const offsets = new Uint32Array(column.length + 1);
  let sliceEnd = SLICE_BYTES;
  for (let row = 0; row < column.length; row += 1) {
    const end = column.offsets[row + 1]!;
    const members = keepMembers(source.subarray(column.offsets[row]!, end), keys);
    parts.push(OPEN, members, CLOSE);
    offsets[row + 1] = offsets[row]! + OPEN.length + members.length + CLOSE.length;
    if (end > sliceEnd) {
      sliceEnd = end + SLICE_BYTES;
      yield;
    }
  }
  return {
    dataType: DataType.JSON,
    length: column.length,
    validity: null,
    offsets,
    bytes: Buffer.concat(parts),
  };
}
