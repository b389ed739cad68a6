/** `npm run histories -w @elanus/tests-disaster -- [--seconds 300] [--seed 1] [--clients 6]`: the long form. */
import { parseArgs } from 'node:util';
import { ElanusProcess } from '@elanus/tests-harness';
import { recordHistories } from './record-histories.ts';

const OPERATIONS = 5_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    clients: { type: 'string', default: '6' },
  },
});
await using server = await ElanusProcess.start();
const end = performance.now() + 1000 * Number(values.seconds);
let checked = 0;
for (let seed = Number(values.seed); performance.now() < end && process.exitCode === undefined; seed++) {
  const options = { address: server.address, clients: Number(values.clients), seed, operations: OPERATIONS };
  const { operations, complaints } = await recordHistories(options);
  checked += operations;
  for (const complaint of complaints) console.error(complaint);
  if (complaints.length > 0) process.exitCode = 1;
  console.log(`seed ${seed}: ${operations} operations on rows, ${checked} in all`);
}
