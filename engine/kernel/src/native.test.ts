import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { interfaceDigest } from './interface-digest.ts';
import { openNative } from './native.ts';

const directory = mkdtempSync(join(tmpdir(), 'elanus-kernel-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const cases = [
  { library: 'a library of other sources', digest: '0'.repeat(64), reason: /was built of other sources/ },
  { library: 'a file that is no library', digest: interfaceDigest(), reason: /does not load/ },
  { library: 'nothing', digest: null, reason: /is not built/ },
];
for (const { library, digest, reason } of cases) {
  test(`refuses ${library}, and says how to build one`, () => {
    const path = join(directory, `${library.replaceAll(' ', '-')}.node`);
    if (digest !== null) {
      writeFileSync(path, 'rubbish');
      writeFileSync(`${path}.interface`, digest);
    }
    assert.throws(() => openNative(path), { name: 'UnusableKernel', message: reason });
    assert.throws(() => openNative(path), /npm run build -w @elanus\/kernel/);
  });
}
