import type { ServerHttp2Stream } from 'node:http2';

/** What Node itself writes a stream's frames through. */
interface StreamHandle {
  /** Sends trailers that are encoded already; anything but 0 is a failure. */
  trailers(encoded: unknown): number;
}

/** What follows the message of a call that went well. */
const OK_TRAILERS = { 'grpc-status': '0' };

/** What Node calls the encoding of bytes. */
const BUFFER = 'buffer' as BufferEncoding;

/** Where Node keeps the handle; `null`: this Node keeps it elsewhere. */
let handleSymbol: symbol | null | undefined;
/** `OK_TRAILERS` as Node encodes them; `null` until it has. */
let encodedTrailers: unknown = null;

/**
 * Sends the pieces of an answer's message, and the trailers of a success behind it. Requires that the headers were sent with
 * `waitForTrailers`.
 *
 * Left alone, Node tells HTTP/2 that nothing follows a message only when the system has it, asks for the trailers then, and
 * sends them a turn of the loop later: two writes and three turns a call (docs/decisions/0076). Here the end is told together
 * with the message, and the trailers are handed over while HTTP/2 asks, which nghttp2 allows: headers, message and trailers
 * are one write. That takes the stream's handle, which Node keeps to itself; without it the trailers come as Node sends them.
 */
export function sendMessage(stream: ServerHttp2Stream, pieces: readonly Uint8Array[]): void {
  stream.on('wantTrailers', sendTrailers);
  // Not `write`: what goes through the stream's own queue lets it end only when it has been sent.
  if (pieces.length === 1) stream._write(pieces[0], BUFFER, ignoreOutcome);
  else
    stream._writev!(
      pieces.map((chunk) => ({ chunk, encoding: BUFFER })),
      ignoreOutcome,
    );
  stream.end();
}

/** A write that fails takes the stream with it, which is closed then. */
function ignoreOutcome(): void {}

function sendTrailers(this: ServerHttp2Stream): void {
  const handle = handleOf(this);
  if (handle === undefined) {
    this.sendTrailers(OK_TRAILERS);
  } else if (encodedTrailers === null) {
    noteTrailers(handle);
    this.sendTrailers(OK_TRAILERS);
  } else if (handle.trailers(encodedTrailers) !== 0) {
    this.destroy();
  }
}

function handleOf(stream: ServerHttp2Stream): StreamHandle | undefined {
  if (handleSymbol === undefined) {
    const symbols = Object.getOwnPropertySymbols(stream);
    handleSymbol = symbols.find(({ description }) => description === 'kHandle') ?? null;
  }
  if (handleSymbol === null) return undefined;
  const handle = (stream as unknown as Record<symbol, Partial<StreamHandle> | undefined>)[handleSymbol];
  return typeof handle?.trailers === 'function' ? (handle as StreamHandle) : undefined;
}

/** Remembers how Node encodes the trailers when it sends them through `handle`. */
function noteTrailers(handle: StreamHandle): void {
  const { trailers } = handle;
  handle.trailers = (encoded) => {
    encodedTrailers = encoded;
    return trailers.call(handle, encoded);
  };
}
