import { Agent, request } from 'node:http';

/** One connection that is kept, and a call after the other on it: a body in, the answer's text out. */
export class HttpConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #host: string;
  readonly #port: number;

  constructor({ host, port }: { readonly host: string; readonly port: number }) {
    this.#host = host;
    this.#port = port;
  }

  /** Rejects for an answer whose code is none of a success. */
  async post(path: string, body: Buffer): Promise<string> {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const sent = request(
        { host: this.#host, port: this.#port, path, method: 'POST', agent: this.#agent, headers },
        (answer) => {
          const pieces: Buffer[] = [];
          answer.on('data', (piece: Buffer) => pieces.push(piece));
          answer.once('end', () => resolve(Buffer.concat(pieces).toString()));
          answer.once('error', reject);
        },
      );
      sent.once('error', reject);
      sent.end(body);
    });
    // `{"code":0` of v2, `{"code":200` of v1.
    if (!/"code":(0|200)\b/.test(text)) throw new Error(`${path}: ${text.slice(0, 200)}`);
    return text;
  }

  close(): void {
    this.#agent.destroy();
  }
}
