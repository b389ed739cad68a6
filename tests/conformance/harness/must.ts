import assert from 'node:assert/strict';
import type { ResStatus } from '@zilliz/milvus2-sdk-node';

/** An answer of the Node SDK, which has to tell of a success: with a status, or being one. */
export function must<Answer extends { status?: ResStatus; error_code?: string | number; reason?: string }>(
  answer: Answer,
): Answer {
  const { error_code, reason } = answer.status ?? answer;
  assert.equal(error_code, 'Success', reason ?? '');
  return answer;
}
