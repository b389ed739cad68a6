/** `npm run simulate -w @elanus/tests-simulation -- --seeds 1000 [--first 1]` runs every simulation on that many seeds. */
import { parseArgs } from 'node:util';
import { damageMessageLog } from './damage-message-log.ts';
import { runSeeds } from './run-seeds.ts';
import { simulateMessageLog } from './simulate-message-log.ts';

const simulations = { 'message-log': simulateMessageLog, 'message-log damage': damageMessageLog };

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, first: { type: 'string', default: '1' } },
});
const range = { first: Number(values.first), count: Number(values.seeds) };
for (const [name, simulate] of Object.entries(simulations)) {
  const startedMs = performance.now();
  await runSeeds(simulate, range);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${name}: ${range.count} seeds from ${range.first} pass in ${seconds} s\n`);
}
