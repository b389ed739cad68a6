import { encode } from '@elanus/proto';
import { MessageWriter } from './message-writer.ts';

/** Where a client finds what was explained. */
export const EXPLAIN_INFO = 'explain';
/** Where a client finds what the log of a collection has lost: the answer is one without these writes. A property of the collection has it, too. */
export const LOST_WRITES_INFO = 'elanus.lost_writes';

/** `status` of SearchResults and of QueryResults. */
const STATUS = 1;

/**
 * A successful answer whose status also has this among its `extra_info`. Members of protobuf messages may stand in any
 * order, and a message that comes twice is one with the members of both.
 */
export function withInfo(
  answer: Uint8Array,
  key: typeof EXPLAIN_INFO | typeof LOST_WRITES_INFO,
  text: string,
): Uint8Array {
  const status = encode('common.Status', { extraInfo: new Map([[key, text]]) });
  const end = new MessageWriter().bytes(STATUS, status).finish();
  const whole = new Uint8Array(answer.length + end.length);
  whole.set(answer);
  whole.set(end, answer.length);
  return whole;
}
