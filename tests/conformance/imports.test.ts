import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { repositoryRoot } from './harness/cache.ts';
import { nodeSdk, pythonEnvironment } from './harness/clients.ts';
import { mustRun } from './harness/command.ts';
import { blocksIn, examplesOf } from './harness/document.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

/** What pymilvus' bulk writer imports besides itself, and what people open exports with. */
const PACKAGES = [
  'pymilvus==3.0.2',
  'numpy==2.4.6',
  'pandas==3.1.1',
  'pyarrow==26.0.1',
  'minio==7.2.20',
  'azure-storage-blob==12.31.1',
  'ml_dtypes==0.6.0',
  'requests==2.34.2',
  'polars==2.1.0',
  'duckdb==2.0.0',
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

await conformanceSuite('pymilvus', 'imports and exports by pymilvus', [python], () => {
  before(open);
  after(close);

  const testProgram = async (t: TestContext, name: string) => {
    const command = join(await pythonEnvironment('bulk-writer', PACKAGES), 'bin/python');
    const program = join(import.meta.dirname, 'programs/python', name);
    const args = ['-W', 'ignore', program];
    await testCases(t, { command, args, environment: environment() }, server.address);
  };

  test('takes what the bulk writer has written', (t) => testProgram(t, 'imports.py'));
  test('what is exported is opened by pandas, Polars and DuckDB', (t) => testProgram(t, 'exports_read.py'));
});

const DOCUMENT = 'docs/import-export.md';
const IN_DOCUMENT = { address: 'http://localhost:19530', directory: '/srv/files' };

await conformanceSuite('pymilvus', DOCUMENT, [python], async () => {
  before(open);
  after(close);
  const document = await readFile(join(repositoryRoot, DOCUMENT), 'utf8');
  const examples = (['python', 'sh'] as const)
    .flatMap((language) =>
      examplesOf(document, language, 'text').map((example) => ({ ...example, language })),
    )
    .sort((left, right) => document.indexOf(left.program) - document.indexOf(right.program));

  test('every program has its output behind it', () => {
    assert.equal(blocksIn(document, 'python') + blocksIn(document, 'sh'), examples.length);
  });

  test('its programs print what it says', async (t) => {
    const bin = join(await pythonEnvironment('bulk-writer', PACKAGES), 'bin/python');
    const here = (text: string) =>
      text
        .replaceAll(IN_DOCUMENT.address, `http://${server.address}`)
        .replaceAll(IN_DOCUMENT.directory, directory);
    const elanus = join(repositoryRoot, 'clients/cli/bin/elanus.js');
    // Each program goes on with what the ones before have defined; only what it prints itself is compared.
    let earlier = '';
    for (const [number, { language, program, output, heading }] of examples.entries()) {
      const python = `import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    exec(${JSON.stringify(here(earlier))})\n${here(program)}`;
      const shell = here(program).replace(
        'elanus export',
        `${process.execPath} ${elanus} export --server http://${server.address}`,
      );
      const printed =
        language === 'sh'
          ? await mustRun('bash', ['-c', shell])
          : await mustRun(bin, ['-W', 'ignore', '-c', python], { environment: environment() });
      if (language === 'python' && earlier === '') earlier = definitionsOf(program);
      await t.test(`${heading} (${number + 1})`, () => assert.equal(printed, here(output)));
    }
  });
});

/** What later programs need of the first one: all but the making of the collection and its rows. */
function definitionsOf(program: string): string {
  const lines = program.split('\n');
  const from = lines.findIndex((line) => line.startsWith('schema = '));
  const to = lines.findIndex((line) => line.startsWith('def '));
  const end = lines.findIndex((line) => line.startsWith('told = '));
  return [...lines.slice(0, from), ...lines.slice(to, end)].join('\n');
}

await conformanceSuite('node', 'imports by the Node SDK', [], () => {
  before(open);
  after(close);

  test('takes what the bulk writer has written', async (t) => {
    const program = (await nodeSdk('3.0.6'))('imports.mjs');
    await testCases(t, { ...program, environment: environment() }, server.address);
  });
});
