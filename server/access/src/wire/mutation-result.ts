import type { KeyColumn, Timestamp } from '@elanus/model';
import { writeIds } from './field-data-writer.ts';
import { MessageWriter } from './message-writer.ts';

/** What an Insert, Upsert or Delete answers. */
export interface MutationReply {
  /** The keys of the rows in the request's order; `null` for a delete. */
  readonly keys: KeyColumn | null;
  readonly insertedRows: number;
  readonly deletedRows: number;
  readonly upsertedRows: number;
  readonly timestamp: Timestamp;
}

const RESULT = {
  status: 1,
  ids: 2,
  successIndex: 3,
  insertCount: 6,
  deleteCount: 7,
  upsertCount: 8,
  timestamp: 9,
} as const;

/** `milvus.MutationResult` of a success: every row succeeded. */
export function encodeMutationResult(reply: MutationReply): Uint8Array {
  const { keys } = reply;
  const writer = new MessageWriter().bytes(RESULT.status, new Uint8Array(0));
  if (keys) {
    writer.message(RESULT.ids, (ids) => writeIds(ids, keys));
    writer.bytes(RESULT.successIndex, firstNumbers(keys.length));
  }
  return writer
    .number(RESULT.insertCount, reply.insertedRows)
    .number(RESULT.deleteCount, reply.deletedRows)
    .number(RESULT.upsertCount, reply.upsertedRows)
    .number(RESULT.timestamp, reply.timestamp)
    .finish();
}

/** Numbers that are encoded beforehand: their varints one after the other begin with those of every shorter list. */
const PREPARED_NUMBERS = 16_384;
const prepared = encodeFirstNumbers(PREPARED_NUMBERS);

/** 0, 1, ... `count - 1` as packed varints. */
function firstNumbers(count: number): Uint8Array {
  return count <= PREPARED_NUMBERS ? prepared.subarray(0, lengthOf(count)) : encodeFirstNumbers(count);
}

/** Bytes of the varints below `count`: one each, one more from 2^7 on, one more from 2^14 on, ... */
function lengthOf(count: number): number {
  let length = count;
  for (let limit = 0x80; limit < count; limit *= 0x80) length += count - limit;
  return length;
}

function encodeFirstNumbers(count: number): Uint8Array {
  const bytes = new Uint8Array(lengthOf(count));
  let at = 0;
  for (let number = 0; number < count; number++) {
    let rest = number;
    for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
  }
  return bytes;
}
