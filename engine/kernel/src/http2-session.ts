/** HTTP/2 as gRPC's server uses it, over the nghttp2 that Node carries. */
import { loadNative, type NativeKernel } from './native.ts';

export interface Http2Limits {
  /** Streams that a client may have open at a time. */
  readonly streams: number;
  /** Bytes that a client may send without an acknowledgement: on one stream, and on all. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  /** Bytes of a frame, 16,384 to 16,777,215. */
  readonly frameBytes: number;
}

/** Told of what a client does with its streams. None of these throws. */
export interface Http2Streams {
  /** `headers`: the path, then names and values by turns, each ended by a line feed. */
  onRequest(stream: number, headers: string): void;
  /** The memory of `bytes` is lent for this call. */
  onData(stream: number, bytes: Uint8Array): void;
  /** The client has sent all of its request. */
  onEnd(stream: number): void;
  /** Nobody waits for an answer any more. */
  onClosed(stream: number): void;
  /** A ping is answered. */
  onPong(): void;
}

const KIND = { request: 1, data: 2, end: 3, closed: 4, pong: 5 } as const;
const WORDS_PER_EVENT = 4;
/** As session.h has them. */
const INPUT_BYTES = 64 * 1024;
const OUTPUT_BYTES = 64 * 1024;
/** Larger messages are not copied, they are kept until they are sent. */
const COPIED_BYTES_MAX = 16 * 1024;

/**
 * Where a socket puts what it receives for `Http2Session.receive`: one for all, because it is read at once. It is as long as a
 * read may be.
 */
export const HTTP2_INPUT = Buffer.allocUnsafeSlow(INPUT_BYTES);
const OUTPUT = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
let events: Int32Array | null = null;

/**
 * The server's end of one connection: bytes in, calls of `Http2Streams` out; answers in, bytes out. It touches no socket.
 * Frames, header compression, flow control and floods are nghttp2's (RFC 9113, RFC 7541). To be closed once.
 */
export class Http2Session {
  readonly #native: NativeKernel;
  readonly #streams: Http2Streams;
  readonly #events: Int32Array;
  /** 0: closed. */
  #session: number;

  /** @throws Error when sessions cannot be had here */
  static probe(limits: Http2Limits): void {
    const nobody = { onRequest() {}, onData() {}, onEnd() {}, onClosed() {}, onPong() {} };
    new Http2Session(limits, nobody).close();
  }

  /** @throws Error when this Node does not have nghttp2, or no memory */
  constructor(limits: Http2Limits, streams: Http2Streams) {
    this.#native = loadNative();
    this.#streams = streams;
    events ??= new Int32Array(this.#native.http2EventWords());
    this.#events = events;
    this.#session = this.#native.http2Open(
      limits.streams,
      limits.streamWindowBytes,
      limits.connectionWindowBytes,
      limits.frameBytes,
    );
    if (this.#session === 0) throw new Error('this Node has no nghttp2 that the kernel can use');
  }

  /** Takes the first `count` bytes of `HTTP2_INPUT`. False when the connection is beyond repair. */
  receive(count: number): boolean {
    if (this.#session === 0) return false;
    const isSound = this.#native.http2Receive(this.#session, HTTP2_INPUT, count, this.#events);
    this.#tell();
    return isSound;
  }

  /** What is to be sent next, at most 64 KiB; `null`: nothing now, `over`: and nothing ever. */
  send(): Buffer | 'over' | null {
    if (this.#session === 0) return 'over';
    const count = this.#native.http2Send(this.#session, OUTPUT, this.#events);
    const bytes = count > 0 ? Buffer.from(OUTPUT.subarray(0, count)) : null;
    this.#tell();
    return count < 0 ? 'over' : bytes;
  }

  /** Answers with a message of gRPC and the status OK. `message` is not written to any more. */
  answer(stream: number, message: Uint8Array): void {
    if (this.#session !== 0)
      this.#native.http2Answer(this.#session, stream, message, message.length > COPIED_BYTES_MAX);
  }

  /** Answers with nothing but headers: names and values by turns, Latin-1 without line feeds. */
  refuse(stream: number, headers: readonly string[]): void {
    if (this.#session !== 0) this.#native.http2Refuse(this.#session, stream, `${headers.join('\n')}\n`);
  }

  /** Does not want what else comes of a stream. */
  cancel(stream: number): void {
    if (this.#session !== 0) this.#native.http2Cancel(this.#session, stream);
  }

  ping(): void {
    if (this.#session !== 0) this.#native.http2Ping(this.#session);
  }

  /** Has the client open no more streams. */
  goAway(): void {
    if (this.#session !== 0) this.#native.http2GoAway(this.#session);
  }

  close(): void {
    if (this.#session !== 0) this.#native.http2Close(this.#session);
    this.#session = 0;
  }

  #tell(): void {
    const all = this.#events;
    const end = 1 + all[0]! * WORDS_PER_EVENT;
    for (let at = 1; at < end && this.#session !== 0; at += WORDS_PER_EVENT)
      this.#tellOne(all[at]!, all[at + 1]!, all[at + 2]!, all[at + 3]!);
  }

  #tellOne(kind: number, stream: number, offset: number, length: number): void {
    switch (kind) {
      case KIND.request:
        this.#streams.onRequest(stream, this.#native.http2Headers(this.#session, stream));
        break;
      case KIND.data:
        this.#streams.onData(stream, HTTP2_INPUT.subarray(offset, offset + length));
        break;
      case KIND.end:
        this.#streams.onEnd(stream);
        break;
      case KIND.closed:
        this.#streams.onClosed(stream);
        break;
      case KIND.pong:
        this.#streams.onPong();
        break;
    }
  }
}
