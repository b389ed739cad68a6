/**
 * `npm run simulate -w @elanus/tests-simulation -- --seeds 1000 [--first 1] [--only write-path]` runs every
 * simulation on that many seeds; `--seed 17` runs one of them again and says what happened.
 */
import { parseArgs } from 'node:util';
import { damageMessageLog } from './damage-message-log.ts';
import { runSeeds } from './run-seeds.ts';
import { simulateMessageLog } from './simulate-message-log.ts';
import { simulateWritePath } from './write-path/simulate-write-path.ts';

const SIMULATIONS: Readonly<Record<string, (seed: number) => Promise<unknown>>> = {
  'message-log': simulateMessageLog,
  'message-log-damage': damageMessageLog,
  'write-path': simulateWritePath,
};

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});

const names = Object.keys(SIMULATIONS).filter((name) => values.only === undefined || name === values.only);
if (names.length === 0)
  fail(`no simulation ${values.only}; there are ${Object.keys(SIMULATIONS).join(', ')}`);
const first = wholeNumber('first', values.seed ?? values.first);
const count = values.seed === undefined ? wholeNumber('seeds', values.seeds) : 1;

for (const name of names) {
  const simulate = SIMULATIONS[name]!;
  const startedMs = performance.now();
  const showProgress = (seedsDone: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${seedsDone} of ${count} seeds`);
  };
  let summary: unknown;
  const run = async (seed: number): Promise<void> => {
    summary = await simulate(seed);
  };
  try {
    await runSeeds(run, { first, count, onProgress: showProgress });
  } catch (error) {
    const { message, cause } = error as Error;
    process.stderr.write(`\n${(cause as Error | undefined)?.stack ?? ''}\n`);
    fail(`${name}: ${message}`);
  }
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const clearLine = process.stderr.isTTY ? '\r' : '';
  process.stdout.write(`${clearLine}${name}: ${count} seeds from ${first} pass in ${seconds} s\n`);
  if (values.seed !== undefined && summary !== undefined)
    process.stdout.write(`${JSON.stringify(summary)}\n`);
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) fail(`--${option} takes a whole number, not ${text}`);
  return Number(text);
}

function fail(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
