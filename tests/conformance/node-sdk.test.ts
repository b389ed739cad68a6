import { after, before, describe, test } from 'node:test';
import { partitionGuide } from './expected/partition-guide.ts';
import { rows } from './expected/rows.ts';
import { nodeSdk } from './harness/clients.ts';
import { testCases, testSteps } from './harness/program.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

const versions = ['3.0.6', '2.6.17', '2.5.12', '2.4.9'];

/** JavaScript numbers end at 2^53, so a dynamic value above it can't be sent as a number. */
const notInJavaScript = ['a dynamic int64 above 2^53 is compared exactly'];

await conformanceSuite('node', 'the Node SDK', [], () => {
  let server: RunningServer;
  before(async () => {
    server = await serverUnderTest();
  });
  after(async () => await server?.[Symbol.asyncDispose]());

  for (const version of versions) {
    describe(version, () => {
      let program: Awaited<ReturnType<typeof nodeSdk>>;
      before(async () => {
        program = await nodeSdk(version);
      });

      test('takes partitions from their creation to their end', async (t) => {
        await testSteps(t, program('partition-guide.mjs'), server.address, partitionGuide);
      });

      test('takes rows from their insertion to their end', async (t) => {
        await testSteps(t, program('rows.mjs'), server.address, rows, notInJavaScript);
      });

      test('names databases and aliases', async (t) => {
        await testCases(t, program('names.mjs'), server.address);
      });

      test('searches texts', async (t) => {
        await testCases(t, program('full-text.mjs'), server.address);
      });

      test('keeps instants, shapes and structs', async (t) => {
        await testCases(t, program('newer-types.mjs'), server.address);
      });

      test('works in every other way a program uses it', async (t) => {
        await testCases(t, program('cases.mjs'), server.address);
      });

      test('searches in every form', async (t) => {
        await testCases(t, program('search-forms.mjs'), server.address);
      });

      if (version === versions[0]) {
        test('scores real texts as the formula says', async (t) => {
          await testCases(t, program('real-texts.mjs'), server.address);
        });
      }

      // What takes long is the server's work: the newest and the oldest client see the most that can differ.
      if (version === versions[0] || version === versions.at(-1)) {
        test('builds graphs', async (t) => {
          await testCases(t, program('graph-indexes.mjs'), server.address);
        });

        test('builds indexes over bits, and on disk', async (t) => {
          await testCases(t, program('binary-indexes.mjs'), server.address);
        });
      }
    });
  }
});
