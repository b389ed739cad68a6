import {
  type CollectionInfo,
  type CollectionSchema,
  type Column,
  type FieldId,
  type FieldSchema,
  functionOfOutput,
  invalidParameter,
  lastValueOf,
  MilvusError,
  type RowBatch,
  unexpectedParameter,
} from '@elanus/model';
import { isTrue } from '../definition/key-values.ts';
import { timeZoneOf } from '../definition/timezone.ts';
import type { AccessDependencies } from '../handler.ts';
import { constantColumn, constantRowBytes, withDefaults } from '../rows/constant-column.ts';
import type { Work } from '../rows/sliced-work.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { type ColumnContext, isAllNull, readColumn } from '../wire/column-reader.ts';
import type { FieldData } from '../wire/field-data.ts';
import { checkStructs } from './check-structs.ts';
import { checkValues } from './check-values.ts';
import { addFunctionColumns, type FunctionOptions } from './function-columns.ts';
import { generatedKeys } from './generated-keys.ts';
import { matchColumns, type SentColumns } from './sent-columns.ts';

/** Rows as an Insert or an Upsert brings them. */
export interface SentRows {
  readonly fieldsData: readonly Uint8Array[];
  readonly numRows: number;
}
export type WriteKind = 'insert' | 'upsert';

/** A request may not make more bytes of defaults, nulls and generated keys than this. */
const FILLED_BYTES_MAX = 512 * 1024 * 1024;
const KEY_BYTES = 32;

/**
 * Checks everything about the rows of a request and completes them: defaults, nulls, `$meta`, generated keys, and what
 * functions make of them.
 * The batch has a column for every field of the schema; its buffers are partly the request's.
 * @throws MilvusError 1100 and 1102 with what is wrong, 2400 for a model that does not answer; then no id has been taken
 */
export async function readRows(
  sent: SentRows,
  collection: CollectionInfo,
  kind: WriteKind,
  dependencies: Pick<AccessDependencies, 'root' | 'share' | 'models'>,
  options: FunctionOptions,
): Promise<RowBatch> {
  const { root, share } = dependencies;
  const { numRows: length } = sent;
  if (length === 0) {
    throw unexpectedParameter('invalid num_rows', '0', 'num_rows should be greater than 0');
  }
  const columns = await runInSlices(readColumns(sent, collection, kind), share);
  await addFunctionColumns(columns, collection.schema, dependencies, options);
  const { primaryKey } = collection.schema;
  if (!columns.has(primaryKey.id)) {
    const first = await root.allocateIds(length);
    columns.set(primaryKey.id, await runInSlices(generatedKeys(first, length, primaryKey), share));
  }
  return { length, columns };
}

function* readColumns(
  { fieldsData, numRows }: SentRows,
  collection: CollectionInfo,
  kind: WriteKind,
): Work<Map<FieldId, Column>> {
  const { schema } = collection;
  const sent = yield* matchColumns(fieldsData, collection);
  checkKeySource(sent, collection, kind);
  const given = schema.fields.filter((field) => functionOfOutput(schema, field.id) === undefined);
  const fields = schema.dynamicField ? [...given, schema.dynamicField] : given;
  const fieldNames = new Set(schema.fields.map((field) => field.name));
  const context = { timeZone: timeZoneOf(collection) };
  const columns = new Map<FieldId, Column>();
  for (const field of fields) {
    const column = sent.get(field.id);
    if (column) columns.set(field.id, yield* readSentColumn(column, field, numRows, fieldNames, context));
    else checkMayBeMissing(field, schema);
  }
  for (const struct of schema.structArrays) checkStructs(struct, schema, columns);
  const missing = fields.filter((field) => !sent.has(field.id));
  checkFilledBytes(missing, numRows);
  for (const field of missing) {
    if (!isGenerated(field)) columns.set(field.id, yield* constantColumn(field, numRows));
    yield;
  }
  return columns;
}

function isGenerated(field: FieldSchema): boolean {
  return field.isPrimaryKey && field.autoId;
}

/** An automatic key comes from the server on insert and from the client on upsert. */
function checkKeySource(sent: SentColumns, { schema, properties }: CollectionInfo, kind: WriteKind): void {
  const { primaryKey } = schema;
  if (!primaryKey.autoId) return;
  const isSent = sent.has(primaryKey.id);
  if (kind === 'upsert' && !isSent) {
    throw invalidParameter(
      `upsert can not assign primary field data when auto id enabled ${primaryKey.name}`,
    );
  }
  const mayInsert = isTrue(lastValueOf(properties, 'allow_insert_auto_id'));
  if (kind === 'insert' && isSent && !mayInsert) {
    throw invalidParameter(`can not assign primary field data when auto id enabled ${primaryKey.name}`);
  }
}

function checkMayBeMissing(field: FieldSchema, { structArrays }: CollectionSchema): void {
  if (field.nullable || field.defaultValue !== null || isGenerated(field)) return;
  const struct = structArrays.find(({ fieldIds }) => fieldIds.includes(field.id));
  if (struct !== undefined) {
    throw invalidParameter(`required struct array field '${struct.name}' is missing in insert data`);
  }
  throw invalidParameter(`fieldSchema(${field.name}) has no corresponding fieldData pass in`);
}

/** Sent columns prove the number of rows; what is missing costs memory that nobody has sent. */
function checkFilledBytes(missing: readonly FieldSchema[], rows: number): void {
  const rowBytes = missing.reduce(
    (sum, field) => sum + (isGenerated(field) ? KEY_BYTES : constantRowBytes(field)),
    0,
  );
  if (rowBytes * rows <= FILLED_BYTES_MAX) return;
  throw new MilvusError(`${rows} rows with ${missing.length} columns to be filled: parameter too large`, {
    code: 1102,
    inputError: true,
  });
}

/** One column as it was sent, complete and checked. @throws MilvusError 1100 */
export function* readSentColumn(
  sent: FieldData,
  field: FieldSchema,
  rows: number,
  fieldNames: ReadonlySet<string>,
  context: ColumnContext,
): Work<Column> {
  checkMayBeNull(sent, field);
  const isEmpty = isAllNull(sent) && sent.validity.length === rows;
  const column = isEmpty
    ? yield* constantColumn({ ...field, defaultValue: null }, rows)
    : yield* readColumn(sent, field, rows, context);
  const complete = field.defaultValue === null ? column : yield* withDefaults(column, field.defaultValue);
  yield* checkValues(complete, field, fieldNames);
  return complete;
}

function checkMayBeNull(sent: FieldData, field: FieldSchema): void {
  if (sent.validity.length === 0) return;
  if (field.isPrimaryKey) throw invalidParameter('primary field not support null');
  if (field.nullable || field.defaultValue !== null) return;
  throw invalidParameter(`field ${field.name} is not nullable, its valid_data should be empty`);
}
