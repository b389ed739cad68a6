import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What a stand-in was asked. */
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: never;
}

/** What it says: a value goes out as JSON, a text as it is; `hang`: nothing, for ever. */
export interface Said {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly hang?: boolean;
}

/** A service of models on this machine, in place of one on the net. */
export class StandIn implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  #answer: (asked: Asked) => Said;

  private constructor(answer: (asked: Asked) => Said) {
    this.#answer = answer;
    this.#server = createServer(async (request, response) => {
      const isForm = request.headers['content-type']?.includes('form') === true;
      const body = (isForm ? {} : await json(request)) as never;
      const asked = { path: request.url ?? '', headers: request.headers, body };
      this.asked.push(asked);
      const { status = 200, body: said, headers = {}, hang = false } = this.#answer(asked);
      if (hang) return;
      response.writeHead(status, headers);
      response.end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  }

  static async start(answer: (asked: Asked) => Said): Promise<StandIn> {
    const standIn = new StandIn(answer);
    const { promise, resolve } = Promise.withResolvers<void>();
    standIn.#server.listen(0, '127.0.0.1', resolve);
    await promise;
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What it says from now on. */
  say(answer: (asked: Asked) => Said): void {
    this.#answer = answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }
}
