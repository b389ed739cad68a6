// Loads the SDK from the folder that is the first argument, and reports steps, one line of JSON each.
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const [directory, address] = process.argv.slice(2);

export const sdk = createRequire(join(directory, 'package.json'))('@zilliz/milvus2-sdk-node');
export const client = new sdk.MilvusClient({ address, logLevel: 'error' });

/** Runs `action` and reports what it answered, or the text of its failure. */
export async function step(sentence, action) {
  let line;
  try {
    line = { step: sentence, got: await action() };
  } catch (error) {
    line = { step: sentence, failed: error.reason ?? error.message ?? String(error) };
  }
  console.log(JSON.stringify(line));
}

/** The answer of a call, or its failure thrown: the SDK returns most failures as a status. */
export async function must(call) {
  const answer = await call;
  const status = answer.status ?? answer;
  if (status.error_code !== undefined && status.error_code !== 'Success') throw new Error(status.reason);
  return answer;
}
