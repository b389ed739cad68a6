import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { nodeSdk, pythonEnvironment } from './harness/clients.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

/** What pymilvus' bulk writer imports besides itself. */
const PACKAGES = [
  'pymilvus==3.0.2',
  'numpy==2.4.6',
  'pandas==3.1.1',
  'pyarrow==26.0.1',
  'minio==7.2.20',
  'azure-storage-blob==12.31.1',
  'ml_dtypes==0.6.0',
  'requests==2.34.2',
];

let directory: string;
let server: ElanusProcess;

async function open(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), 'elanus-imported-'));
  server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
}

async function close(): Promise<void> {
  await server?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
}

const environment = () => ({ ELANUS_IMPORT_FILES: directory, PYTHONDONTWRITEBYTECODE: '1' });

await conformanceSuite('pymilvus', 'imports by pymilvus', [python], () => {
  before(open);
  after(close);

  test('takes what the bulk writer has written', async (t) => {
    const packages = await pythonEnvironment('bulk-writer', PACKAGES);
    const program = join(import.meta.dirname, 'programs/python/imports.py');
    const command = join(packages, 'bin/python');
    await testCases(
      t,
      { command, args: ['-W', 'ignore', program], environment: environment() },
      server.address,
    );
  });
});

await conformanceSuite('node', 'imports by the Node SDK', [], () => {
  before(open);
  after(close);

  test('takes what the bulk writer has written', async (t) => {
    const program = (await nodeSdk('3.0.6'))('imports.mjs');
    await testCases(t, { ...program, environment: environment() }, server.address);
  });
});
