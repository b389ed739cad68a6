import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  type JsonColumn,
  type KeyColumn,
} from '@elanus/model';
import type { RowLocations } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import type { OutputColumn } from '../wire/output-column.ts';
import type { OutputFields } from './output-fields.ts';

/** Fetches the columns of the rows that were found; the primary key is known already. */
export async function fetchOutput(
  { reader }: Pick<AccessDependencies, 'reader'>,
  collection: CollectionInfo,
  found: { readonly keys: KeyColumn; readonly locations: RowLocations },
  output: OutputFields,
): Promise<readonly OutputColumn[]> {
  const wanted = output.fields.filter((field) => !field.isPrimaryKey).map((field) => field.id);
  const columns: ReadonlyMap<FieldId, Column> =
    wanted.length === 0 ? new Map() : await reader.fetch(collection.id, found.locations, wanted);
  return output.fields.map((field) => {
    if (field.isPrimaryKey) return { field, column: found.keys };
    const column = columns.get(field.id)!;
    const restricted = field.isDynamic && output.dynamicKeys && column.dataType === DataType.JSON;
    return { field, column: restricted ? onlyKeys(column, output.dynamicKeys) : column };
  });
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Each row's object with none but `keys`. Numbers keep the digits that the client wrote. */
function onlyKeys(column: JsonColumn, keys: ReadonlySet<string>): JsonColumn {
  const rows: Uint8Array[] = [];
  const offsets = new Uint32Array(column.length + 1);
  for (let row = 0; row < column.length; row += 1) {
    const text = decoder.decode(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!));
    const kept = encoder.encode(keepKeys(text, keys));
    rows.push(kept);
    offsets[row + 1] = offsets[row]! + kept.length;
  }
  return {
    dataType: DataType.JSON,
    length: column.length,
    validity: null,
    offsets,
    bytes: Buffer.concat(rows),
  };
}

function keepKeys(text: string, keys: ReadonlySet<string>): string {
  if (text === '' || text === '{}') return '{}';
  const object = exactJson.parse(text, exactNumbers) as object;
  return JSON.stringify(Object.fromEntries(Object.entries(object).filter(([key]) => keys.has(key))));
}

/** JSON as the language has it since 2025; the compiler's library does not know these members yet. */
const exactJson = JSON as unknown as {
  parse(text: string, reviver: typeof exactNumbers): unknown;
  rawJSON(text: string): unknown;
};

/** JSON.parse rounds integers beyond 2^53: they are kept as the text they were. */
function exactNumbers(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value) && context.source !== undefined;
  return isRounded ? exactJson.rawJSON(context.source!) : value;
}
