import { setImmediate } from 'node:timers/promises';
import type { ObjectBody } from './object-store.ts';

/** A run of a body's bytes. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly isLast: boolean;
}

export interface PartOptions {
  readonly partBytes: number;
  /** How long a part keeps its bytes: for good, or until the second part behind it is asked for. */
  readonly lifetime: 'good' | 'two parts';
}

/** Bytes copied at a stretch: well under a millisecond. */
const COPY_STRETCH = 1024 * 1024;

/** Cuts a body into parts of `partBytes`; only the last may be shorter, and is empty only when the body is. */
export function inParts(body: ObjectBody, options: PartOptions): AsyncDisposable & { next(): Promise<Part> } {
  const parts = body instanceof Uint8Array ? partsOfBytes(body, options) : partsOfPieces(body, options);
  return {
    async next() {
      const { value, done } = await parts.next();
      if (done === true) throw new RangeError('there is nothing behind the last part');
      return value;
    },
    async [Symbol.asyncDispose]() {
      await parts.return(undefined);
    },
  };
}

/** Shared memory is copied: libraries refuse it, or send it as an empty body. */
async function* partsOfBytes(body: Uint8Array, { partBytes }: PartOptions): AsyncGenerator<Part, void> {
  const isShared = body.buffer instanceof SharedArrayBuffer;
  for (let at = 0, isLast = false; !isLast; at += partBytes) {
    const part = body.subarray(at, at + partBytes);
    isLast = at + part.length === body.length;
    yield { bytes: isShared ? await copied(part) : part, isLast };
  }
}

async function copied(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += COPY_STRETCH) {
    if (at > 0) await setImmediate();
    copy.set(bytes.subarray(at, at + COPY_STRETCH), at);
  }
  return copy;
}

/** Pieces are copied: who makes them may use their memory again once the next one is asked for. */
async function* partsOfPieces(
  body: AsyncIterable<Uint8Array>,
  { partBytes, lifetime }: PartOptions,
): AsyncGenerator<Part, void> {
  let part = new Uint8Array(0);
  let before: Uint8Array<ArrayBuffer> | null = null;
  let used = 0;
  let copiedInTurn = 0;
  for await (const piece of body) {
    for (let at = 0; at < piece.length; ) {
      if (used === partBytes) {
        yield { bytes: part, isLast: false };
        const spare = lifetime === 'good' ? null : before;
        before = part;
        part = spare ?? new Uint8Array(partBytes);
        used = 0;
      }
      const taken = Math.min(piece.length - at, partBytes - used, COPY_STRETCH);
      part = withRoom(part, used + taken, partBytes);
      part.set(piece.subarray(at, at + taken), used);
      used += taken;
      at += taken;
      copiedInTurn += taken;
      if (copiedInTurn < COPY_STRETCH) continue;
      copiedInTurn = 0;
      await setImmediate();
    }
  }
  yield { bytes: part.subarray(0, used), isLast: true };
}

/** Doubles up to a whole part, so that small bodies take little memory. */
function withRoom(
  bytes: Uint8Array<ArrayBuffer>,
  length: number,
  partBytes: number,
): Uint8Array<ArrayBuffer> {
  if (bytes.length >= length) return bytes;
  const larger = new Uint8Array(Math.min(partBytes, Math.max(length, 2 * bytes.length, 64 * 1024)));
  larger.set(bytes);
  return larger;
}
