import type { Analyzer } from '../analyzer.ts';
import type { Token } from '../token.ts';
import { runAtOnce, type Work } from '../work.ts';
import { type Mapping, mapping } from './mapping.ts';
import type { OffsetMode, Rewrite } from './rewrite.ts';

/** What is done to a text before it is cut. */
export interface CharFilterSpec {
  /** In the order in which they work. */
  readonly mappings: readonly Mapping[];
  readonly mode: OffsetMode;
}

/** Words whose places are found between two yields. */
const SLICE_TOKENS = 2048;

/** Rewrites texts and leaves them to another analyzer; its words stand where they came from. */
export class CharFiltering implements Analyzer {
  readonly #spec: CharFilterSpec;
  readonly #inner: Analyzer;

  constructor(spec: CharFilterSpec, inner: Analyzer) {
    this.#spec = spec;
    this.#inner = inner;
  }

  analyze(text: string): readonly Token[] {
    return runAtOnce(this.analyzing(text));
  }

  *analyzing(text: string): Work<readonly Token[]> {
    const { mappings, mode } = this.#spec;
    const passes: Rewrite[] = [];
    let current = text.toWellFormed();
    for (const each of mappings) {
      const pass = yield* mapping(current, each, mode);
      current = pass.after();
      passes.unshift(pass);
    }
    const tokens = yield* this.#inner.analyzing(current);
    const placed: Token[] = [];
    for (const [at, token] of tokens.entries()) {
      if (at % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
      placed.push(passes.reduce(throughPass, token));
    }
    return placed;
  }
}

/** The word with the place that it had before the pass. */
function throughPass(token: Token, pass: Rewrite): Token {
  const start = pass.startOf(token.start);
  return { ...token, start, end: token.end > token.start ? pass.endOf(token.end) : start };
}
