import type { Socket } from 'node:net';
import { HTTP2_INPUT, type Http2Limits, Http2Session, type Http2Streams } from '@elanus/kernel';
import { type CallConnection, type CallSurroundings, GrpcCall, type GrpcHandler } from './grpc-call.ts';
import { RequestHeaders } from './request-headers.ts';
import { receiveInto } from './socket-receipt.ts';

export interface ConnectionOptions extends CallSurroundings {
  /** By path, for example `/milvus.proto.milvus.MilvusService/Search`. */
  readonly handlers: ReadonlyMap<string, GrpcHandler>;
  readonly http2: Http2Limits;
}

/** How long a client may go on sending a request that has its answer. */
const UNHEARD_MS_MAX = 1_000;
const UNSUPPORTED_MEDIA_TYPE = '415';

/** One client's connection: its socket, HTTP/2 over that, and the calls that are open. */
export class GrpcConnection implements Http2Streams, CallConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: Http2Session;
  readonly #calls = new Map<number, GrpcCall>();
  /** Of streams that have their answer and whose client goes on sending. */
  readonly #unheard = new Map<number, NodeJS.Timeout>();
  #isFlushing = false;
  #vanished: NodeJS.Timeout | null = null;

  /** Serves a connected socket whose first bytes, unread, are HTTP/2's. */
  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = new Http2Session(options.http2, this);
    socket.on('data', (chunk: Buffer) => this.#takeData(chunk));
    socket.on('drain', () => this.#flush());
    socket.on('close', () => this.#close());
    socket.resume();
    this.#flushSoon();
  }

  /** `host:port` of the client; empty when the connection has gone. */
  get peer(): string {
    const { remoteAddress, remotePort } = this.#socket;
    return remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
  }

  /** Tells the client to go; calls in flight are answered, then the connection closes. */
  drain(): void {
    this.#session.goAway();
    this.#flushSoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Asks the client whether it is there. One that vanished without a word does not answer. */
  ask(answerMsMax: number): void {
    if (this.#vanished !== null) return;
    this.#vanished = setTimeout(() => this.destroy(), answerMsMax).unref();
    this.#session.ping();
    this.#flushSoon();
  }

  answer(stream: number, message: Uint8Array): void {
    this.#calls.delete(stream);
    this.#session.answer(stream, message);
    this.#flushSoon();
  }

  refuse(stream: number, headers: readonly string[], isEnded: boolean): void {
    if (isEnded) this.#calls.delete(stream);
    else this.#stopListening(stream);
    this.#session.refuse(stream, headers);
    this.#flushSoon();
  }

  onRequest(stream: number, text: string): void {
    const headers = new RequestHeaders(text);
    if (headers.get('content-type')?.startsWith('application/grpc') !== true) {
      this.refuse(stream, [':status', UNSUPPORTED_MEDIA_TYPE], false);
      return;
    }
    this.#options.poll.asked();
    const call = new GrpcCall(stream, headers, this, this.#options);
    this.#calls.set(stream, call);
    call.begin(this.#options.handlers.get(headers.path) ?? null);
  }

  onData(stream: number, bytes: Buffer): void {
    this.#calls.get(stream)?.receive(bytes);
  }

  onEnd(stream: number): void {
    const call = this.#calls.get(stream);
    this.#hearNoMore(stream);
    if (call?.isAnswered === true) this.#calls.delete(stream);
    else call?.end();
  }

  onClosed(stream: number): void {
    const call = this.#calls.get(stream);
    this.#calls.delete(stream);
    this.#hearNoMore(stream);
    call?.cancel();
  }

  onPong(): void {
    if (this.#vanished !== null) clearTimeout(this.#vanished);
    this.#vanished = null;
  }

  /** What comes as `data` is copied to where what follows is written at once. */
  #takeData(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += HTTP2_INPUT.length) {
      const piece = chunk.subarray(at, at + HTTP2_INPUT.length);
      HTTP2_INPUT.set(piece);
      this.#take(piece.length);
    }
    receiveInto(this.#socket, HTTP2_INPUT, (count) => this.#take(count));
  }

  #take(count: number): void {
    if (this.#socket.destroyed) return;
    if (this.#session.receive(count)) this.#flushSoon();
    else this.destroy();
  }

  /** Answers that are ready in the same turn are one write. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    process.nextTick(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  /** As much as the system takes: what a client does not read waits in HTTP/2, which cuts off who has too much of it. */
  #flush(): void {
    const socket = this.#socket;
    while (!socket.destroyed && socket.writable && !socket.writableNeedDrain) {
      const bytes = this.#session.send();
      if (bytes === 'over') {
        socket.destroySoon();
        return;
      }
      if (bytes === null) return;
      socket.write(bytes);
    }
  }

  /** What still comes is thrown away. Not cut off at once: the answer, which is still to be written, would go with it. */
  #stopListening(stream: number): void {
    const cut = setTimeout(() => {
      this.#session.cancel(stream);
      this.#flushSoon();
    }, UNHEARD_MS_MAX);
    this.#unheard.set(stream, cut.unref());
  }

  #hearNoMore(stream: number): void {
    if (this.#unheard.size === 0) return;
    clearTimeout(this.#unheard.get(stream));
    this.#unheard.delete(stream);
  }

  #close(): void {
    this.#session.close();
    this.onPong();
    for (const cut of this.#unheard.values()) clearTimeout(cut);
    for (const call of this.#calls.values()) call.cancel();
    this.#calls.clear();
  }
}
