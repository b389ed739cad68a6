import {
  type ArrayColumn,
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  type FieldSchema,
  functionOfOutput,
  invalidInput,
  invalidParameter,
  type KeyColumn,
  type RowBatch,
  type SchemaFunction,
} from '@elanus/model';
import type { schema_FieldPartialUpdateOp } from '@elanus/proto';
import type { ReadOptions } from '@elanus/rpc';
import { timeZoneOf } from '../definition/timezone.ts';
import type { AccessDependencies } from '../handler.ts';
import { keyReader } from '../read/hits.ts';
import { constantColumn } from '../rows/constant-column.ts';
import { gatherRows } from '../rows/gather-rows.ts';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import { checkStructs } from './check-structs.ts';
import { type ArrayOperation, combineArrays } from './combine-arrays.ts';
import { addFunctionColumns } from './function-columns.ts';
import { mergeObjects } from './merge-objects.ts';
import { readSentColumn } from './read-rows.ts';
import { matchColumns } from './sent-columns.ts';

/** What a partial upsert brings: some fields of rows, each key once. */
export interface PartialRows {
  readonly keys: KeyColumn;
  readonly columns: ReadonlyMap<FieldId, Column>;
  /** By field what is to be done with its arrays; of fields that are not in it the new values replace the old ones. */
  readonly operations: ReadonlyMap<FieldId, ArrayOperation>;
}

/** Rows that are there already: `positions[i]` is the place of the i-th among those that were sent. */
export interface KnownRows {
  readonly positions: Uint32Array;
  /** Of every field that `fieldsToKeep` names. */
  readonly columns: ReadonlyMap<FieldId, Column>;
}

/** `FieldPartialUpdateOp.OpType`. */
const REPLACE = 0;
const OPERATIONS: ReadonlyMap<number, ArrayOperation> = new Map<number, ArrayOperation>([
  [1, 'append'],
  [2, 'remove'],
]);

/**
 * Reads and checks what was sent; of rows with the same key the last one counts.
 * @throws MilvusError 1100
 */
export function* readPartialRows(
  fieldsData: readonly Uint8Array[],
  length: number,
  collection: CollectionInfo,
  sentOperations: readonly schema_FieldPartialUpdateOp[],
): Work<PartialRows> {
  const { schema } = collection;
  const { primaryKey } = schema;
  const sent = yield* matchColumns(fieldsData, collection);
  if (!sent.has(primaryKey.id))
    throw invalidParameter(`the primary key ${primaryKey.name} is required in a partial update`);
  const fieldNames = new Set(schema.fields.map((field) => field.name));
  const context = { timeZone: timeZoneOf(collection) };
  const columns = new Map<FieldId, Column>();
  for (const field of fieldsOf(collection)) {
    const column = sent.get(field.id);
    if (column === undefined) continue;
    if (functionOfOutput(schema, field.id) !== undefined)
      throw invalidParameter(`field ${field.name} is made by a function and can't be given`);
    columns.set(field.id, yield* readSentColumn(column, field, length, fieldNames, context));
  }
  const operations = readOperations(sentOperations, collection, columns);
  const last = lastRows(columns.get(primaryKey.id) as KeyColumn);
  const kept = last.length === length ? columns : yield* gatherColumns(columns, last);
  return { keys: kept.get(primaryKey.id) as KeyColumn, columns: kept, operations };
}

function readOperations(
  sent: readonly schema_FieldPartialUpdateOp[],
  { schema }: CollectionInfo,
  columns: ReadonlyMap<FieldId, Column>,
): ReadonlyMap<FieldId, ArrayOperation> {
  const operations = new Map<FieldId, ArrayOperation>();
  for (const { fieldName, op } of sent) {
    const field = schema.fields.find(({ name }) => name === fieldName);
    if (field === undefined) throw invalidInput(`field_ops: field ${fieldName} not exist: invalid parameter`);
    if (!columns.has(field.id)) throw invalidParameter(`field_ops: field ${fieldName} has no data`);
    if (op === REPLACE) continue;
    const operation = OPERATIONS.get(op);
    if (operation === undefined) throw invalidParameter(`field_ops: unknown operation ${op}`);
    if (field.dataType !== DataType.Array || schema.structArrays.some((s) => s.fieldIds.includes(field.id)))
      throw invalidParameter(`field_ops: array operations need an Array field, ${fieldName} is none`);
    if (operations.has(field.id)) throw invalidParameter(`field_ops: duplicated field ${fieldName}`);
    operations.set(field.id, operation);
  }
  return operations;
}

