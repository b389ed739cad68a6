import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { askBoth, describeDifference } from './differential/ask-both.ts';
import { filterSteps } from './differential/filter-requests.ts';
import { type RunningMilvus, startMilvus, startMilvusLite } from './differential/milvus-server.ts';
import { pymilvus } from './harness/clients.ts';
import { mustRun } from './harness/command.ts';
import { certificatesIn, migrated } from './harness/migration.ts';
import { testCases } from './harness/program.ts';
import { conformanceSuite, python } from './harness/suite.ts';

// One suite, because only one Milvus can run on a machine.
await conformanceSuite('pymilvus', 'beside Milvus 2.3.5', [python], () => {
  let milvus: RunningMilvus;
  let server: ElanusProcess;
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-migrate-'));
    milvus = await startMilvus();
    server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
    const { command, args, environment = {} } = (await pymilvus('2.4.15'))('fill_milvus.py');
    await mustRun(command, [...args, milvus.address], { environment, timeoutMs: 120_000 });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await milvus?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const migrate = async (...more: string[]) => await migrated(milvus, server, directory, more);
  const certificates = async () => await certificatesIn(directory);
  const rest = async (path: string, body: object) => {
    const response = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return ((await response.json()) as { data: unknown }).data;
  };

  test('elanus migrate copies databases, collections and rows, and says that both are equal', async () => {
    const { exitCode, output } = await migrate();
    assert.equal(exitCode, 0, output);
    const found = await certificates();
    assert.deepEqual(
      found.map(({ database, collection, rows, isEqual }) => [database, collection, rows.target, isEqual]),
      [
        ['default', 'birds', 5_000, true],
        ['default', 'tenants', 2_500, true],
        ['default', 'unindexed', 300, true],
        ['second', 'generated', 300, true],
      ],
    );
    for (const { overlap } of found)
      for (const share of Object.values(overlap)) assert.ok(share >= 0.95, JSON.stringify(found));
  });

  test('brings partitions, indexes and aliases along', async () => {
    assert.deepEqual(await rest('partitions/list', { collectionName: 'birds' }), ['_default', 'north']);
    assert.deepEqual(await rest('aliases/list', { collectionName: 'birds' }), ['flock']);
    const indexes = (await rest('indexes/describe', { collectionName: 'birds', indexName: 'v' })) as [
      { indexType: string; metricType: string },
    ];
    assert.deepEqual([indexes[0].indexType, indexes[0].metricType], ['HNSW', 'L2']);
    const names = (await rest('indexes/list', { collectionName: 'birds' })) as string[];
    assert.deepEqual(names.sort(), ['names', 'v', 'weights']);
    assert.deepEqual(await rest('indexes/list', { collectionName: 'unindexed' }), []);
    const { load } = (await rest('collections/describe', { collectionName: 'unindexed' })) as {
      load: string;
    };
    assert.equal(load, 'LoadStateNotLoad');
  });

  test('run again copies nothing, and still compares', async () => {
    const { exitCode, output } = await migrate();
    assert.equal(exitCode, 0, output);
    assert.ok(!/\d+ of \d+ rows/.test(output), output);
  });

  test('says which collection is not equal', async () => {
    // Loaded neither there nor, therefore, here.
    await rest('collections/load', { collectionName: 'tenants' });
    await rest('entities/delete', { collectionName: 'tenants', filter: 'tenant == 3' });
    const { exitCode, output } = await migrate('--collection', 'tenants');
    assert.equal(exitCode, 1, output);
    assert.deepEqual(
      (await certificates()).map(({ collection, isEqual }) => [collection, isEqual]),
      [['tenants', false]],
    );
  });

  test('filters find what they find in Milvus, where no listed difference says why not', async () => {
    const { unlisted } = await askBoth(filterSteps, { elanus: server.address, milvus: milvus.address });
    assert.deepEqual(unlisted.map(describeDifference), []);
  });

  test('what is exported is imported by Milvus', async (t) => {
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

await conformanceSuite('pymilvus', 'from milvus-lite', [python], () => {
  test('elanus migrate copies all of it through its own server', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'elanus-migrate-lite-'));
    try {
      await using lite = await startMilvusLite();
      await using server = await ElanusProcess.start();
      const program = join(import.meta.dirname, 'programs/python/fill_milvus_lite.py');
      await mustRun(lite.python, ['-W', 'ignore', program, lite.address], { timeoutMs: 120_000 });
      const { exitCode, output } = await migrated(lite, server, directory);
      assert.equal(exitCode, 0, output);
      const found = await certificatesIn(directory);
      assert.deepEqual(
        found.map(({ collection, counted, rows, isEqual }) => [
          collection,
          counted.source,
          rows.target,
          isEqual,
        ]),
        [
          ['birds', 2_997, 2_997, true],
          ['texts', 300, 300, true],
        ],
      );
      assert.deepEqual(Object.keys(found[0]!.overlap).sort(), ['v', 'words']);
      for (const { overlap } of found)
        for (const share of Object.values(overlap)) assert.ok(share >= 0.9, JSON.stringify(found));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
