import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Table } from './table.ts';

const MEBIBYTE = 1024 * 1024;
/** The payloads of the insert section: 1,000 x 128, 1,000 x 768, 5,000 x 768 float32. */
const APPEND_BYTES = [512_000, 3_072_000, 15_360_000];
const TOTAL_BYTES = 512 * MEBIBYTE;

/** What the disk itself does: append to a file, fdatasync, again; no other work. */
export function diskRate(table: Table): void {
  const directory = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-disk-'));
  for (const bytes of APPEND_BYTES) {
    const file = openSync(join(directory, String(bytes)), 'w');
    const payload = Buffer.alloc(bytes, 0x5a);
    const times = Math.ceil(TOTAL_BYTES / bytes);
    const startedMs = performance.now();
    for (let at = 0; at < times; at += 1) {
      writeSync(file, payload);
      fdatasyncSync(file);
    }
    const seconds = (performance.now() - startedMs) / 1000;
    closeSync(file);
    table.add(
      { name: 'disk' },
      {
        measurement: `append and sync, ${bytes.toLocaleString('en')} bytes`,
        value: (times * bytes) / MEBIBYTE / seconds,
        unit: 'MiB/s',
        better: 'more',
      },
    );
  }
  rmSync(directory, { recursive: true });
}
