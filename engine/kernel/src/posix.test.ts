import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { allocateFile, punchFile, trimMemory, tryLockFile } from './posix.ts';

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

test('a hole in a file takes no room and reads as zeros, and what is around it stays', async () => {
  const path = join(directory, 'holed');
  writeFileSync(path, Buffer.alloc(1 << 20, 7));
  const fd = openSync(path, 'r+');
  const blocks = fstatSync(fd).blocks;
  await punchFile(fd, 10, (1 << 20) - 30);
  assert.ok(fstatSync(fd).blocks < blocks / 10);
  const bytes = readFileSync(path);
  assert.deepEqual([bytes.indexOf(0), bytes.lastIndexOf(0)], [10, (1 << 20) - 21]);
  assert.equal(
    bytes.subarray(10, -20).findIndex((byte) => byte !== 0),
    -1,
  );
  assert.equal(bytes.length, 1 << 20);
  closeSync(fd);
  await assert.rejects(punchFile(fd, 0, 1), { code: 'EBADF', syscall: 'fallocate' });
});

test('freed memory goes back to the system', { skip: process.platform !== 'linux' }, async () => {
  const residentBytes = (): number =>
    1024 * Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
  const MIB = 1024 * 1024;
  const PIECE_BYTES = 64 * 1024;
  const PIECES = 2_048;
  // Pieces that the C library takes from its heap. What is freed between two that are kept stays with it: of its own
  // accord it gives back only what lies behind all others.
  let pieces = Array.from({ length: PIECES }, () =>
    new Uint8Array(new SharedArrayBuffer(PIECE_BYTES)).fill(1),
  );
  const kept = pieces.filter((_, at) => at % 16 === 15);
  const inUse = () => process.memoryUsage().arrayBuffers;
  const inUseBefore = inUse();
  pieces = [];
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  // Buffers are freed by other threads, some time after nobody can reach them any more; nearly all must be by now.
  while (inUseBefore - inUse() < (PIECES - kept.length) * PIECE_BYTES - 8 * MIB) {
    collectGarbage();
    await setImmediate();
  }
  const before = residentBytes();
  await trimMemory();
  const givenBack = before - residentBytes();
  assert.ok(givenBack > 64 * MIB, `${givenBack / MIB} MiB given back`);
  assert.ok(kept.every((piece) => piece[0] === 1 && piece[PIECE_BYTES - 1] === 1));
});
