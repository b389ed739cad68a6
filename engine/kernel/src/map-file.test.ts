import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dropPages, mapFile, readPages, residentBytes } from './map-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'elanus-map-'));
after(() => rmSync(directory, { recursive: true }));
const LENGTH = 3 * 65_536 + 5;

function mapped(name: string): Uint8Array {
  const path = join(directory, name);
  writeFileSync(
    path,
    Uint8Array.from({ length: LENGTH }, (_, i) => i % 251),
  );
  const fd = openSync(path, 'r');
  const bytes = mapFile(fd, LENGTH);
  closeSync(fd);
  unlinkSync(path);
  return bytes;
}

test('a map has the bytes of the file, also when the file is gone', async () => {
  const bytes = mapped('gone');
  assert.equal(bytes.length, LENGTH);
  await readPages(bytes.subarray(7));
  dropPages(bytes.subarray(100, 70_000));
  assert.deepEqual(
    bytes,
    Uint8Array.from({ length: LENGTH }, (_, i) => i % 251),
  );
  assert.ok(residentBytes(bytes) >= LENGTH, `${residentBytes(bytes)} bytes`);
});

test('what can’t be mapped is refused with the reason of the system', () => {
  assert.throws(() => mapFile(-1, 10), { code: 'EBADF', syscall: 'mmap' });
});
