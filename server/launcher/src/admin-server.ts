import { readFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PrometheusMetrics } from './prometheus-metrics.ts';

// An `import` of node:http also loads the HTTP client behind `fetch`: 20 ms more until the server is ready.
const { createServer } = process.getBuiltinModule('node:http');

export interface AdminServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly metrics: PrometheusMetrics;
}

/** Not yet `OK` while the log is read again. */
export type Health = 'starting' | 'serving';

/** The management port: `/healthz` and `/metrics`, for probes and for Prometheus, and a page to try calls in. */
export class AdminServer {
  readonly #server: Server;
  readonly #metrics: PrometheusMetrics;
  #health: Health = 'starting';
  /** 0: not known yet. */
  #callPort = 0;

  private constructor(metrics: PrometheusMetrics) {
    this.#metrics = metrics;
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      // Nothing here reads a body.
      request.resume();
      this.#answer(request).then(
        (answer) => reply(response, answer),
        (error: unknown) => reply(response, { status: 500, text: `${error}\n` }),
      );
    });
    this.#server.maxConnections = 1_000;
  }

  /** @throws NodeJS.ErrnoException when the address can't be had */
  static async start(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options.metrics);
    await new Promise<void>((resolve, reject) => {
      admin.#server.once('error', reject);
      admin.#server.listen(options.port, options.host, () => {
        admin.#server.off('error', reject);
        resolve();
      });
    });
    admin.#server.on('error', () => {});
    return admin;
  }

  /** The port in use. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Says how the server is from now on. */
  become(health: Health): void {
    this.#health = health;
  }

  /** From now on `/` is a page whose calls go to `port`. */
  tryCallsAt(port: number): void {
    this.#callPort = port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { status: 405, text: 'only GET is answered here\n' };
    }
    const path = (request.url ?? '/').split('?', 1)[0];
    switch (path) {
      case '/healthz':
        return this.#health === 'serving' ? { status: 200, text: 'OK' } : { status: 503, text: this.#health };
      case '/metrics':
        return { status: 200, text: await this.#metrics.text(), type: this.#metrics.contentType };
      case '/':
        if (this.#callPort === 0) return { status: 503, text: this.#health };
        return { status: 200, text: await callsPage(this.#callPort), type: 'text/html; charset=utf-8' };
      default:
        return { status: 404, text: `${path} not found\n` };
    }
  }
}

async function callsPage(port: number): Promise<string> {
  const page = await readFile(new URL('try-calls.html', import.meta.url), 'utf8');
  return page.replace('{{port}}', String(port));
}

interface Reply {
  readonly status: number;
  readonly text: string;
  /** Plain text unless it says otherwise. */
  readonly type?: string;
}

function reply(response: ServerResponse, { status, text, type = 'text/plain; charset=utf-8' }: Reply): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
