import type { Socket } from 'node:net';
import { type Clock, IdlePoll, type Logger, type Metrics, systemRandom } from '@elanus/runtime';
import type { AccessLimits } from '../limits.ts';
import type { RestCallerOptions } from '../rest/rest-caller.ts';
import { CallMetrics } from './call-metrics.ts';
import { GrpcServer } from './grpc/grpc-server.ts';
import { HttpEdge } from './http-edge.ts';
import { milvusService } from './milvus-service.ts';
import { SharedPort } from './shared-port.ts';

export interface AccessServerOptions extends RestCallerOptions {
  /** The address to listen at, for example `127.0.0.1`. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: Pick<
    AccessLimits,
    'nameBytesMax' | 'receiveBytesMax' | 'sendBytesMax' | 'restRequestMs' | 'restInt64'
  >;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What `GET /` tells. */
  readonly version: string;
}

/** As many as a client opens by sending a thousand requests at once; more wait on the client's side. */
const STREAMS_PER_CONNECTION_MAX = 1_024;
/** With the 64 KiB that HTTP/2 begins with, requests of 3 MB came in at 340 MB/s; with these at 540 to 780 MB/s. */
const WINDOW_BYTES = { stream: 4 * 1024 * 1024, connection: 16 * 1024 * 1024 } as const;
const CONNECTIONS_MAX = 10_000;
const FIRST_BYTES_MS_MAX = 10_000;
const HTTP_REQUEST_MS_MAX = 30_000;
const HTTP_HEADER_BYTES_MAX = 64 * 1024;
/** Our own pings find clients that vanished without a word. Theirs, every 10 s without a call, are answered. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_ANSWER_MS_MAX = 20_000;

/** Serves MilvusService and HTTP/1.1 on one port. Whoever started it closes it. */
export class AccessServer {
  readonly #sockets = new Set<Socket>();
  readonly #calls: CallMetrics;
  readonly #grpc: GrpcServer;
  readonly #http: HttpEdge;
  readonly #clock: Clock;
  #shared: SharedPort | undefined;

  private constructor(options: AccessServerOptions) {
    this.#clock = options.clock;
    this.#calls = new CallMetrics(options.metrics);
    const poll = new IdlePoll(options.clock);
    this.#http = new HttpEdge({
      listener: async () => {
        const { restListener } = await import('../rest/rest-app.ts');
        const { receiveBytesMax } = options.limits;
        return restListener({ ...options, random: systemRandom, receiveBytesMax });
      },
      headerBytesMax: HTTP_HEADER_BYTES_MAX,
      requestMsMax: HTTP_REQUEST_MS_MAX,
      poll,
    });
    this.#grpc = new GrpcServer({
      ...options.limits,
      handlers: milvusService({ ...options, metrics: this.#calls }),
      streamsPerConnectionMax: STREAMS_PER_CONNECTION_MAX,
      windowBytes: WINDOW_BYTES,
      keepaliveMs: KEEPALIVE_MS,
      keepaliveAnswerMsMax: KEEPALIVE_ANSWER_MS_MAX,
      poll,
    });
    options.metrics.gauge('milvus_proxy_connection_count', 'Open connections', () => this.#sockets.size);
  }

  /** @throws NodeJS.ErrnoException when the address can't be had */
  static async start(options: AccessServerOptions): Promise<AccessServer> {
    const server = new AccessServer(options);
    server.#shared = await SharedPort.listen({
      host: options.host,
      port: options.port,
      connectionsMax: CONNECTIONS_MAX,
      firstBytesMsMax: FIRST_BYTES_MS_MAX,
      onHttp2: (socket) => {
        server.#own(socket);
        server.#grpc.take(socket);
      },
      onHttp1: (socket) => {
        server.#own(socket);
        server.#http.take(socket);
      },
    });
    return server;
  }

  /** The port in use. */
  get port(): number {
    return this.#shared!.port;
  }

  /**
   * Takes no new connections and no new calls, waits up to `graceMs` for those in flight, then cuts the rest.
   * When it resolves no handler is running that its client still waits for.
   */
  async close({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#shared!.stopAccepting();
    this.#http.close();
    this.#grpc.drain();
    const timeUp = new AbortController();
    const allClosed = Promise.all([...this.#sockets].map(closed));
    await Promise.race([allClosed, this.#clock.sleep(graceMs, { signal: timeUp.signal }).catch(() => {})]);
    timeUp.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#grpc.destroy();
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}
