// Runs cases that judge for themselves and prints one line of JSON for each.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { client, must, sdk } from './steps.mjs';

const { version } = createRequire(join(process.argv[2], 'package.json'))(
  '@zilliz/milvus2-sdk-node/package.json',
);
const cases = [];

/** Registers a case; SDKs older than `since` skip it. It gets the name of a collection of its own. */
export function check(sentence, action, since = '2.4') {
  cases.push({ sentence, action, since });
}

export async function runChecks() {
  for (const [number, { sentence, action, since }] of cases.entries()) {
    const collection_name = `c_${process.pid}_${number}`;
    const line = { case: sentence };
    if (older(version, since)) {
      line.skipped = `SDK ${version} is older than ${since}`;
    } else {
      try {
        await action(collection_name);
        line.ok = true;
      } catch (error) {
        Object.assign(line, { ok: false, error: error.stack ?? String(error) });
      }
      await client.dropCollection({ collection_name });
    }
    console.log(JSON.stringify(line));
  }
  await client.closeConnection();
  console.log(JSON.stringify({ finished: true }));
}

/** Creates a collection with these fields after a key, indexes `index`, loads it. */
export async function createLoaded(collection_name, fields, index, options = {}) {
  const key = { name: 'id', data_type: sdk.DataType.Int64, is_primary_key: true };
  await must(
    client.createCollection({
      collection_name,
      fields: [key, ...fields],
      consistency_level: 'Strong',
      ...options,
    }),
  );
  for (const one of [index].flat()) await must(client.createIndex({ collection_name, ...one }));
  await must(client.loadCollection({ collection_name }));
}

function older(version, since) {
  const [major, minor] = version.split('.').map(Number);
  const [sinceMajor, sinceMinor] = since.split('.').map(Number);
  return major < sinceMajor || (major === sinceMajor && minor < sinceMinor);
}
