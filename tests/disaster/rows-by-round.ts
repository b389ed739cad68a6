import assert from 'node:assert/strict';
import type { ElanusProcess } from '@elanus/tests-harness';

/** The collection `c` of tests that kill a server in each of several rounds: a row's `round` says when it was written. */
export const ROWS_BY_ROUND = {
  collectionName: 'c',
  schema: {
    fields: [
      { fieldName: 'id', dataType: 'Int64', isPrimary: true },
      { fieldName: 'round', dataType: 'Int64' },
      { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 4 } },
    ],
  },
  indexParams: [{ fieldName: 'v', metricType: 'L2', indexType: 'FLAT' }],
};

/** The data of a call of REST that must succeed, on a server that may have another port than before. */
export async function mustAnswer(server: ElanusProcess, path: string, body: object): Promise<unknown> {
  const response = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { code: number; message?: string; data: unknown };
  assert.equal(answer.code, 0, `${path}: ${answer.message}`);
  return answer.data;
}
