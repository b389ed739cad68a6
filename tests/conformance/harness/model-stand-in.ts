import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** Components of the vectors that a stand-in makes. */
const DIM = 256;
const KEY = 'a-secret-key';
/** What the server waits for an answer. */
const TIMEOUT_SECONDS = '2';

interface Question {
  readonly input?: readonly string[];
  readonly query?: string;
  readonly documents?: readonly string[];
  readonly texts?: readonly string[];
}

/**
 * A service of models on this machine that speaks as OpenAI, Cohere and TEI do, and needs no model: texts that share words
 * are near each other. Texts with the words ERROR, RUBBISH and HANG in them get what they ask for.
 */
export class ModelStandIn implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<ModelStandIn> {
    const server = createServer(async (request, response) => {
      const question = (await json(request)) as Question;
      const text = JSON.stringify(question);
      if (text.includes('HANG')) return;
      const isKnown = request.headers.authorization?.toLowerCase() === `bearer ${KEY}`;
      // TEI is everybody's own, without a key.
      const isOwn = question.texts !== undefined;
      const status = text.includes('ERROR') ? 400 : isKnown || isOwn ? 200 : 401;
      const said = status === 200 ? answerTo(request.url ?? '', question) : `${KEY} is no use`;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(text.includes('RUBBISH') ? { data: 'none' } : said));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    return new ModelStandIn(server);
  }

  /** What a server must be told so that it asks this one. */
  get environment(): Readonly<Record<string, string>> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return {
      MILVUS_OPENAI_API_KEY: KEY,
      MILVUS_COHERE_API_KEY: KEY,
      FUNCTION_TEXTEMBEDDING_PROVIDERS_OPENAI_URL: `${url}/embeddings`,
      FUNCTION_TEXTEMBEDDING_PROVIDERS_GEMINI_ENABLE: 'false',
      FUNCTION_RERANK_MODEL_PROVIDERS_COHERE_URL: `${url}/rerank`,
      FUNCTION_RERANK_MODEL_PROVIDERS_TEI_URL: url,
      ELANUS_MODELS_TIMEOUT: TIMEOUT_SECONDS,
      STAND_IN_URL: url,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }
}

function answerTo(path: string, { input = [], query = '', documents, texts }: Question): unknown {
  if (path === '/embeddings')
    return { data: input.map((text, index) => ({ index, embedding: embed(text) })) };
  const scores = (documents ?? texts ?? []).map((text, index) => ({
    index,
    score: product(embed(query), embed(text)),
  }));
  // Best first, as services answer.
  scores.sort((a, b) => b.score - a.score);
  if (documents === undefined) return scores;
  return { results: scores.map(({ index, score }) => ({ index, relevance_score: score })) };
}

/** One component a word, by a hash of its letters; length 1. */
function embed(text: string): number[] {
  const vector = new Array<number>(DIM).fill(0);
  for (const word of text.toLowerCase().match(/\w+/g) ?? []) {
    let hash = 7;
    for (const letter of word) hash = (hash * 257 + letter.charCodeAt(0)) % 1_000_003;
    vector[hash % DIM]! += 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0);
}
