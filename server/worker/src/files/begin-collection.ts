/** Much, beside what rows in memory may grow by before V8 looks for garbage by itself. */
const UNTOUCHED_BYTES = 256 * 1024 * 1024;

/**
 * Makes V8 look for garbage soon, in small steps but for the last. By itself it waits until the heap, rows in shared memory
 * included, has grown by a share of itself, which a server at rest never does: what was let go of would stay for good. A
 * buffer that nobody touches takes no memory, but counts as growth.
 */
export function beginCollection(): void {
  try {
    void new ArrayBuffer(UNTOUCHED_BYTES);
  } catch (error) {
    // Where there is no room for it, V8 has looked already.
    if (!(error instanceof RangeError)) throw error;
  }
}
