import { functionFailed, MilvusError } from '@elanus/model';
import type { Clock } from '@elanus/runtime';

/** One question to a model. */
export interface ModelRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is a text already. */
  readonly body: object | string;
  /** What must not be repeated in an error, whatever the service answers. */
  readonly secrets: readonly string[];
}

export interface ModelClientOptions {
  readonly clock: Clock;
  /** Reads JSON without holding up the event loop. @throws for what is none */
  readonly parse: (bytes: Buffer) => Promise<unknown>;
  /** For one question, all attempts together. */
  readonly timeoutMs: number;
  readonly fetch?: typeof globalThis.fetch;
}

const ATTEMPTS_MAX = 3;
const FIRST_PAUSE_MS = 1_000;
/** A batch of the longest vectors fits in. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
const SHOWN_CHARACTERS_MAX = 500;

/** A service that may do better when it is asked again. */
class PassingFailure extends Error {}

/** Asks models over HTTP. Follows no redirection: it speaks to the hosts that it is told and to no other. */
export class ModelClient {
  readonly #options: ModelClientOptions;

  constructor(options: ModelClientOptions) {
    this.#options = options;
  }

  /**
   * What a service answers. A service that can't be reached, is overloaded or fails is asked up to three times.
   * @throws MilvusError 2400 for one that does not answer in time, does not answer well, or answers no JSON; the signal's
   *   reason when that aborts
   */
  async post(request: ModelRequest, signal?: AbortSignal): Promise<unknown> {
    const { clock, timeoutMs } = this.#options;
    const ended = new AbortController();
    const deadline = new AbortController();
    const timer = clock.sleep(timeoutMs, { signal: ended.signal }).then(
      () => deadline.abort(new Error(`no answer within ${timeoutMs} ms`)),
      () => {},
    );
    const both = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      return await this.#withRetries(request, both);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof MilvusError) throw error;
      throw serviceFailed(request, deadline.signal.aborted ? deadline.signal.reason : error);
    } finally {
      ended.abort();
      await timer;
    }
  }

  async #withRetries(request: ModelRequest, signal: AbortSignal): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#ask(request, signal);
      } catch (error) {
        if (!(error instanceof PassingFailure) || attempt === ATTEMPTS_MAX) throw error;
        await this.#options.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), { signal });
      }
    }
  }

  async #ask({ url, headers, body }: ModelRequest, signal: AbortSignal): Promise<unknown> {
    const { fetch = globalThis.fetch, parse } = this.#options;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      redirect: 'error',
      signal,
    }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw new PassingFailure(reasonOf(error));
    });
    const answer = await bytesOf(response, signal);
    if (response.ok) return await parse(answer);
    const text = `${response.status} ${response.statusText}, ${answer.toString('utf8', 0, 4 * SHOWN_CHARACTERS_MAX)}`;
    throw response.status === 429 || response.status >= 500 ? new PassingFailure(text) : new Error(text);
  }
}

async function bytesOf(response: Response, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw new PassingFailure(reasonOf(error));
  }
  return Buffer.concat(chunks);
}

/** What `fetch` rejects with says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}

function serviceFailed({ secrets }: ModelRequest, error: unknown): Error {
  let text = error instanceof Error ? error.message : String(error);
  for (const secret of secrets) text = text.replaceAll(secret, '***');
  return functionFailed(`Call service failed, errs:[${text.slice(0, SHOWN_CHARACTERS_MAX)}]`);
}