/** The fields whose old values the update needs. */
export function fieldsToKeep(collection: CollectionInfo, { columns, operations }: PartialRows): FieldId[] {
  const { schema } = collection;
  return fieldsOf(collection)
    .filter(({ id, isDynamic }) => !columns.has(id) || operations.has(id) || isDynamic)
    .filter(({ id }) => isKept(functionOfOutput(schema, id), columns))
    .map(({ id }) => id);
}

/** Whether a field keeps its values: a model is asked again only when its text is another. */
function isKept(made: SchemaFunction | undefined, sent: ReadonlyMap<FieldId, Column>): boolean {
  return made === undefined || (made.type === 'TextEmbedding' && !sent.has(made.input));
}

/**
 * The rows as they are to be written: those that are known with what they keep, the others with defaults.
 * @throws MilvusError 1100 when a row that is not known lacks a field, or an array becomes too long
 */
export async function completeRows(
  dependencies: Pick<AccessDependencies, 'share' | 'models'>,
  collection: CollectionInfo,
  partial: PartialRows,
  known: KnownRows,
  options: ReadOptions,
): Promise<readonly RowBatch[]> {
  const { schema } = collection;
  const { share } = dependencies;
  const batches: RowBatch[] = [];
  const isKnown = new Uint8Array(partial.keys.length);
  for (const position of known.positions) isKnown[position] = 1;
  const others = Uint32Array.from([...isKnown.keys()].filter((row) => isKnown[row] === 0));
  for (const [rows, complete] of [
    [known.positions, mergedColumns(collection, partial, known)],
    [others, newColumns(collection, partial, others)],
  ] as const) {
    if (rows.length === 0) continue;
    const columns = await runInSlices(complete, share);
    for (const struct of schema.structArrays) checkStructs(struct, schema, columns);
    await addFunctionColumns(columns, schema, dependencies, options);
    batches.push({ length: rows.length, columns });
  }
  return batches;
}

function* mergedColumns(
  collection: CollectionInfo,
  { columns, operations }: PartialRows,
  known: KnownRows,
): Work<Map<FieldId, Column>> {
  const merged = new Map<FieldId, Column>();
  for (const field of fieldsOf(collection)) {
    const sent = columns.get(field.id);
    const kept = known.columns.get(field.id);
    const fresh = sent && (yield* gatherRows(sent, known.positions));
    const column =
      fresh && kept ? yield* combine(field, kept, fresh, operations.get(field.id)) : (fresh ?? kept);
    if (column !== undefined) merged.set(field.id, column);
  }
  return merged;
}

function* combine(
  field: FieldSchema,
  kept: Column,
  fresh: Column,
  operation: ArrayOperation | undefined,
): Work<Column> {
  if (kept.dataType === DataType.JSON && fresh.dataType === DataType.JSON)
    return yield* mergeObjects(kept, fresh);
  if (operation === undefined) return fresh;
  return yield* combineArrays(field, kept as ArrayColumn, fresh as ArrayColumn, operation);
}

function* newColumns(
  collection: CollectionInfo,
  { columns, operations }: PartialRows,
  rows: Uint32Array,
): Work<Map<FieldId, Column>> {
  const complete = new Map<FieldId, Column>();
  if (rows.length === 0) return complete;
  for (const field of fieldsOf(collection)) {
    if (functionOfOutput(collection.schema, field.id) !== undefined) continue;
    const sent = columns.get(field.id);
    if (sent === undefined) {
      if (!field.nullable && field.defaultValue === null)
        throw invalidParameter(`missing required field "${field.name}"`);
      complete.set(field.id, yield* constantColumn(field, rows.length));
      continue;
    }
    const fresh = yield* gatherRows(sent, rows);
    const isRemoval = operations.get(field.id) === 'remove';
    complete.set(
      field.id,
      isRemoval ? yield* combineArrays(field, fresh as ArrayColumn, fresh as ArrayColumn, 'remove') : fresh,
    );
  }
  return complete;
}

function fieldsOf({ schema }: CollectionInfo): readonly FieldSchema[] {
  return schema.dynamicField ? [...schema.fields, schema.dynamicField] : schema.fields;
}

/** The places of the rows that no later row has the key of, ascending. */
function lastRows(keys: KeyColumn): Uint32Array {
  const read = keyReader(keys);
  const seen = new Set<bigint | string>();
  const last: number[] = [];
  for (let row = keys.length - 1; row >= 0; row -= 1) {
    const key = read(row);
    if (seen.has(key)) continue;
    seen.add(key);
    last.push(row);
  }
  return Uint32Array.from(last.reverse());
}

function* gatherColumns(
  columns: ReadonlyMap<FieldId, Column>,
  rows: Uint32Array,
): Work<ReadonlyMap<FieldId, Column>> {
  const gathered = new Map<FieldId, Column>();
  for (const [id, column] of columns) gathered.set(id, yield* gatherRows(column, rows));
  return gathered;
}
