import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { IdlePoll } from '@elanus/runtime';

// An `import` of node:http also loads the HTTP client behind `fetch`: 20 ms more until the server is ready.
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpEdgeOptions {
  /** Makes what answers requests, when the first one comes. */
  readonly listener: () => Promise<RequestListener>;
  /** Bytes of a request's head; a longer one is answered with 431. */
  readonly headerBytesMax: number;
  /** For a request's head and for the whole request. */
  readonly requestMsMax: number;
  /** Told of each request and of its answer. */
  readonly poll: IdlePoll;
}

/** HTTP/1.1 on the port of gRPC. What serves REST is loaded with the first request, which keeps the start short. */
export class HttpEdge {
  readonly #server: Server;
  readonly #unanswered = new Set<ServerResponse>();

  constructor(options: HttpEdgeOptions) {
    this.#server = createServer({
      maxHeaderSize: options.headerBytesMax,
      headersTimeout: options.requestMsMax,
      requestTimeout: options.requestMsMax,
      connectionsCheckingInterval: Math.min(30_000, options.requestMsMax),
    });
    let listener: Promise<RequestListener> | undefined;
    this.#server.on('request', (request, response) => {
      options.poll.asked();
      response.once('finish', () => options.poll.answered());
      this.#unanswered.add(response);
      response.once('close', () => this.#unanswered.delete(response));
      listener ??= options.listener();
      listener.then(
        (answer) => answer(request, response),
        () => notServed(request, response),
      );
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(error, socket as Socket));
    // Its sockets come from the shared port, so it never listens: this event starts its watch over slow requests.
    this.#server.emit('listening');
  }

  /** Serves HTTP on a connected socket. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
    socket.resume();
  }

  /** Closes idle connections at once and the others after their answer. */
  close(): void {
    // By itself Node would keep their connections for five seconds more.
    for (const response of this.#unanswered)
      if (!response.headersSent) response.setHeader('connection', 'close');
    this.#server.close();
  }
}

function notServed(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(500, { 'content-type': 'application/json; charset=utf-8' });
  response.end('{"code":500,"message":"unexpected error"}');
}

/** The status line for what the HTTP parser rejects. */
const STATUS_BY_CODE: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_BY_CODE[error.code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ code: Number(status.slice(0, 3)), message: status.slice(4).toLowerCase() });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
