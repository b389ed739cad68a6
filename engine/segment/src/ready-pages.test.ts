import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadyPages } from './ready-pages.ts';

const KB = 1024;

/** What is reserved, in KB, while `bytes` are written in steps. */
function reserved(bytes: Uint8Array, steps: readonly number[]): number[][] {
  const asked: number[][] = [];
  const pages = new ReadyPages(async (part) => {
    asked.push([part.byteOffset / KB, (part.byteOffset + part.length) / KB]);
  });
  for (const used of steps) pages.written(bytes, used * KB);
  return asked;
}

test('asks for as much again as has been written, each byte once, and not for crumbs', () => {
  const asked = reserved(new Uint8Array(4096 * KB), [64, 500, 600, 640, 1200, 2000]);
  assert.deepEqual(asked, [
    [500, 1000],
    [1000, 1200],
    [1200, 2400],
    [2400, 4000],
  ]);
});

test('asks for at most 4 MiB beyond what is written, and for nothing beyond the end', () => {
  const asked = reserved(new Uint8Array(16_384 * KB), [8192, 15_000, 16_384]);
  assert.deepEqual(asked, [
    [8192, 12_288],
    [15_000, 16_384],
  ]);
});

test('begins anew when the rows have moved to larger memory', () => {
  const asked: number[] = [];
  const pages = new ReadyPages(async (part) => {
    asked.push(part.byteOffset / KB);
  });
  pages.written(new Uint8Array(1024 * KB), 512 * KB);
  pages.written(new Uint8Array(2048 * KB), 600 * KB);
  assert.deepEqual(asked, [512, 600]);
});
