import { after, before, describe, test } from 'node:test';
import { nodePrograms, pythonPrograms } from './harness/clients.ts';
import { type Program, testCases } from './harness/program.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, python } from './harness/suite.ts';

const MILVUS_SDK = '@zilliz/milvus2-sdk-node@3.0.6';

interface Framework {
  readonly program: string;
  readonly packages: readonly string[];
}

const nodeFrameworks: Readonly<Record<string, Framework>> = {
  'langchain-js': {
    program: 'langchain.mjs',
    packages: ['@langchain/community@1.1.29', '@langchain/core@1.4.0', MILVUS_SDK],
  },
  'mem0-js': {
    program: 'mem0.mjs',
    // It asks for the database of its history when it is loaded, used or not.
    packages: ['mem0ai@3.3.1', 'better-sqlite3@12.6.2', '@langchain/core@1.4.0', MILVUS_SDK],
  },
};

const pythonFrameworks: Readonly<Record<string, Framework>> = {
  langchain: {
    program: 'langchain_store.py',
    packages: ['langchain-milvus==0.4.0', 'langchain-core==1.7.0', 'pymilvus==3.0.2', 'numpy==2.2.6'],
  },
  'llama-index': {
    program: 'llama_index_store.py',
    packages: ['llama-index-vector-stores-milvus==1.2.0', 'llama-index-core==0.14.25', 'numpy==2.2.6'],
  },
};

await conformanceSuite('frameworks', 'frameworks for Node', [], () => {
  testFrameworks(nodeFrameworks, nodePrograms);
});

await conformanceSuite('frameworks', 'frameworks for Python', [python], () => {
  testFrameworks(pythonFrameworks, pythonPrograms);
});

/** What is built upon Milvus' clients, unmodified, with embeddings that need no model. */
function testFrameworks(
  frameworks: Readonly<Record<string, Framework>>,
  install: (name: string, packages: readonly string[]) => Promise<(program: string) => Program>,
): void {
  for (const [name, { program, packages }] of Object.entries(frameworks)) {
    describe(name, () => {
      let server: RunningServer;
      before(async () => {
        server = await serverUnderTest();
      });
      after(async () => await server?.[Symbol.asyncDispose]());

      test('stores and finds', async (t) => {
        const programs = await install(name, packages);
        await testCases(t, programs(program), server.address);
      });
    });
  }
}
