/** What memory gives, for scans to be compared with. */
import { measureReadBandwidth } from '@elanus/kernel';

/** Over the memory that is read: so many that filling it first is a twentieth of the time. */
const PASSES = 300;

/** Bytes a second. */
export interface Rate {
  /** In the fastest pass. */
  readonly fastest: number;
  /** For a second of processor time, which other programs cannot lengthen by their turns. */
  readonly ofProcessor: number;
}

/** What plain reads of so many bytes by so many threads reach. */
export function memoryRate(threads: number, bytes: number): Rate {
  const before = process.cpuUsage();
  const fastest = measureReadBandwidth({ threads, bytes, passes: PASSES });
  return { fastest, ofProcessor: (PASSES * bytes) / processorSecondsSince(before) };
}

/** What repeated scans of so many bytes reach, in `seconds` of the clock, at least one. */
export async function scanRate(bytes: number, seconds: number, scan: () => Promise<unknown>): Promise<Rate> {
  const before = process.cpuUsage();
  const endMs = performance.now() + 1000 * seconds;
  let bestMs = Infinity;
  let scans = 0;
  do {
    const startMs = performance.now();
    await scan();
    bestMs = Math.min(bestMs, performance.now() - startMs);
    scans += 1;
  } while (performance.now() < endMs);
  return { fastest: (1000 * bytes) / bestMs, ofProcessor: (scans * bytes) / processorSecondsSince(before) };
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
