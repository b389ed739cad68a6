import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { type RunningMilvus, startMilvus } from './differential/milvus-server.ts';
import { pymilvus } from './harness/clients.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

await conformanceSuite('pymilvus', 'exports, read by Milvus 2.3.5', [python], () => {
  let milvus: RunningMilvus;
  let server: ElanusProcess;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-exported-'));
    milvus = await startMilvus();
    server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await milvus?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test('are imported as they are', async (t) => {
    const program = (await pymilvus('2.4.15'))('exports_to_milvus.py');
    const environment = {
      ...program.environment,
      MILVUS: milvus.address,
      MILVUS_FILES: milvus.filesDirectory,
      ELANUS_IMPORT_FILES: directory,
    };
    await testCases(t, { ...program, environment }, server.address);
  });
});
