/** What memory gives, for scans to be compared with. Both are timed in passes over at least so much, the best of which counts. */
import { measureReadBandwidth } from '@elanus/kernel';

const PASSES = 20;
const PASS_BYTES = 2 ** 30;

/** Bytes a second. */
export interface Rate {
  /** In the fastest pass. */
  readonly fastest: number;
  /** For a second of processor time, which other programs cannot lengthen by their turns. */
  readonly ofProcessor: number;
}

/** What plain reads by so many threads reach in the fastest pass. */
export function readBandwidth(threads: number): number {
  return measureReadBandwidth({ threads, bytes: PASS_BYTES, passes: PASSES });
}

/** What plain reads by so many threads reach. */
export function memoryRate(threads: number): Rate {
  const fastest = readBandwidth(threads);
  // The programs' own time, and less that of one pass: the system's goes into finding memory and the rest into filling it.
  const bytes = PASS_BYTES / 4;
  const secondsOf = (passes: number): number => {
    const before = process.cpuUsage();
    measureReadBandwidth({ threads, bytes, passes });
    return process.cpuUsage(before).user / 1e6;
  };
  const first = secondsOf(1);
  return { fastest, ofProcessor: (4 * PASSES * bytes) / (secondsOf(1 + 4 * PASSES) - first) };
}

/** What scans reach, each of so many bytes, one after the other. */
export async function scanRate(bytes: number, scan: () => Promise<unknown>): Promise<Rate> {
  const scansOfPass = Math.ceil(PASS_BYTES / bytes);
  const passBytes = scansOfPass * bytes;
  const pass = async () => {
    for (let at = 0; at < scansOfPass; at += 1) await scan();
  };
  await pass();
  const before = process.cpuUsage();
  const fastestMs = await fastestOf(PASSES, pass);
  return {
    fastest: (1000 * passBytes) / fastestMs,
    ofProcessor: (PASSES * passBytes) / processorSecondsSince(before),
  };
}

/** Milliseconds of the fastest of `times` runs. */
export async function fastestOf(times: number, run: () => Promise<unknown>): Promise<number> {
  let fastestMs = Infinity;
  for (let time = 0; time < times; time += 1) {
    const startMs = performance.now();
    await run();
    fastestMs = Math.min(fastestMs, performance.now() - startMs);
  }
  return fastestMs;
}

function processorSecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** `12.3 of 45.6 GB/s = 27 %`. */
export function describeShare(part: number, whole: number): string {
  const gigabytes = (rate: number) => (rate / 1e9).toFixed(1);
  return `${gigabytes(part)} of ${gigabytes(whole)} GB/s = ${((100 * part) / whole).toFixed(0)} %`;
}
