import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  dropPages,
  guardPages,
  isMapped,
  mapFile,
  readPages,
  reservePages,
  residentBytes,
} from './map-file.ts';

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

test('who reads a guarded page ends its process; what is beside it, and what is no longer guarded, can be read', () => {
  const bytes = mapped('guarded');
  guardPages(bytes.subarray(100, 70_000), 'guarded');
  assert.equal(bytes[4095], 4095 % 251);
  assert.equal(bytes[69_632], 69_632 % 251, 'the page is not all guarded');
  const modulePath = join(import.meta.dirname, 'map-file.ts');
  const script = `
    const { mapFile, guardPages } = await import(${JSON.stringify(modulePath)});
    const { openSync } = await import('node:fs');
    const bytes = mapFile(openSync(process.execPath, 'r'), 100_000);
    guardPages(bytes, 'guarded');
    console.log('guarded');
    console.log(bytes[50_000]);`;
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
  assert.deepEqual([signal, String(stdout)], ['SIGSEGV', 'guarded\n']);
  guardPages(bytes.subarray(100, 70_000), 'readable');
  assert.equal(bytes[50_000], 50_000 % 251);
});

test('reserved pages are in memory, and have what was written to them before and meanwhile', async () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(8 * 1024 * 1024));
  bytes[5_000_000] = 1;
  assert.ok(residentBytes(bytes) < bytes.length / 2, 'the system gives memory when it is written to');
  const reserved = reservePages(bytes);
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 2;
  await reserved;
  assert.ok(residentBytes(bytes) >= bytes.length);
  assert.equal(bytes[5_000_000], 1);
  for (let at = 0; at < bytes.length; at += 4096) assert.equal(bytes[at], 2);
  await reservePages(bytes.subarray(0, 0));
});

test('a part of a map is known as one, other memory is not', () => {
  const bytes = mapped('known');
  assert.ok(isMapped(bytes) && isMapped(bytes.subarray(9, 10)));
  assert.ok(!isMapped(new Uint8Array(4)) && !isMapped(Buffer.from(bytes)));
});

test('what can’t be mapped is refused with the reason of the system', () => {
  assert.throws(() => mapFile(-1, 10), { code: 'EBADF', syscall: 'mmap' });
});
