import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tidyProblems } from './tidy.ts';

const CASES: readonly { path: string; text: string; complaint: RegExp | null }[] = [
  { path: 'server/worker/src/a.ts', text: 'const now = Date.now();', complaint: /take a Clock/ },
  { path: 'foundation/runtime/src/system-clock.ts', text: 'const now = Date.now();', complaint: null },
  { path: 'server/worker/src/a.test.ts', text: 'const now = Date.now();', complaint: null },
  { path: 'server/worker/src/a.ts', text: '// Date.now() steps back', complaint: null },
  { path: 'engine/segment/src/a.ts', text: 'const id = Math.random();', complaint: /take a Random/ },
  { path: 'server/access/src/a.ts', text: `console.log('x');`, complaint: /take a Logger/ },
  { path: 'server/access/src/a.ts', text: `// ${'TO'}${'DO'} later`, complaint: /do it now/ },
  { path: 'server/access/src/a.ts', text: 'x;\n'.repeat(400), complaint: null },
  { path: 'server/access/src/a.ts', text: 'x;\n'.repeat(401), complaint: /401 lines/ },
];

for (const { path, text, complaint } of CASES) {
  test(`${complaint === null ? 'leaves' : 'complains about'} ${text.slice(0, 30).trim()} in ${path}`, () => {
    const messages = tidyProblems({ path, text }).map(({ message }) => message);
    assert.equal(messages.length, complaint === null ? 0 : 1, messages.join());
    if (complaint !== null) assert.match(messages[0]!, complaint);
  });
}
