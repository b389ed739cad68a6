import { ObjectStoreError } from '../object-store-error.ts';

export interface ExpectedBody {
  readonly key: string;
  /** As the service announced it. */
  readonly length: number;
  readonly allocate: (length: number) => Uint8Array;
  readonly signal: AbortSignal;
}

/**
 * Reads a body of a known length into one piece of memory, and nothing more into it once the signal has aborted.
 * @throws ObjectStoreError of kind `unavailable` when the body ends early
 */
export async function collectBody(
  body: AsyncIterable<Uint8Array>,
  { key, length, allocate, signal }: ExpectedBody,
): Promise<Uint8Array> {
  const bytes = allocate(length);
  let filled = 0;
  for await (const piece of body) {
    signal.throwIfAborted();
    if (filled + piece.length > length) throw new ObjectStoreError('damaged', key, 'the body is too long');
    bytes.set(piece, filled);
    filled += piece.length;
  }
  if (filled < length) {
    throw new ObjectStoreError('unavailable', key, `the body ended after ${filled} of ${length} bytes`);
  }
  return bytes;
}
