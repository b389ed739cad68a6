import { loadNative } from './native.ts';

/**
 * Bytes per second of the fastest of `passes` passes in which `threads` threads together read `bytes` bytes of memory
 * once, with the widest loads of the machine. The yardstick of searches that are bound by memory. Blocks the calling
 * thread, for benchmarks only.
 * @throws Error when the memory is not to be had
 */
export function measureReadBandwidth(options: {
  readonly threads: number;
  readonly bytes: number;
  readonly passes: number;
}): number {
  const native = loadNative();
  const { threads, bytes, passes } = options;
  const bytesPerSecond = native.measureReadBandwidth(native.findSimd(null), threads, bytes, passes);
  if (bytesPerSecond === 0) throw new Error(`cannot read ${bytes} bytes with ${threads} threads`);
  return bytesPerSecond;
}
