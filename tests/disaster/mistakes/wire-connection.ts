import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import type { Call } from '@elanus/access/testing';
import {
  decode,
  encode,
  type Method,
  type MethodName,
  type Methods,
  methods,
  SERVICE_PATH,
} from '@elanus/proto';

/** A call of which every byte is ours: nothing of a gRPC library stands between. */
export interface RawCall {
  readonly path: string;
  /** Replace or, when they are `undefined`, leave out what a gRPC client sends. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Everything after the headers: zero or more messages, each with its frame. */
  readonly body: Uint8Array;
  /** Leaves the call hanging after `body` and takes it back then, instead of ending it. */
  readonly takenBack?: boolean;
}

export interface RawAnswer {
  readonly httpStatus: number;
  /** `null`: the server said none. */
  readonly grpcStatus: number | null;
  readonly grpcMessage: string;
  /** The message without its frame; `null` when there is none. */
  readonly message: Uint8Array | null;
}

const FRAME_BYTES = 5;
const ANSWER_WITHIN_MS = 20_000;
/** Node's own clients refuse to send more than 10 MB at once. */
const SESSION_MEMORY_MB = 1_000;

/** A message in its gRPC frame: one byte of flags, four of length. */
export function frame(message: Uint8Array, flags = 0, claimedLength = message.length): Buffer {
  const framed = Buffer.alloc(FRAME_BYTES + message.length);
  framed.writeUInt8(flags, 0);
  framed.writeUInt32BE(claimedLength, 1);
  framed.set(message, FRAME_BYTES);
  return framed;
}

export function methodNamed(name: MethodName): Method {
  return methods.find((method) => method.name === name)!;
}

/** The message of a call, encoded. */
export function encoded({ method, request }: Call): Uint8Array {
  return encode(methodNamed(method).request, request as never);
}

/** One HTTP/2 connection to a server, for calls of any shape. */
export class WireConnection implements AsyncDisposable {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  static async open(address: string): Promise<WireConnection> {
    const session = connect(`http://${address}`, { maxSessionMemory: SESSION_MEMORY_MB });
    await once(session, 'connect');
    // What breaks the connection breaks its calls, and those tell.
    session.on('error', () => {});
    return new WireConnection(session);
  }

  /** Rejects when the connection breaks or nothing comes within 20 s. */
  async send({ path, headers = {}, body, takenBack = false }: RawCall): Promise<RawAnswer> {
    const all: Record<string, string | undefined> = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    };
    const sent = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
    const stream = this.#session.request(Object.fromEntries(sent), {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    let said: Readonly<Record<string, unknown>> = {};
    const received: Buffer[] = [];
    let failure: Error | undefined;
    stream.on('response', (first) => (said = { ...said, ...first }));
    stream.on('trailers', (last) => (said = { ...said, ...last }));
    stream.on('data', (chunk: Buffer) => received.push(chunk));
    stream.on('error', (error: Error) => (failure = error));
    if (takenBack) stream.write(body, () => stream.close(constants.NGHTTP2_CANCEL));
    else stream.end(body);
    await once(stream, 'close');
    // A server that refuses early may reset what is still being sent: its answer counts.
    if (failure !== undefined && said['grpc-status'] === undefined && !takenBack) throw failure;
    const answer = Buffer.concat(received);
    const grpcStatus = said['grpc-status'];
    return {
      httpStatus: Number(said[':status'] ?? 0),
      grpcStatus: grpcStatus === undefined ? null : Number(grpcStatus),
      grpcMessage: decodeURIComponent(String(said['grpc-message'] ?? '')),
      message: answer.length < FRAME_BYTES ? null : answer.subarray(FRAME_BYTES),
    };
  }

  /** Sends `message` as a gRPC client would and decodes what comes back. Rejects unless gRPC's own status is OK. */
  async ask<Name extends MethodName>(
    name: Name,
    message: Uint8Array,
    database?: string,
  ): Promise<Methods[Name]['response']> {
    const headers = database === undefined ? {} : { dbname: database };
    const answer = await this.send({ path: SERVICE_PATH + name, headers, body: frame(message) });
    if (answer.grpcStatus !== 0) throw new GrpcError(answer);
    return decode(
      methodNamed(name).response,
      answer.message ?? new Uint8Array(),
    ) as Methods[Name]['response'];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.destroy();
  }
}

/** gRPC's own refusal of a call. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly grpcStatus: number | null;

  constructor({ httpStatus, grpcStatus, grpcMessage }: RawAnswer) {
    super(`HTTP ${httpStatus}, gRPC ${grpcStatus}: ${grpcMessage}`);
    this.grpcStatus = grpcStatus;
  }
}
