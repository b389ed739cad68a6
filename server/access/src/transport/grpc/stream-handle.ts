import type { ServerHttp2Stream } from 'node:http2';

/** What Node itself reads and writes a stream's frames through. What a Node does not have is undefined. */
export interface StreamHandle {
  /** Sends trailers that are encoded already; anything but 0 is a failure. */
  trailers?: (encoded: unknown) => number;
  /** Has what comes put into `memory` instead of new memory. */
  useUserBuffer?: (memory: Uint8Array) => void;
}

/** Where Node keeps the handle; `null`: this Node keeps it elsewhere. */
let handleSymbol: symbol | null | undefined;

/** The handle of a stream, which Node keeps to itself; `undefined`: the stream is closed, or this Node keeps it elsewhere. */
export function handleOf(stream: ServerHttp2Stream): StreamHandle | undefined {
  if (handleSymbol === undefined) handleSymbol = symbolNamed('kHandle', stream);
  if (handleSymbol === null) return undefined;
  return (stream as unknown as Record<symbol, StreamHandle | undefined>)[handleSymbol];
}

/** The key of that name by which `owner` keeps something to itself; `null`: it has none. */
export function symbolNamed(name: string, owner: object): symbol | null {
  return Object.getOwnPropertySymbols(owner).find(({ description }) => description === name) ?? null;
}
