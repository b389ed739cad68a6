import { Socket } from 'node:net';

/** What Node itself reads a socket through. What a Node does not have is undefined. */
interface SocketHandle {
  /** Has what comes put into `memory` instead of new memory. */
  useUserBuffer?: (memory: Uint8Array) => void;
}

/** By what keys Node keeps how a socket receives into memory of its user. */
interface ReceiptKeys {
  readonly memory: symbol;
  readonly filled: symbol;
}

/** `null`: this Node has others. */
let keys: ReceiptKeys | null | undefined;

/**
 * Has the bytes that `socket`, which flows, receives from now on written straight into `memory`; `filled` is told how many.
 * Returns whether it does; if not, they come as `data`, as ever.
 *
 * Left alone, Node makes an ArrayBuffer of each read, which then waits for the garbage collector: it went through the whole
 * heap after every few dozen megabytes of rows. `onread` is for that, but Node has it for sockets of clients only.
 */
export function receiveInto(socket: Socket, memory: Uint8Array, filled: (count: number) => void): boolean {
  if (keys === undefined) keys = receiptKeys();
  const handle = (socket as unknown as { readonly _handle: SocketHandle | null })._handle;
  // What has come already is in a queue, and has to be read before what comes.
  if (keys === null || handle?.useUserBuffer === undefined || socket.readableLength > 0) return false;
  Object.assign(socket, { [keys.memory]: memory, [keys.filled]: filled });
  handle.useUserBuffer(memory);
  return true;
}

/** A socket that was never connected shows them. */
function receiptKeys(): ReceiptKeys | null {
  const socket = new Socket();
  const memory = symbolNamed('kBuffer', socket);
  const filled = symbolNamed('kBufferCb', socket);
  return memory === null || filled === null ? null : { memory, filled };
}

function symbolNamed(name: string, owner: object): symbol | null {
  return Object.getOwnPropertySymbols(owner).find(({ description }) => description === name) ?? null;
}
