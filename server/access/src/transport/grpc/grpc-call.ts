import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { IdlePoll } from '@elanus/runtime';
import { receiveInto } from './direct-receipt.ts';
import { encodedGrpcMessage, GRPC_STATUS, GrpcError } from './grpc-status.ts';
import { millisecondsOf } from './grpc-timeout.ts';
import { ACCEPTED_ENCODINGS, inflated } from './inflate.ts';
import { MessageReader, PREFIX_BYTES } from './message-reader.ts';
import { sendMessage } from './prompt-answer.ts';

/** Takes the bytes of a request and gives those of the answer; rejects with GrpcError for a status of gRPC's own. */
export type GrpcHandler = (request: Buffer, call: GrpcCall) => Promise<Uint8Array>;

/** What all calls of a server have in common. */
export interface CallSurroundings {
  /** Bytes of a message. */
  readonly receiveBytesMax: number;
  readonly sendBytesMax: number;
  /** Paths whose requests mostly come in many pieces. */
  readonly largeRequests: ReadonlySet<string>;
  /** Told of each request and of its answer. */
  readonly poll: IdlePoll;
}

/** Timers count no further; a call with more time has no deadline. */
const TIMEOUT_MS_MAX = 0x7fff_ffff;
/** How long a client may go on sending a request that has its answer. */
const UNHEARD_MS_MAX = 1_000;
/** Larger answers are not copied behind their prefix. */
const COPIED_BYTES_MAX = 16 * 1024;

const { HTTP2_HEADER_STATUS, HTTP2_HEADER_CONTENT_TYPE, NGHTTP2_NO_ERROR } = constants;
/** Names and values, which Node sends without making an object of its own for each answer. */
const ANSWER_HEADERS: readonly string[] = [
  ...[HTTP2_HEADER_STATUS, '200'],
  ...[HTTP2_HEADER_CONTENT_TYPE, 'application/grpc+proto'],
  ...['grpc-accept-encoding', ACCEPTED_ENCODINGS],
];
/** No date: nobody keeps answers of gRPC, and Node would put it into the list. */
const ANSWER_OPTIONS = { waitForTrailers: true, sendDate: false } as const;

/**
 * One unary call over one HTTP/2 stream (gRPC over HTTP/2, "PROTOCOL-HTTP2"): its message is put together, handed to
 * the handler when the client has said that nothing follows, and answered once, by whoever is first: the handler,
 * an error, or the deadline.
 */
