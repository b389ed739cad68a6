import type { ModelReranker } from '@elanus/functions';

/** How the hits of several searches become one list. */
export type Ranking = RrfRanking | WeightedRanking | RerankRanking;
/** What also ranks the hits of a single search again. */
export type RerankRanking = DecayRanking | ModelRanking;

/** Reciprocal rank fusion: only the places of a row count. */
export interface RrfRanking {
  readonly kind: 'rrf';
  /** Above 0 and below 16384. */
  readonly k: number;
}

/** The sum of the scores, each times the weight of its search. */
export interface WeightedRanking {
  readonly kind: 'weighted';
  /** One a search, each 0 to 1. */
  readonly weights: readonly number[];
  /** Whether scores of every metric are brought to 0 … 1 first. */
  readonly normalises: boolean;
}

/** The score times a factor that falls with the distance of a field from where it should be. */
export interface DecayRanking {
  readonly kind: 'decay';
  readonly curve: 'gauss' | 'exp' | 'linear';
  /** A numeric field. */
  readonly fieldName: string;
  readonly origin: number;
  /** Distance, beyond `offset`, at which the factor is `decay`; above 0. */
  readonly scale: number;
  /** Up to this distance the factor is 1. */
  readonly offset: number;
  /** Between 0 and 1. */
  readonly decay: number;
  /** How the scores of a row that several searches have found become one. */
  readonly mode: 'max' | 'sum' | 'avg';
  readonly normalises: boolean;
}

/** What a model says of how well a text answers a query; the scores of the searches count no more. */
export interface ModelRanking {
  readonly kind: 'model';
  /** A VarChar field. */
  readonly fieldName: string;
  /** One a query of the searches. */
  readonly queries: readonly string[];
  readonly reranker: ModelReranker;
}

export const DEFAULT_RANKING: RrfRanking = { kind: 'rrf', k: 60 };
