import { after, before, describe, test } from 'node:test';
import { partitionGuide } from './expected/partition-guide.ts';
import { rows } from './expected/rows.ts';
import { pymilvus } from './harness/clients.ts';
import { testCases, testSteps } from './harness/program.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, python } from './harness/suite.ts';

const versions = ['3.0.2', '2.4.15'];

/** Programs that judge for themselves, by what they are about. */
const caseFiles = {
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

/** Programs that need a client that knows of nulls. */
const newCaseFiles = {
  'hybrid search and reranking': 'hybrid_search.py',
  'groups, orders and aggregates': 'groups_and_orders.py',
  'updates of some fields': 'partial_upsert.py',
  'lists of vectors': 'embedding_lists.py',
  'chains of functions': 'function_chains.py',
  'functions that are added': 'added_functions.py',
};

await conformanceSuite('pymilvus', 'pymilvus', [python], () => {
  let server: RunningServer;
  before(async () => {
    server = await serverUnderTest();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  for (const version of versions) {
    describe(version, () => {
      let program: Awaited<ReturnType<typeof pymilvus>>;
      before(async () => {
        program = await pymilvus(version);
      });

      test('MilvusClient takes partitions from their creation to their end', async (t) => {
        await testSteps(t, program('partition_guide.py'), server.address, partitionGuide);
      });

      test('the ORM style takes partitions from their creation to their end', async (t) => {
        await testSteps(t, program('partition_guide_orm.py'), server.address, partitionGuide);
      });

      test('MilvusClient takes rows from their insertion to their end', async (t) => {
        await testSteps(t, program('rows.py'), server.address, rows);
      });

      const files = version === versions[0] ? { ...caseFiles, ...newCaseFiles } : caseFiles;
      for (const [subject, file] of Object.entries(files)) {
        test(subject, async (t) => {
          await testCases(t, program(file), server.address);
        });
      }
    });
  }
});
