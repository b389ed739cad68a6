import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { repositoryRoot } from './harness/cache.ts';
import { pymilvus } from './harness/clients.ts';
import { mustRun } from './harness/command.ts';
import { blocksIn, examplesOf } from './harness/document.ts';
import { ModelStandIn } from './harness/model-stand-in.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, python } from './harness/suite.ts';

/** Pages whose programs are run, one after the other, and compared with what the page says they print. */
const DOCUMENTS = ['docs/full-text.md', 'docs/search.md'];
const ADDRESS_IN_DOCUMENT = 'http://localhost:19530';
const BETWEEN_BLOCKS = '\u001f';

for (const name of DOCUMENTS) {
  await conformanceSuite('pymilvus', name, [python], async () => {
    const document = await readFile(join(repositoryRoot, name), 'utf8');
    const examples = examplesOf(document, 'python', 'text');
    let standIn: ModelStandIn;
    let server: RunningServer;
    let printed: readonly string[] = [];
    before(async () => {
      standIn = await ModelStandIn.start();
      server = await serverUnderTest(standIn.environment);
      const { command } = (await pymilvus('3.0.2'))(name);
      const program = examples
        .map((example) => example.program)
        .join(`\nprint(${JSON.stringify(BETWEEN_BLOCKS)})\n`);
      const here = program.replaceAll(ADDRESS_IN_DOCUMENT, `http://${server.address}`);
      const output = await mustRun(command, ['-W', 'ignore', '-c', here]);
      printed = output.split(`${BETWEEN_BLOCKS}\n`);
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
      await standIn?.[Symbol.asyncDispose]();
    });

    test('every program has its output behind it', () => {
      assert.equal(blocksIn(document, 'python'), examples.length);
    });
    for (const [number, { heading, output }] of examples.entries())
      test(`${heading} (${number + 1})`, () => assert.equal(printed[number], output));
  });
}
