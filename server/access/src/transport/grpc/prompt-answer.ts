import type { ServerHttp2Stream } from 'node:http2';
import { handleOf } from './stream-handle.ts';

/** What follows the message of a call that went well. */
const OK_TRAILERS = { 'grpc-status': '0' };

/** What Node calls the encoding of bytes. */
const BUFFER = 'buffer' as BufferEncoding;

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
  const send = handle?.trailers;
  if (handle === undefined || send === undefined) {
    this.sendTrailers(OK_TRAILERS);
  } else if (encodedTrailers === null) {
    handle.trailers = (encoded) => {
      encodedTrailers = encoded;
      return send.call(handle, encoded);
    };
    this.sendTrailers(OK_TRAILERS);
  } else if (send.call(handle, encodedTrailers) !== 0) {
    this.destroy();
  }
}
