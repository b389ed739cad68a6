import { DataType, type FieldSchema, type Timestamp } from '@elanus/model';
import { FIELD_DATA, LIST_DATA, SCALARS } from './field-data-format.ts';
import { writeOutput } from './field-data-writer.ts';
import { MessageWriter } from './message-writer.ts';
import type { OutputColumn } from './output-column.ts';
import { SUCCESS_STATUS } from './status.ts';

/** Everything a Query answer says. */
export interface QueryReply {
  readonly collectionName: string;
  readonly primaryKey: FieldSchema;
  readonly columns: readonly OutputColumn[];
  readonly outputNames: readonly string[];
  /** Set on the first page of an iterator, otherwise 0. */
  readonly sessionTimestamp: Timestamp | 0n;
  /** Of an `element_filter`, the elements of each row that match; otherwise `null`. */
  readonly elementIndices: readonly (readonly number[])[] | null;
}

const RESULTS = {
  status: 1,
  fieldsData: 2,
  collectionName: 3,
  outputFields: 4,
  sessionTimestamp: 5,
  primaryFieldName: 6,
  elementIndices: 7,
} as const;
/** Of ElementIndices. */
const INDICES = 1;
const COUNT_NAME = 'count(*)';

/** `milvus.QueryResults` of a success: one FieldData per column, also without rows. */
export function encodeQueryResults(reply: QueryReply): Uint8Array {
  const writer = new MessageWriter();
  writer.bytes(RESULTS.status, SUCCESS_STATUS);
  for (const output of reply.columns)
    writer.message(RESULTS.fieldsData, (member) => writeOutput(member, output));
  writer.text(RESULTS.collectionName, reply.collectionName);
  for (const name of reply.outputNames) writer.text(RESULTS.outputFields, name);
  writer.number(RESULTS.sessionTimestamp, reply.sessionTimestamp);
  writer.text(RESULTS.primaryFieldName, reply.primaryKey.name);
  for (const indices of reply.elementIndices ?? []) {
    writer.message(RESULTS.elementIndices, (member) => {
      member.message(INDICES, (list) => list.varints(LIST_DATA, indices));
    });
  }
  return writer.finish();
}

/** The answer to `count(*)`: one row of one Int64 column. */
export function encodeCount(collectionName: string, count: bigint): Uint8Array {
  const writer = new MessageWriter();
  writer.bytes(RESULTS.status, SUCCESS_STATUS);
  writer.message(RESULTS.fieldsData, (member) => {
    member.number(FIELD_DATA.type, DataType.Int64);
    member.text(FIELD_DATA.fieldName, COUNT_NAME);
    member.message(FIELD_DATA.scalars, (scalars) => {
      scalars.message(SCALARS.long, (list) => list.varints(LIST_DATA, [count]));
    });
  });
  writer.text(RESULTS.collectionName, collectionName);
  writer.text(RESULTS.outputFields, COUNT_NAME);
  return writer.finish();
}
