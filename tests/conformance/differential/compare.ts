/**
 * Sends one list of requests to Elanus and to a real Milvus 2.3.5 and compares the answers. Ends with
 * exit code 1 when one differs in a place that `listed-differences.ts` does not name.
 */
import { ElanusProcess } from '@elanus/tests-harness';
import { type Addresses, askBoth, describeDifference } from './ask-both.ts';
import { filterSteps } from './filter-requests.ts';
import { listedDifferences } from './listed-differences.ts';
import { startMilvus } from './milvus-server.ts';
import { namingSteps } from './naming-requests.ts';
import { steps as rowSteps, type Step } from './requests.ts';

const steps: readonly Step[] = [...rowSteps, ...namingSteps, ...filterSteps];

await using elanus = await ElanusProcess.start();
await using milvus = await startMilvus();
const addresses: Addresses = { elanus: elanus.address, milvus: milvus.address };
const { listed, unlisted } = await askBoth(steps, addresses);
for (const difference of unlisted) console.log(`${describeDifference(difference)}\n`);
for (const entry of listedDifferences) if (!listed.has(entry)) console.log(`no longer so: ${entry.why}`);
console.log(`${steps.length} requests, ${unlisted.length} differences that are not listed`);
process.exitCode = unlisted.length === 0 ? 0 : 1;
