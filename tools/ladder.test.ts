import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf } from './imports.ts';
import { ladderProblems, type WorkspacePackage } from './ladder.ts';

function workspacePackage(name: string, folder: string, declared: readonly string[] = []): WorkspacePackage {
  return { name, folder, declared: new Set(declared) };
}

const PACKAGES = [
  workspacePackage('@elanus/model', 'foundation/model'),
  workspacePackage('@elanus/proto', 'foundation/proto'),
  workspacePackage('@elanus/kernel', 'engine/kernel', ['@elanus/model']),
  workspacePackage('@elanus/rpc', 'foundation/rpc', ['@elanus/model', '@elanus/segment']),
  workspacePackage('@elanus/segment', 'engine/segment', [
    '@elanus/model',
    '@elanus/message-log',
    '@elanus/proto',
  ]),
  workspacePackage('@elanus/access', 'server/access', ['@elanus/proto', '@elanus/worker', '@elanus/model']),
  workspacePackage('@elanus/worker', 'server/worker', ['@elanus/segment']),
];

const CASES: readonly { why: string; path: string; text: string; complaint: RegExp | null }[] = [
  {
    why: 'down the ladder',
    path: 'server/access/src/a.ts',
    text: `import { x } from '@elanus/model';`,
    complaint: null,
  },
  {
    why: 'up the ladder',
    path: 'foundation/rpc/src/a.ts',
    text: `import type { X } from '@elanus/segment';`,
    complaint: /stands above/,
  },
  {
    why: 'along a step',
    path: 'engine/segment/src/a.ts',
    text: `import { x } from '@elanus/message-log';`,
    complaint: /same step/,
  },
  {
    why: 'one layer into another',
    path: 'server/access/src/a.ts',
    text: `import { x } from '@elanus/worker';`,
    complaint: /through an interface in @elanus\/rpc/,
  },
  {
    why: 'protobuf below access',
    path: 'engine/segment/src/a.ts',
    text: `import { x } from '@elanus/proto';`,
    complaint: /wire stops at access/,
  },
  {
    why: 'protobuf in access',
    path: 'server/access/src/a.ts',
    text: `import { x } from '@elanus/proto';`,
    complaint: null,
  },
  {
    why: 'into a package',
    path: 'server/access/src/a.ts',
    text: `import { x } from '@elanus/model/src/ids.ts';`,
    complaint: /reaches into/,
  },
  {
    why: 'out of a package',
    path: 'server/access/src/a.ts',
    text: `import { x } from '../../worker/src/b.ts';`,
    complaint: /import @elanus\/worker by its name/,
  },
  {
    why: 'a neighbour',
    path: 'server/access/src/wire/a.ts',
    text: `import { x } from '../b.ts';`,
    complaint: null,
  },
  {
    why: 'no ending',
    path: 'server/access/src/a.ts',
    text: `import { x } from './b';`,
    complaint: /full name/,
  },
  {
    why: 'a type of the model',
    path: 'engine/kernel/src/a.ts',
    text: `import type { X } from '@elanus/model';`,
    complaint: null,
  },
  {
    why: 'a value of the model',
    path: 'engine/kernel/src/a.ts',
    text: `import { x } from '@elanus/model';`,
    complaint: /same step/,
  },
  {
    why: 'undeclared',
    path: 'server/worker/src/a.ts',
    text: `const x = await import('lmdb');`,
    complaint: /not in server\/worker\/package.json/,
  },
  {
    why: 'a test may put anything together',
    path: 'server/worker/src/a.test.ts',
    text: `import { x } from '@elanus/access';`,
    complaint: null,
  },
];

for (const { why, path, text, complaint } of CASES) {
  test(`${complaint === null ? 'allows' : 'refuses'} an import: ${why}`, () => {
    const messages = ladderProblems([{ path, text }], PACKAGES).map(({ message }) => message);
    assert.equal(messages.length, complaint === null ? 0 : 1, messages.join());
    if (complaint !== null) assert.match(messages[0]!, complaint);
  });
}

test('finds imports over several lines, re-exports and bare ones, with their lines', () => {
  const text = `import a from 'a';\nimport {\n  b,\n} from 'b';\nexport type * from './c.ts';\nimport 'd';\n`;
  assert.deepEqual(importsOf({ path: 'x.ts', text }), [
    { from: 'a', typeOnly: false, line: 1 },
    { from: 'b', typeOnly: false, line: 2 },
    { from: './c.ts', typeOnly: true, line: 5 },
    { from: 'd', typeOnly: false, line: 6 },
  ]);
});
