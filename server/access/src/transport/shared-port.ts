import { createServer, type Server, type Socket } from 'node:net';

/** What every HTTP/2 client sends first (RFC 9113, section 3.4). No HTTP/1 request begins like it. */
const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0');

export interface SharedPortOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Connections beyond this are closed at once. */
  readonly connectionsMax: number;
  /** How long a client may take to show which protocol it speaks. */
  readonly firstBytesMsMax: number;
  /** Takes over a socket whose first bytes, unread, are HTTP/2's. */
  readonly onHttp2: (socket: Socket) => void;
  /** Takes over any other socket, also one that sends garbage. */
  readonly onHttp1: (socket: Socket) => void;
}

/**
 * One TCP port for two protocols: the first bytes decide who gets the socket. A socket that sends nothing,
 * or only a part of a preface, is closed in time; no error of a socket leaves this class.
 */
export class SharedPort {
  readonly #server: Server;
  /** Sockets that are not handed over yet. */
  readonly #undecided = new Set<Socket>();
  readonly #options: SharedPortOptions;

  private constructor(options: SharedPortOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = options.connectionsMax;
  }

  /** @throws NodeJS.ErrnoException when the address can't be had (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, ...) */
  static async listen(options: SharedPortOptions): Promise<SharedPort> {
    const shared = new SharedPort(options);
    await new Promise<void>((resolve, reject) => {
      shared.#server.once('error', reject);
      shared.#server.listen(options.port, options.host, () => {
        shared.#server.off('error', reject);
        resolve();
      });
    });
    // A failed accept (out of file descriptors) must not end the process; the client sees a refused connection.
    shared.#server.on('error', () => {});
    return shared;
  }

  /** The port in use. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.#options.port;
  }

  /** Takes no more connections and drops the undecided ones; sockets that were handed over stay. */
  stopAccepting(): void {
    this.#server.close();
    for (const socket of this.#undecided) socket.destroy();
  }

  #accept(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0);
    const forget = () => {
      this.#undecided.delete(socket);
      clearTimeout(deadline);
    };
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const protocol = protocolOf(received);
      if (protocol === 'undecided') return;
      socket.off('data', onData);
      socket.off('close', forget);
      forget();
      socket.pause();
      socket.unshift(received);
      if (protocol === 'http2') this.#options.onHttp2(socket);
      else this.#options.onHttp1(socket);
    };
    // Stays for the socket's whole life: whoever takes it over adds its own, and an error without a listener ends the process.
    socket.on('error', () => socket.destroy());
    socket.on('data', onData);
    socket.on('close', forget);
    const deadline = setTimeout(() => socket.destroy(), this.#options.firstBytesMsMax);
    this.#undecided.add(socket);
  }
}

function protocolOf(received: Buffer): 'http2' | 'http1' | 'undecided' {
  const length = Math.min(received.length, HTTP2_PREFACE.length);
  if (received.compare(HTTP2_PREFACE, 0, length, 0, length) !== 0) return 'http1';
  return length === HTTP2_PREFACE.length ? 'http2' : 'undecided';
}
