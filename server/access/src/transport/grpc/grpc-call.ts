import type { IdlePoll } from '@elanus/runtime';
import { encodedGrpcMessage, GRPC_STATUS, GrpcError } from './grpc-status.ts';
import { millisecondsOf } from './grpc-timeout.ts';
import { ACCEPTED_ENCODINGS, inflated } from './inflate.ts';
import { MessageReader } from './message-reader.ts';
import type { RequestHeaders } from './request-headers.ts';

/** Takes the bytes of a request and gives those of the answer; rejects with GrpcError for a status of gRPC's own. */
export type GrpcHandler = (request: Buffer, call: GrpcCall) => Promise<Uint8Array>;

/** What all calls of a server have in common. */
export interface CallSurroundings {
  /** Bytes of a message. */
  readonly receiveBytesMax: number;
  readonly sendBytesMax: number;
  /** Told of each request and of its answer. */
  readonly poll: IdlePoll;
}

/** Where a call came from, and where its answer goes. */
export interface CallConnection {
  /** `host:port` of the client; empty when the connection has gone. */
  readonly peer: string;
  /** Sends a message and the status of a success. */
  answer(stream: number, message: Uint8Array): void;
  /** Sends nothing but headers. `isEnded`: the client has sent all of its request. */
  refuse(stream: number, headers: readonly string[], isEnded: boolean): void;
}

/** Timers count no further; a call with more time has no deadline. */
const TIMEOUT_MS_MAX = 0x7fff_ffff;

/** What precedes the status of a call that fails: names and values by turns. */
const FAILURE_HEADERS: readonly string[] = [
  ...[':status', '200'],
  ...['content-type', 'application/grpc+proto'],
  ...['grpc-accept-encoding', ACCEPTED_ENCODINGS],
];

/**
 * One unary call over one HTTP/2 stream (gRPC over HTTP/2, "PROTOCOL-HTTP2"): its message is put together, handed to
 * the handler when the client has said that nothing follows, and answered once, by whoever is first: the handler,
 * an error, or the deadline.
 */
export class GrpcCall {
  readonly #stream: number;
  readonly #headers: RequestHeaders;
  readonly #connection: CallConnection;
  readonly #server: CallSurroundings;
  #handler: GrpcHandler | null = null;
  #reader: MessageReader | null = null;
  #isEnded = false;
  #isAnswered = false;
  #isCancelled = false;
  #onCancel: (() => void) | null = null;
  #deadline: NodeJS.Timeout | null = null;
  #requestMemory: ArrayBuffer | null = null;

  constructor(stream: number, headers: RequestHeaders, connection: CallConnection, server: CallSurroundings) {
    this.#stream = stream;
    this.#headers = headers;
    this.#connection = connection;
    this.#server = server;
  }

  /** The request is to be read, for `handler` (`null`: nobody serves this path). */
  begin(handler: GrpcHandler | null): void {
    const { path } = this.#headers;
    try {
      this.#startDeadline();
      if (handler === null)
        throw new GrpcError(GRPC_STATUS.unimplemented, `The server does not implement the method ${path}`);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#handler = handler;
    this.#reader = new MessageReader(path, this.#server.receiveBytesMax);
  }

  /** Takes the next bytes of the request, whose memory is lent. */
  receive(bytes: Buffer): void {
    if (this.#isAnswered) return;
    try {
      this.#reader?.push(bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The client has sent all of its request: it is handled and answered. */
  end(): void {
    this.#isEnded = true;
    if (this.#isAnswered || this.#isCancelled || this.#handler === null) return;
    void this.#run(this.#handler, this.#reader!);
  }

  /** Nobody waits for an answer any more. */
  cancel(): void {
    this.#end();
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#onCancel?.();
    this.#onCancel = null;
  }

  /** The value of a header; the first, should it come several times. */
  header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  /** `host:port` of the client; empty when the connection has gone. */
  get peer(): string {
    return this.#connection.peer;
  }

  get isAnswered(): boolean {
    return this.#isAnswered;
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
      this.cancel();
      this.#fail(new GrpcError(GRPC_STATUS.deadlineExceeded, 'Deadline exceeded'));
    }, ms);
  }

  #end(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline);
    this.#deadline = null;
  }

  #answer(answer: Uint8Array): void {
    if (this.#isAnswered || this.#isCancelled) return;
    if (answer.length > this.#server.sendBytesMax)
      throw new GrpcError(
        GRPC_STATUS.resourceExhausted,
        `Attempted to send message with a size larger than ${this.#server.sendBytesMax}`,
      );
    this.#settle();
    this.#connection.answer(this.#stream, answer);
    this.#server.poll.answered();
  }

  /** Ends the call with a status; what the client still sends is not waited for. */
  #fail(error: unknown): void {
    if (this.#isAnswered) return;
    this.#settle();
    const { status, message } =
      error instanceof GrpcError ? error : { status: GRPC_STATUS.internal, message: 'unexpected error' };
    const told = ['grpc-status', String(status), 'grpc-message', encodedGrpcMessage(message)];
    this.#connection.refuse(this.#stream, [...FAILURE_HEADERS, ...told], this.#isEnded);
  }

  /** From here on the call is answered: no deadline, nothing to cancel. */
  #settle(): void {
    this.#isAnswered = true;
    this.#onCancel = null;
    this.#end();
  }
}
