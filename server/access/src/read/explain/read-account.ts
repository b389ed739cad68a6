import type { CollectionInfo } from '@elanus/model';
import type { Explainer, ExplainLevel, ReadExplanation, ReadOptions } from '@elanus/rpc';
import { type Clock, StageTimes } from '@elanus/runtime';
import { jsonPieces } from '../../rest/json-text.ts';
import { runAtOnce } from '../../rows/sliced-work.ts';
import { type ExplainedRequest, explanationJson } from './explanation-json.ts';

export interface AccountOptions {
  readonly request: ExplainedRequest;
  readonly collection: CollectionInfo;
  /** When its first stage began, by the clock. */
  readonly beganMs: number;
  /** Whether the client has asked for it, or the log only. */
  readonly isAsked: boolean;
}

/** The account of one request: its stages, and what its reads did. There is none unless somebody wants it. */
export class ReadAccount implements Explainer {
  readonly level: ExplainLevel;
  readonly isAsked: boolean;
  readonly #collection: CollectionInfo;
  readonly #request: ExplainedRequest;
  readonly #stages: StageTimes;
  readonly #reads: ReadExplanation[] = [];

  constructor(level: ExplainLevel, about: AccountOptions, clock: Pick<Clock, 'monotonicMs'>) {
    this.level = level;
    this.isAsked = about.isAsked;
    this.#collection = about.collection;
    this.#request = about.request;
    this.#stages = new StageTimes(() => clock.monotonicMs(), about.beganMs);
  }

  /** Ends a stage of the request. */
  lap(stage: string): void {
    this.#stages.lap(stage);
  }

  add(read: ReadExplanation): void {
    this.#stages.lap('read');
    this.#reads.push(read);
  }

  /** The same options for reads that tell this account what they do. */
  options(options: ReadOptions): ReadOptions {
    return {
      explain: this,
      get signal() {
        return options.signal as AbortSignal;
      },
    };
  }

  /** As JSON, int64 values as numbers. */
  toJson(): string {
    const { all: stages } = this.#stages;
    const explanation = explanationJson(this.#request, this.#collection, { stages, reads: this.#reads });
    return runAtOnce(jsonPieces(explanation, 'number')).join('');
  }
}
