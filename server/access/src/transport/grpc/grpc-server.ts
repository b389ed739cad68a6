import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import {
  type CallSurroundings,
  GrpcCall,
  type GrpcHandler,
  ignoreError,
  stopListening,
} from './grpc-call.ts';

export interface GrpcServerOptions extends CallSurroundings {
  /** By path, for example `/milvus.proto.milvus.MilvusService/Search`. */
  readonly handlers: ReadonlyMap<string, GrpcHandler>;
  /** Calls that one connection may have open; more wait on the client's side. */
  readonly streamsPerConnectionMax: number;
  /** What a client may send without an acknowledgement on one call, and on all calls of a connection. */
  readonly windowBytes: { readonly stream: number; readonly connection: number };
  /** How often a client that says nothing is asked whether it is there, and how long it may take to answer. */
  readonly keepaliveMs: number;
  readonly keepaliveAnswerMsMax: number;
}

/** In megabytes, and as good as none: messages have limits of their own, and Node would cut connections at 10. */
const SESSION_MEMORY_MB_MAX = 64 * 1024;

/** A message comes in pieces of a frame; those of 16 KiB that HTTP/2 begins with cost a tenth of an insert's processor time. */
const FRAME_BYTES_MAX = 256 * 1024;

/** Unary gRPC over the HTTP/2 of Node. It listens nowhere: sockets are handed to it. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #http2: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #keepalive: NodeJS.Timeout;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#http2 = createServer({
      maxSessionMemory: SESSION_MEMORY_MB_MAX,
      settings: {
        maxConcurrentStreams: options.streamsPerConnectionMax,
        initialWindowSize: options.windowBytes.stream,
        maxFrameSize: FRAME_BYTES_MAX,
      },
    });
    this.#http2.on('session', (session) => this.#own(session));
    this.#http2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (!headers['content-type']?.startsWith('application/grpc')) {
        stream.on('error', ignoreError);
        stream.respond({ ':status': constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
        stopListening(stream);
        return;
      }
      options.poll.asked();
      const call = new GrpcCall(stream, headers, options);
      call.serve(options.handlers.get(headers[':path'] as string) ?? null);
    });
    this.#keepalive = setInterval(() => this.#askAll(), options.keepaliveMs).unref();
  }

  /** Serves a connected socket whose first bytes, unread, are HTTP/2's. */
  take(socket: Socket): void {
    this.#http2.emit('connection', socket);
  }

  /** Tells every client to go; calls in flight are answered, then their connections close. */
  drain(): void {
    clearInterval(this.#keepalive);
    for (const session of this.#sessions) session.close();
  }

  /** Cuts every connection. */
  destroy(): void {
    clearInterval(this.#keepalive);
    for (const session of this.#sessions) session.destroy();
  }

  #own(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.setLocalWindowSize(this.#options.windowBytes.connection);
  }

  #askAll(): void {
    for (const session of this.#sessions) this.#ask(session);
  }

  /** A client that vanished without a word does not answer. */
  #ask(session: ServerHttp2Session): void {
    if (session.destroyed || session.closed) return;
    const vanished = setTimeout(() => session.destroy(), this.#options.keepaliveAnswerMsMax).unref();
    const asked = session.ping(() => clearTimeout(vanished));
    if (!asked) clearTimeout(vanished);
  }
}
