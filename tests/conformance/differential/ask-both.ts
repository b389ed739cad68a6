import { setTimeout as delay } from 'node:timers/promises';
import { compareAnswers, type Difference } from './differences.ts';
import { type ListedDifference, listedDifferences } from './listed-differences.ts';
import { type Answer, MilvusService } from './milvus-service.ts';
import type { Step } from './requests.ts';

export interface Addresses {
  readonly elanus: string;
  readonly milvus: string;
}

/** Where the answers of the two differ. */
export interface Differences {
  /** Entries of the list that explain some of them. */
  readonly listed: ReadonlySet<ListedDifference>;
  /** Those that no entry explains. */
  readonly unlisted: readonly Difference[];
}

const POLL_MS = 100;
const POLLS_MAX = 300;

/** Sends the steps to one server and then to the other, and compares the answers step by step. */
export async function askBoth(steps: readonly Step[], addresses: Addresses): Promise<Differences> {
  const elanus = await answersOf(addresses.elanus, steps);
  const milvus = await answersOf(addresses.milvus, steps);
  const listed = new Set<ListedDifference>();
  const unlisted: Difference[] = [];
  for (const [i, { does }] of steps.entries())
    for (const difference of compareAnswers(does, elanus[i] ?? {}, milvus[i] ?? {})) {
      const entry = explanationOf(difference);
      if (entry === undefined) unlisted.push(difference);
      else listed.add(entry);
    }
  return { listed, unlisted };
}

async function answersOf(address: string, steps: readonly Step[]): Promise<readonly Answer[]> {
  using service = new MilvusService(address);
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
    if (polls === POLLS_MAX) return { ...answer, waited: 'in vain' };
    await delay(POLL_MS);
  }
}

function explanationOf(difference: Difference): ListedDifference | undefined {
  return listedDifferences.find(
    ({ steps, path, only }) =>
      (steps?.test(difference.step) ?? true) && path.test(difference.path) && (only?.(difference) ?? true),
  );
}

export function describeDifference({ step, path, elanus, milvus }: Difference): string {
  return `${step}: ${path}\n  elanus ${JSON.stringify(elanus)}\n  milvus ${JSON.stringify(milvus)}`;
}
