import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { repositoryRoot } from './harness/cache.ts';
import { pymilvus } from './harness/clients.ts';
import { mustRun } from './harness/command.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite, python } from './harness/suite.ts';

/** Pages whose programs are run, one after the other, and compared with what the page says they print. */
const DOCUMENTS = ['docs/full-text.md', 'docs/search.md'];
const ADDRESS_IN_DOCUMENT = 'http://localhost:19530';
const BETWEEN_BLOCKS = '\u001f';

interface Example {
  readonly heading: string;
  readonly program: string;
  readonly output: string;
}

/** Each block of Python, what stands behind it as its output, and the heading above both. */
function examplesOf(document: string): readonly Example[] {
  const examples: Example[] = [];
  const parts = /^## (.*)$|^```python\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```$/gm;
  let heading = '';
  for (const [, title, program, output] of document.matchAll(parts)) {
    if (title !== undefined) heading = title;
    else examples.push({ heading, program: program!, output: output! });
  }
  return examples;
}

for (const name of DOCUMENTS) {
  await conformanceSuite('pymilvus', name, [python], async () => {
    const document = await readFile(join(repositoryRoot, name), 'utf8');
    const examples = examplesOf(document);
    let server: RunningServer;
    let printed: readonly string[] = [];
    before(async () => {
      server = await serverUnderTest();
      const { command } = (await pymilvus('3.0.2'))(name);
      const program = examples
        .map((example) => example.program)
        .join(`\nprint(${JSON.stringify(BETWEEN_BLOCKS)})\n`);
      const here = program.replaceAll(ADDRESS_IN_DOCUMENT, `http://${server.address}`);
      const output = await mustRun(command, ['-W', 'ignore', '-c', here]);
      printed = output.split(`${BETWEEN_BLOCKS}\n`);
    });
    after(async () => await server?.[Symbol.asyncDispose]());

    test('every program has its output behind it', () => {
      assert.equal(document.match(/^```python$/gm)?.length, examples.length);
    });
    for (const [number, { heading, output }] of examples.entries())
      test(`${heading} (${number + 1})`, () => assert.equal(printed[number], output));
  });
}