export class GrpcCall {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #server: CallSurroundings;
  #isAnswered = false;
  #isCancelled = false;
  #onCancel: (() => void) | null = null;
  #deadline: NodeJS.Timeout | null = null;
  #requestMemory: ArrayBuffer | null = null;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, server: CallSurroundings) {
    this.#stream = stream;
    this.#headers = headers;
    this.#server = server;
  }

  /** Reads the request, runs `handler` (`null`: nobody serves this path) and answers. */
  serve(handler: GrpcHandler | null): void {
    const stream = this.#stream;
    // A stream that breaks is closed, which is looked at below.
    stream.on('error', ignoreError);
    // Not `once`: each of these comes once anyway, and a listener that goes is told of like one that comes.
    stream.on('close', () => this.#cancel());
    const path = this.#headers[':path'] as string;
    try {
      this.#startDeadline();
      if (handler === null)
        throw new GrpcError(GRPC_STATUS.unimplemented, `The server does not implement the method ${path}`);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const reader = new MessageReader(path, this.#server.receiveBytesMax);
    this.#receive(reader, path);
    stream.on('end', () => {
      if (!this.#isAnswered && !this.#isCancelled) void this.#run(handler, reader);
    });
  }

  /** The value of a header; the first, should it come several times. */
  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** `host:port` of the client; empty when the connection has gone. */
  get peer(): string {
    const socket = this.#stream.session?.socket;
    return socket?.remoteAddress === undefined ? '' : `${socket.remoteAddress}:${socket.remotePort}`;
  }

  /** Nobody waits for an answer any more: the client has gone, or its deadline has passed. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Calls back once when the call is cancelled before it is answered. One listener; at once when it is cancelled already. */
  onCancel(listener: () => void): void {
    if (this.#isCancelled) listener();
    else this.#onCancel = listener;
  }

  /**
   * Gives the memory of the request back at once. Nobody reads the request any more, nor anything that is a view of it. The
   * garbage collector would come for it when some dozens of large requests are lying about.
   */
  releaseRequest(): void {
    this.#requestMemory?.transfer(0);
    this.#requestMemory = null;
  }

  /** Lets `reader` have what comes, until the call is answered. */
  #receive(reader: MessageReader, path: string): void {
    const stream = this.#stream;
    const reading = (read: () => void): void => {
      if (this.#isAnswered) return;
      try {
        read();
      } catch (error) {
        this.#fail(error);
      }
    };
    const target = {
      room: () => reader.room(),
      filled: (count: number) => reading(() => reader.filled(count)),
    };
    if (this.#server.largeRequests.has(path) && receiveInto(stream, target)) {
      stream.resume();
      return;
    }
    stream.on('data', (chunk: Buffer) => {
      reading(() => reader.push(chunk));
      // Of most messages nothing is to come: those cost less as they are.
      if (reader.hasRoom) receiveInto(stream, target);
    });
  }

  async #run(handler: GrpcHandler, reader: MessageReader): Promise<void> {
    try {
      const message = reader.finish();
      if (message.hasOwnMemory) this.#requestMemory = message.bytes.buffer as ArrayBuffer;
      const request = message.isCompressed
        ? await inflated(message, this.header('grpc-encoding'), this.#server.receiveBytesMax)
        : message.bytes;
      this.#answer(await handler(request, this));
    } catch (error) {
      this.#fail(error);
    }
  }

  #startDeadline(): void {
    const timeout = this.header('grpc-timeout');
    if (timeout === undefined) return;
    const ms = millisecondsOf(timeout);
    if (ms > TIMEOUT_MS_MAX) return;
    this.#deadline = setTimeout(() => {
      this.#cancel();
      this.#fail(new GrpcError(GRPC_STATUS.deadlineExceeded, 'Deadline exceeded'));
    }, ms);
  }

  #cancel(): void {
    this.#end();
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#onCancel?.();
    this.#onCancel = null;
  }

  #end(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #answer(answer: Uint8Array): void {
    if (this.#isAnswered || this.#stream.destroyed) return;
    if (answer.length > this.#server.sendBytesMax)
      throw new GrpcError(
        GRPC_STATUS.resourceExhausted,
        `Attempted to send message with a size larger than ${this.#server.sendBytesMax}`,
      );
    this.#settle();
    this.#stream.respond(ANSWER_HEADERS, ANSWER_OPTIONS);
    sendMessage(this.#stream, framed(answer));
    this.#server.poll.answered();
  }

  /** Ends the call with a status; what the client still sends is not waited for. */
  #fail(error: unknown): void {
    if (this.#isAnswered || this.#stream.destroyed) return;
    this.#settle();
    const { status, message } =
      error instanceof GrpcError ? error : { status: GRPC_STATUS.internal, message: 'unexpected error' };
    const told = ['grpc-status', String(status), 'grpc-message', encodedGrpcMessage(message)];
    this.#stream.respond([...ANSWER_HEADERS, ...told], { endStream: true });
    if (!this.#stream.readableEnded) stopListening(this.#stream);
  }

  /** From here on the call is answered: no deadline, nothing to cancel. */
  #settle(): void {
    this.#isAnswered = true;
    this.#onCancel = null;
    this.#end();
  }
}

/** Of a stream that breaks: it is closed, too. */
export function ignoreError(): void {}

/** What still comes is thrown away. Not cut off at once: the answer, which is still to be written, would go with it. */
export function stopListening(stream: ServerHttp2Stream): void {
  stream.resume();
  const cut = setTimeout(() => stream.close(NGHTTP2_NO_ERROR), UNHEARD_MS_MAX).unref();
  stream.once('close', () => clearTimeout(cut));
}

/** The message behind its prefix, in as few pieces as is cheap. */
function framed(message: Uint8Array): readonly Uint8Array[] {
  const isCopied = message.length <= COPIED_BYTES_MAX;
  const head = Buffer.allocUnsafe(isCopied ? PREFIX_BYTES + message.length : PREFIX_BYTES);
  head[0] = 0;
  head.writeUInt32BE(message.length, 1);
  if (!isCopied) return [head, message];
  head.set(message, PREFIX_BYTES);
  return [head];
}
