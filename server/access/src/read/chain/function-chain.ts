import type { ModelReranker, TreeOutput } from '@elanus/functions';
import type { FieldSchema } from '@elanus/model';
import type { DecayCurve } from '../rank/decay.ts';

/**
 * Where a chain has its turn, in this order: with the hits of a segment, those of a node, all of them. Here all hits are found
 * by one node, whose segments share their indexes.
 */
export const CHAIN_STAGES = ['L0', 'L1', 'L2'] as const;
export type ChainStage = (typeof CHAIN_STAGES)[number];

/** What is done with the hits of each query, one step after the other. */
export interface FunctionChain {
  readonly stage: ChainStage;
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
export type ChainExpression =
  | CombineExpression
  | DecayExpression
  | RoundExpression
  | ModelExpression
  | TreesExpression;

/** Those whose value depends on the numbers of the same row alone. */
export type RowExpression = Exclude<ChainExpression, ModelExpression | TreesExpression>;

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

export interface TreesExpression {
  readonly kind: 'xgboost';
  /** In the order of the model's features. A null is a missing value. */
  readonly inputs: readonly string[];
  /** The file resource that the model is in. */
  readonly resource: string;
  readonly output: TreeOutput;
}

export const KEY_COLUMN = '$id';
export const SCORE_COLUMN = '$score';
