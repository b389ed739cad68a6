import type { ServerHttp2Stream } from 'node:http2';
import { Socket } from 'node:net';
import { handleOf, symbolNamed } from './stream-handle.ts';

/** What puts the bytes of a stream together. */
export interface ReceiveTarget {
  /** Memory for the next bytes; never empty. */
  room(): Uint8Array;
  /** The next `count` bytes are at the beginning of what `room` returned last. */
  filled(count: number): void;
}

/** By what keys Node keeps how a socket, or any other stream of its own, receives into memory of its user. */
interface ReceiptKeys {
  readonly memory: symbol;
  readonly filled: symbol;
  readonly nextMemory: symbol;
}

/** `null`: this Node has others. */
let keys: ReceiptKeys | null | undefined;

/**
 * Has the bytes that `stream`, which flows, receives from now on written straight into the memory of `target`, until its `end`.
 * Returns whether it does; if not, they come as `data`, as ever.
 *
 * Left alone, Node makes an ArrayBuffer of each read of a socket, of which the DATA frames are pieces. They are copied into
 * their message at once and then wait for the garbage collector, which went through the whole heap after every
 * few dozen megabytes of rows. What a socket does with `onread` each stream of Node's can: its bytes are copied where its
 * reader wants them, and the memory of the read is free when that is done.
 */
export function receiveInto(stream: ServerHttp2Stream, target: ReceiveTarget): boolean {
  if (keys === undefined) keys = receiptKeys();
  const handle = handleOf(stream);
  // What has come already is in a queue, and has to be read before what comes.
  if (keys === null || handle?.useUserBuffer === undefined || stream.readableLength > 0) return false;
  const memory = target.room();
  Object.assign(stream, {
    [keys.memory]: memory,
    [keys.filled]: (count: number) => target.filled(count),
    [keys.nextMemory]: () => target.room(),
  });
  handle.useUserBuffer(memory);
  return true;
}

/** A socket that was never connected shows them. */
function receiptKeys(): ReceiptKeys | null {
  const socket = new Socket();
  const memory = symbolNamed('kBuffer', socket);
  const filled = symbolNamed('kBufferCb', socket);
  const nextMemory = symbolNamed('kBufferGen', socket);
  if (memory === null || filled === null || nextMemory === null) return null;
  return { memory, filled, nextMemory };
}
