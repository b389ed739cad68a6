import { functionFailed } from '@elanus/model';
import type { Analyzer } from '../../analyzer.ts';
import { filtering, type Token, type TokenFilter } from '../../token.ts';
import { runAtOnce, type Work, waiting } from '../../work.ts';
import { bytePlaces } from './byte-places.ts';
import {
  type AnsweredToken,
  decodingTokens,
  encodeRequest,
  TokenizerFailure,
  type TokenizerParameter,
} from './tokenizer-messages.ts';
import type { TokenizerService } from './tokenizer-service.ts';

/** What a tokenizer of type `grpc` is to do. */
export interface GrpcOptions {
  /** `http://` or `https://`, a host, perhaps a port. */
  readonly endpoint: string;
  readonly parameters: readonly TokenizerParameter[];
  /** The words of each text that the service does not answer for; `null`: such a text is refused. */
  readonly defaultTokens: readonly string[] | null;
}

/** Words whose places are looked up between two yields. */
const SLICE_TOKENS = 256;

/** Asks a service for the words of each text. Works only in slices: it waits. */
export class GrpcAnalyzer implements Analyzer {
  readonly #service: Pick<TokenizerService, 'endpoint' | 'tokenize'>;
  readonly #options: GrpcOptions;
  readonly #filters: readonly TokenFilter[];

  constructor(
    service: Pick<TokenizerService, 'endpoint' | 'tokenize'>,
    options: GrpcOptions,
    filters: readonly TokenFilter[],
  ) {
    this.#service = service;
    this.#options = options;
    this.#filters = filters;
  }

  analyze(text: string): readonly Token[] {
    return runAtOnce(this.analyzing(text));
  }

  /** @throws MilvusError 2400 when the service does not answer, or not well, and there are no default tokens */
  *analyzing(text: string): Work<readonly Token[]> {
    const tokens = yield* this.#tokens(text.toWellFormed());
    return yield* filtering(tokens, this.#filters);
  }

  *#tokens(text: string): Work<readonly Token[]> {
    if (text === '') return [];
    const { defaultTokens, parameters } = this.#options;
    try {
      const answer = yield* waiting(this.#service.tokenize(encodeRequest(text, parameters)));
      return yield* placed(yield* decodingTokens(answer), text);
    } catch (error) {
      if (!(error instanceof TokenizerFailure)) throw error;
      // They stand nowhere in the text.
      if (defaultTokens !== null)
        return defaultTokens.map((each, position) => ({ text: each, start: 0, end: 0, position }));
      throw functionFailed(`grpc tokenizer of ${this.#service.endpoint}: ${error.message}`);
    }
  }
}

/** The words with their places in UTF-16 units. @throws TokenizerFailure for one that is at no place of the text */
function* placed(answered: readonly AnsweredToken[], text: string): Work<readonly Token[]> {
  const unitAt = yield* bytePlaces(text);
  const tokens: Token[] = [];
  for (const [number, { text: word, from, to, position }] of answered.entries()) {
    if (number % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
    const [start, end] = [unitAt(from), unitAt(to)];
    if (start === null || end === null || start > end || position < 0)
      throw new TokenizerFailure(
        `word ${number} of the answer is at ${from} to ${to}, place ${position}, of no text`,
      );
    tokens.push({ text: word.toWellFormed(), start, end, position });
  }
  return tokens;
}
