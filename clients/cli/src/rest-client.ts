/** The server's answer was a refusal. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Calls REST v2 of a server. */
export class RestClient {
  readonly #server: string;
  readonly #token: string | undefined;

  /** `server` is an address such as `http://localhost:19530`. */
  constructor(server: string, token?: string) {
    this.#server = server.replace(/\/+$/, '');
    this.#token = token;
  }

  /** The `data` of the answer. @throws RefusedError; TypeError when there is no server */
  async call(path: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.#server}/v2/vectordb/${path}`, {
      method: 'POST',
      headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
      body: JSON.stringify(body),
    });
    const { code, message, data } = (await response.json()) as {
      code: number;
      message?: string;
      data?: unknown;
    };
    if (code !== 0) throw new RefusedError(message ?? `code ${code}`);
    return data;
  }
}
