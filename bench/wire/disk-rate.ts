import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

/**
 * What the disk itself does, in bytes per second: append `bytes` to a new file, fdatasync, again, until `totalBytes`
 * are written; no other work.
 */
export function diskRate(bytes: number, totalBytes: number): number {
  const directory = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-disk-'));
  const file = openSync(join(directory, String(bytes)), 'w');
  const payload = Buffer.alloc(bytes, 0x5a);
  const times = Math.ceil(totalBytes / bytes);
  const startedMs = performance.now();
  for (let at = 0; at < times; at += 1) {
    writeSync(file, payload);
    fdatasyncSync(file);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  closeSync(file);
  rmSync(directory, { recursive: true });
  return (times * bytes) / seconds;
}
