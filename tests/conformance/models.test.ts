import { after, before, test } from 'node:test';
import { TokenizerStandIn } from '@elanus/functions/testing';
import { ElanusProcess } from '@elanus/tests-harness';
import { nodeSdk, pymilvus } from './harness/clients.ts';
import { ModelStandIn } from './harness/model-stand-in.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

await conformanceSuite('pymilvus', 'services that are asked', [python], () => {
  let standIn: ModelStandIn;
  let tokenizer: TokenizerStandIn;
  let server: ElanusProcess;
  /** For programs as for the server. */
  let environment: Readonly<Record<string, string>>;
  before(async () => {
    standIn = await ModelStandIn.start();
    tokenizer = await TokenizerStandIn.start();
    environment = { ...standIn.environment, ELANUS_ANALYZER_GRPC_URL: tokenizer.endpoint };
    server = await ElanusProcess.start(environment);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await standIn?.[Symbol.asyncDispose]();
    tokenizer?.[Symbol.dispose]();
  });

  test('embed and rerank for pymilvus', async (t) => {
    const program = (await pymilvus('3.0.2'))('models.py');
    await testCases(
      t,
      { ...program, environment: { ...program.environment, ...environment } },
      server.address,
    );
  });

  test('cut texts for pymilvus', async (t) => {
    const program = (await pymilvus('3.0.2'))('asked_tokenizers.py');
    await testCases(
      t,
      { ...program, environment: { ...program.environment, ...environment } },
      server.address,
    );
  });

  test('embed, rerank and cut texts for the Node SDK', async (t) => {
    await testCases(t, { ...(await nodeSdk('3.0.6'))('models.mjs'), environment }, server.address);
  });
});
