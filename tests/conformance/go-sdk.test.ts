import { after, before, test } from 'node:test';
import { partitionGuide } from './expected/partition-guide.ts';
import { rows } from './expected/rows.ts';
import { goProgram } from './harness/clients.ts';
import { testSteps } from './harness/program.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, go } from './harness/suite.ts';

await conformanceSuite('go', 'the Go SDK', [go], () => {
  let server: RunningServer;
  let program: Awaited<ReturnType<typeof goProgram>>;

  before(async () => {
    program = await goProgram();
    server = await serverUnderTest();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  test('takes partitions from their creation to their end', async (t) => {
    await testSteps(t, program('partition-guide'), server.address, partitionGuide);
  });

  test('takes rows from their insertion to their end', async (t) => {
    await testSteps(t, program('rows'), server.address, rows);
  });
});
