import { after, before, test } from 'node:test';
import { partitionGuide } from '../expected/partition-guide.ts';
import { rows } from '../expected/rows.ts';
import { pymilvus } from './clients.ts';
import { testCases, testSteps } from './program.ts';
import { type RunningServer, serverUnderTest } from './server-under-test.ts';
import { conformanceSuite, python } from './suite.ts';

/** Programs that judge for themselves, by what they are about. */
export const caseFiles = {
  'one-step creation': 'one_step_creation.py',
  'every type of field': 'field_types.py',
  'instants and shapes': 'times_and_shapes.py',
  'arrays of structs': 'struct_arrays.py',
  'changes of schemas': 'schema_changes.py',
  'vectors that are null': 'null_vectors.py',
  'metrics against brute force': 'metrics.py',
  'query and search': 'reading.py',
  iterators: 'iterators.py',
  'insert, upsert and delete': 'writing.py',
  'indexes that are graphs': 'graph_indexes.py',
  'indexes that are lists': 'list_indexes.py',
  'indexes over bits': 'binary_indexes.py',
  'signatures of texts': 'minhash.py',
  'indexes on disk': 'disk_indexes.py',
  'the partition key': 'partition_key.py',
  'the texts of common mistakes': 'mistakes.py',
  'the ORM style': 'orm_style.py',
  databases: 'databases.py',
  aliases: 'aliases.py',
  'full text': 'full_text.py',
  AsyncMilvusClient: 'async_client.py',
  compaction: 'compaction.py',
};

/** A version of pymilvus with a server of its own: the two styles, and each of the programs. */
export async function pymilvusSuite(version: string, files: Readonly<Record<string, string>>): Promise<void> {
  await conformanceSuite('pymilvus', `pymilvus ${version}`, [python], () => {
    let server: RunningServer;
    let program: Awaited<ReturnType<typeof pymilvus>>;
    before(async () => {
      server = await serverUnderTest();
      program = await pymilvus(version);
    });
    after(async () => await server?.[Symbol.asyncDispose]());

    test('MilvusClient takes partitions from their creation to their end', async (t) => {
      await testSteps(t, program('partition_guide.py'), server.address, partitionGuide);
    });

    test('the ORM style takes partitions from their creation to their end', async (t) => {
      await testSteps(t, program('partition_guide_orm.py'), server.address, partitionGuide);
    });

    test('MilvusClient takes rows from their insertion to their end', async (t) => {
      await testSteps(t, program('rows.py'), server.address, rows);
    });

    for (const [subject, file] of Object.entries(files)) {
      test(subject, async (t) => {
        await testCases(t, program(file), server.address);
      });
    }
  });
}
