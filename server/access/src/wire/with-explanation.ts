import { encode } from '@elanus/proto';
import { MessageWriter } from './message-writer.ts';

/** Where a client finds it. */
export const EXPLAIN_INFO = 'explain';

/** `status` of SearchResults and of QueryResults. */
const STATUS = 1;

/**
 * A successful answer whose status also has an explanation. Members of protobuf messages may stand in any order, and a
 * message that comes twice is one with the members of both.
 */
export function withExplanation(answer: Uint8Array, explanation: string): Uint8Array {
  const status = encode('common.Status', { extraInfo: new Map([[EXPLAIN_INFO, explanation]]) });
  const end = new MessageWriter().bytes(STATUS, status).finish();
  const whole = new Uint8Array(answer.length + end.length);
  whole.set(answer);
  whole.set(end, answer.length);
  return whole;
}
