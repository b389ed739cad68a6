/** A broken promise of our own: never the user's fault, never caught as the user's. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States what must be true here if our own code is right. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new AssertionError(`broken assumption: ${claim}`);
}

/** Ends a switch that has handled every case. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${String(value)}`);
}
