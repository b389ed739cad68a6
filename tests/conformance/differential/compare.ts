/**
 * Sends one list of requests to Elanus and to a real Milvus 2.3.5 and compares the answers. Ends with
 * exit code 1 when one differs in a place that `listed-differences.ts` does not name.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { compareAnswers, type Difference } from './differences.ts';
import { filterSteps } from './filter-requests.ts';
import { type ListedDifference, listedDifferences } from './listed-differences.ts';
import { startMilvus } from './milvus-server.ts';
import { type Answer, MilvusService } from './milvus-service.ts';
import { namingSteps } from './naming-requests.ts';
import { steps as rowSteps, type Step } from './requests.ts';

const steps: readonly Step[] = [...rowSteps, ...namingSteps, ...filterSteps];
const pollMs = 100;
const pollsMax = 300;

const elanus = await answersOf(async () => await ElanusProcess.start());
const milvus = await answersOf(startMilvus);
const found = steps.flatMap(({ does }, i) => compareAnswers(does, elanus[i] ?? {}, milvus[i] ?? {}));
const unlisted = found.filter((difference) => listed(difference) === undefined);
for (const difference of unlisted) console.log(`${describe(difference)}\n`);
for (const entry of listedDifferences) {
  if (!found.some((difference) => listed(difference) === entry)) console.log(`no longer so: ${entry.why}`);
}
console.log(`${steps.length} requests, ${found.length} differences, ${unlisted.length} of them not listed`);
process.exitCode = unlisted.length === 0 ? 0 : 1;

async function answersOf(start: () => Promise<AsyncDisposable & { address: string }>): Promise<Answer[]> {
  await using server = await start();
  using service = new MilvusService(server.address);
  const answers: Answer[] = [];
  for (const step of steps) answers.push(await answerOf(service, step));
  return answers;
}

async function answerOf(service: MilvusService, step: Step): Promise<Answer> {
  for (let polls = 0; ; polls++) {
    const answer = await service
      .call(step.rpc, step.request)
      .catch((error: Error) => ({ grpc: error.message }));
    if (step.until === undefined || step.until(answer)) return answer;
    if (polls === pollsMax) return { ...answer, waited: 'in vain' };
    await delay(pollMs);
  }
}

function listed(difference: Difference): ListedDifference | undefined {
  return listedDifferences.find(
    ({ steps, path, only }) =>
      (steps?.test(difference.step) ?? true) && path.test(difference.path) && (only?.(difference) ?? true),
  );
}

function describe({ step, path, elanus, milvus }: Difference): string {
  return `${step}: ${path}\n  elanus ${JSON.stringify(elanus)}\n  milvus ${JSON.stringify(milvus)}`;
}
