import type { Socket } from 'node:net';
import { Http2Session } from '@elanus/kernel';
import type { CallSurroundings, GrpcHandler } from './grpc-call.ts';
import { type ConnectionOptions, GrpcConnection } from './grpc-connection.ts';

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

/** A message comes in pieces of a frame; those of 16 KiB that HTTP/2 begins with cost a tenth of an insert's processor time. */
const FRAME_BYTES_MAX = 256 * 1024;

/** Unary gRPC over HTTP/2. It listens nowhere: sockets are handed to it. */
export class GrpcServer {
  readonly #options: ConnectionOptions;
  readonly #connections = new Set<GrpcConnection>();
  readonly #keepalive: NodeJS.Timeout;

  /** @throws Error when this Node has no HTTP/2 that the kernel can use */
  constructor(options: GrpcServerOptions) {
    const http2 = {
      streams: options.streamsPerConnectionMax,
      streamWindowBytes: options.windowBytes.stream,
      connectionWindowBytes: options.windowBytes.connection,
      frameBytes: FRAME_BYTES_MAX,
    };
    Http2Session.probe(http2);
    this.#options = { ...options, http2 };
    this.#keepalive = setInterval(() => {
      for (const connection of this.#connections) connection.ask(options.keepaliveAnswerMsMax);
    }, options.keepaliveMs).unref();
  }

  /** Serves a connected socket whose first bytes, unread, are HTTP/2's. */
  take(socket: Socket): void {
    const connection = this.#open(socket);
    if (connection === null) return;
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  /** Tells every client to go; calls in flight are answered, then their connections close. */
  drain(): void {
    clearInterval(this.#keepalive);
    for (const connection of this.#connections) connection.drain();
  }

  /** Cuts every connection. */
  destroy(): void {
    clearInterval(this.#keepalive);
    for (const connection of this.#connections) connection.destroy();
  }

  /** `null` when there is no memory for one more. */
  #open(socket: Socket): GrpcConnection | null {
    try {
      return new GrpcConnection(socket, this.#options);
    } catch {
      socket.destroy();
      return null;
    }
  }
}
