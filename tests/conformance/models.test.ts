import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { nodeSdk, pymilvus } from './harness/clients.ts';
import { ModelStandIn } from './harness/model-stand-in.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

await conformanceSuite('pymilvus', 'models that are asked over HTTP', [python], () => {
  let standIn: ModelStandIn;
  let server: ElanusProcess;
  before(async () => {
    standIn = await ModelStandIn.start();
    server = await ElanusProcess.start(standIn.environment);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await standIn?.[Symbol.asyncDispose]();
  });

  test('embed and rerank for pymilvus', async (t) => {
    const program = (await pymilvus('3.0.2'))('models.py');
    await testCases(
      t,
      { ...program, environment: { ...program.environment, ...standIn.environment } },
      server.address,
    );
  });

  test('embed and rerank for the Node SDK', async (t) => {
    await testCases(t, (await nodeSdk('3.0.6'))('models.mjs'), server.address);
  });
});
