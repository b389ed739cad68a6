import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { allocateFile, trimMemory, tryLockFile } from './posix.ts';

const directory = mkdtempSync(join(tmpdir(), 'elanus-posix-'));
after(() => rmSync(directory, { recursive: true }));

test('one open file has the lock, until it is closed', () => {
  const path = join(directory, 'lock');
  const [first, second] = [openSync(path, 'w'), openSync(path, 'w')];
  assert.equal(tryLockFile(first), true);
  assert.equal(tryLockFile(first), true);
  assert.equal(tryLockFile(second), false);
  closeSync(first);
  assert.equal(tryLockFile(second), true);
  closeSync(second);
  assert.throws(() => tryLockFile(second), { code: 'EBADF', syscall: 'flock' });
});

test('an allocated file has its length and its blocks', () => {
  const fd = openSync(join(directory, 'allocated'), 'w');
  allocateFile(fd, 0, 1 << 20);
  allocateFile(fd, 4096, 4096);
  assert.equal(fstatSync(fd).size, 1 << 20);
  assert.ok(fstatSync(fd).blocks * 512 >= 1 << 20);
  assert.throws(() => allocateFile(fd, 0, 2 ** 62), { code: /^(ENOSPC|EFBIG)$/ });
  closeSync(fd);
  assert.throws(() => allocateFile(fd, 0, 1), { code: 'EBADF', syscall: 'fallocate' });
});

test('freed memory goes back to the system', { skip: process.platform !== 'linux' }, async () => {
  const residentBytes = (): number =>
    1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  const MIB = 1024 * 1024;
  // Pieces that the C library keeps in its heap, freed but for a last one behind them.
  let pieces = Array.from({ length: 2_048 }, () => new Uint8Array(new SharedArrayBuffer(64 * 1024)).fill(1));
  const last = pieces.pop();
  pieces = [];
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const before = residentBytes();
  await trimMemory();
  assert.ok(before - residentBytes() > 64 * MIB, `${(before - residentBytes()) / MIB} MiB given back`);
  assert.equal(last!.length, 64 * 1024);
});
