import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// An `import` of node:http also loads the HTTP client behind `fetch`: 20 ms more until the server is ready.
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpEdgeOptions {
  readonly version: string;
  /** Bytes of a request's head; a longer one is answered with 431. */
  readonly headerBytesMax: number;
  /** For a request's head and for the whole request. */
  readonly requestMsMax: number;
}

/** HTTP/1.1 on the port of gRPC. It has no routes yet besides `GET /`, which says who answers. */
export class HttpEdge {
  readonly #server: Server;

  constructor(options: HttpEdgeOptions) {
    this.#server = createServer({
      maxHeaderSize: options.headerBytesMax,
      headersTimeout: options.requestMsMax,
      requestTimeout: options.requestMsMax,
      connectionsCheckingInterval: Math.min(30_000, options.requestMsMax),
    });
    this.#server.on('request', (request, response) => answer(request, response, options.version));
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
    this.#server.close();
  }

  /** Cuts every connection. */
  destroy(): void {
    this.#server.closeAllConnections();
  }
}

function answer(request: IncomingMessage, response: ServerResponse, version: string): void {
  // Nothing here reads a body: it flows away, and the parser still counts its bytes against the time limit.
  request.resume();
  const path = (request.url ?? '/').split('?', 1)[0];
  if (path === '/' && (request.method === 'GET' || request.method === 'HEAD')) {
    reply(response, 200, { code: 0, data: { name: 'elanus', version } });
    return;
  }
  reply(response, 404, { code: 404, message: `${request.method} ${path} not found` });
}

function reply(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
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
