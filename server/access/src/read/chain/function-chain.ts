import type { ModelReranker } from '@elanus/functions';
import type { FieldSchema } from '@elanus/model';
import type { DecayCurve } from '../rank/decay.ts';

/** What is done with the hits of each query, one step after the other. */
export interface FunctionChain {
  readonly steps: readonly ChainStep[];
  /** The fields that the steps read. */
  readonly fields: readonly FieldSchema[];
}

/** Columns are named: by fields, by what earlier steps have called them, `$id` and `$score`. */
export type ChainStep =
  | { readonly kind: 'map'; readonly expression: ChainExpression; readonly output: string }
  | {
      readonly kind: 'sort';
      readonly column: string;
      readonly descending: boolean;
      readonly tieBreak: string | null;
    }
  | { readonly kind: 'limit'; readonly limit: number; readonly offset: number };

/** Makes a column of others. A null among what it reads makes a null, unless it says otherwise. */
export type ChainExpression = CombineExpression | DecayExpression | RoundExpression | ModelExpression;

export interface CombineExpression {
  readonly kind: 'num_combine';
  readonly inputs: readonly string[];
  readonly mode: 'multiply' | 'sum' | 'max' | 'min' | 'avg' | 'weighted';
  /** One an input; empty where the mode is another. */
  readonly weights: readonly number[];
  readonly nulls: 'propagate' | 'as_zero' | 'skip';
}

export interface DecayExpression {
  readonly kind: 'decay';
  readonly inputs: readonly [string];
  readonly curve: DecayCurve;
}

export interface RoundExpression {
  readonly kind: 'round_decimal';
  readonly inputs: readonly [string];
  /** 0 to 6. */
  readonly decimal: number;
}

export interface ModelExpression {
  readonly kind: 'rerank_model';
  /** A text. */
  readonly inputs: readonly [string];
  /** One a query of the search. */
  readonly queries: readonly string[];
  readonly reranker: ModelReranker;
}

export const KEY_COLUMN = '$id';
export const SCORE_COLUMN = '$score';
