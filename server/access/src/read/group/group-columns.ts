import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldSchema,
  type JsonColumn,
  type VarCharColumn,
} from '@elanus/model';
import type { RowLocations, SearchHits } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import type { FieldOutput } from '../../wire/output-column.ts';
import type { SearchReply } from '../../wire/search-results.ts';
import type { FusedHit } from '../rank/fuse-hits.ts';
import { type GroupKey, type GroupValue, groupIdentity, groupValues } from './group-key.ts';
import type { Grouping } from './read-grouping.ts';

type Dependencies = Pick<AccessDependencies, 'reader'>;

/** Per key the values of rows. */
export async function valuesOfGroups(
  { reader }: Dependencies,
  collection: CollectionInfo,
  keys: readonly GroupKey[],
  locations: RowLocations,
): Promise<readonly (readonly GroupValue[])[]> {
  const fields = [...new Set(keys.map(({ field }) => field.id))];
  const columns = await reader.fetch(collection.id, locations, fields);
  return keys.map((key) => groupValues(columns.get(key.field.id)!, key));
}

/** Tells the groups of rows that several searches have found. */
export async function groupsOfLegs(
  dependencies: Dependencies,
  collection: CollectionInfo,
  keys: readonly GroupKey[],
  legs: readonly SearchHits[],
): Promise<(hit: FusedHit) => string> {
  const values: (readonly (readonly GroupValue[])[])[] = [];
  for (const { locations } of legs)
    values.push(await valuesOfGroups(dependencies, collection, keys, locations));
  return ({ places }) => {
    const leg = places.findIndex((place) => place >= 0);
    return groupIdentity(values[leg]!.map((column) => column[places[leg]!]!));
  };
}

/** What the answer says of the groups of its hits: one column a key, or nothing when hits are not grouped. */
export async function groupsOfHits(
  dependencies: Dependencies,
  collection: CollectionInfo,
  grouping: Grouping | null,
  { locations }: SearchHits,
): Promise<SearchReply['groups']> {
  if (grouping === null) return null;
  const columns = await groupColumns(dependencies, collection, grouping.keys, locations);
  return { columns, isPlural: grouping.isPlural };
}

async function groupColumns(
  { reader }: Dependencies,
  collection: CollectionInfo,
  keys: readonly GroupKey[],
  locations: RowLocations,
): Promise<readonly FieldOutput[]> {
  const fields = [...new Set(keys.map(({ field }) => field.id))];
  const columns = await reader.fetch(collection.id, locations, fields);
  return keys.map((key) => {
    const column = columns.get(key.field.id)!;
    if (key.path === null) return { field: key.field, column };
    const extracted = extractedColumn(groupValues(column, key), key);
    return { field: extractedField(key, extracted), column: extracted };
  });
}

function extractedField({ field, name }: GroupKey, { dataType }: Column): FieldSchema {
  return { ...field, name, dataType, nullable: true, isDynamic: false };
}

/** Values out of JSON as a column of their own type; values of any kind stay JSON. */
function extractedColumn(values: readonly GroupValue[], { type }: GroupKey): Column {
  const { length } = values;
  const flags = Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  const validity = flags.includes(0) ? flags : null;
  switch (type) {
    case 'bool':
      return {
        dataType: DataType.Bool,
        length,
        validity,
        values: Uint8Array.from(values, (value) => Number(value === true)),
      };
    case 'integer': {
      const numbers = values.map((value) =>
        BigInt.asIntN(64, BigInt((value as number | bigint | null) ?? 0)),
      );
      return { dataType: DataType.Int64, length, validity, values: BigInt64Array.from(numbers) };
    }
    case 'text': {
      const texts = values.map((value) => String(value ?? ''));
      return textColumn(DataType.VarChar, validity, texts);
    }
    case 'any': {
      const texts = values.map((value) =>
        typeof value === 'bigint' ? String(value) : JSON.stringify(value),
      );
      return textColumn(DataType.JSON, validity, texts);
    }
  }
}

function textColumn(
  dataType: typeof DataType.VarChar | typeof DataType.JSON,
  validity: Uint8Array | null,
  texts: readonly string[],
): Column {
  const runs = texts.map((text) => Buffer.from(text));
  const offsets = new Uint32Array(runs.length + 1);
  for (const [at, run] of runs.entries()) offsets[at + 1] = offsets[at]! + run.length;
  const column = { length: runs.length, validity, offsets, bytes: Buffer.concat(runs) };
  return { dataType, ...column } as VarCharColumn | JsonColumn;
}
