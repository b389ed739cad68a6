import { setTimeout as sleep } from 'node:timers/promises';
import type { LeanConnection } from '../wire/lean-connection.ts';
import { decode, type Request, request } from '../wire/messages.ts';

/** As the protocol numbers them. */
export const CONSISTENCY = { strong: 0, bounded: 2 } as const;

const SHOWN_WITHIN_S = 60;

/** A query for `count(*)` of the rows that `expr` finds; an empty one finds all. */
export function counting(collectionName: string, expr: string, level: number): Request {
  // Milvus 2.3 reads the level from the timestamp: 0 is strong, 2 bounded.
  const levels = { consistencyLevel: level, guaranteeTimestamp: level };
  return request('Query', { collectionName, expr, outputFields: ['count(*)'], ...levels });
}

/** What such a query was answered. @throws Error when it failed */
export function countOf(answer: Buffer): number {
  const { status, fieldsData } = decode('milvus.QueryResults', answer);
  if (status?.code || status?.errorCode) throw new Error(`Query: ${status.reason}`);
  const [field] = fieldsData as readonly { scalars: { longData: { data: readonly string[] } } }[];
  return Number(field!.scalars.longData.data[0]);
}

/** The rows of a collection, those of the last write among them. */
export async function countAll(connection: LeanConnection, collection: string): Promise<number> {
  const { path, frame } = counting(collection, '', CONSISTENCY.strong);
  return countOf(await connection.call(path, frame));
}

/** Resolves when a collection shows so many rows: Milvus does some time after they were written. */
export async function untilCounted(
  connection: LeanConnection,
  collection: string,
  rows: number,
): Promise<void> {
  for (let tries = 0; (await countAll(connection, collection)) !== rows; tries++) {
    if (tries === SHOWN_WITHIN_S) throw new Error('not all rows came to sight');
    await sleep(1_000);
  }
}
