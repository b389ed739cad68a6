import { after, before, test } from 'node:test';
import { partitionGuide } from './expected/partition-guide.ts';
import { rows } from './expected/rows.ts';
import { javaProgram } from './harness/clients.ts';
import { testSteps } from './harness/program.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, java, maven } from './harness/suite.ts';

await conformanceSuite('java', 'the Java SDK', [java, maven], () => {
  let server: RunningServer;
  let program: Awaited<ReturnType<typeof javaProgram>>;

  before(async () => {
    program = await javaProgram();
    server = await serverUnderTest();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  test('takes partitions from their creation to their end', async (t) => {
    await testSteps(t, program('PartitionGuide'), server.address, partitionGuide);
  });

  test('takes rows from their insertion to their end', async (t) => {
    await testSteps(t, program('Rows'), server.address, rows);
  });
});
