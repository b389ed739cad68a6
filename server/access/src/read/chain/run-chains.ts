import {
  assert,
  type CollectionInfo,
  type Column,
  DataType,
  invalidParameter,
  metricOrder,
} from '@elanus/model';
import type { ReadOptions, SearchHits, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { runInSlices, type Work } from '../../rows/sliced-work.ts';
import { takeHits } from '../hits.ts';
import { evaluate } from './evaluate.ts';
import {
  type ChainStep,
  type FunctionChain,
  KEY_COLUMN,
  type ModelExpression,
  SCORE_COLUMN,
  type TreesExpression,
} from './function-chain.ts';
import type { TreeModels } from './tree-models.ts';

/** Values by the place of the hit among all that were found; texts by their bytes. */
type Values = readonly (number | bigint | string | null)[];

/** What chains work with. */
export interface ChainDependencies extends Pick<AccessDependencies, 'reader' | 'share'> {
  readonly trees: TreeModels;
}

const HITS_PER_SLICE = 2_048;

/** What the stages before the last leave behind, whatever their steps were. */
const BEST_FIRST = {
  kind: 'sort',
  column: SCORE_COLUMN,
  descending: true,
  tieBreak: KEY_COLUMN,
} as const satisfies ChainStep;

/**
 * What chains make of the hits of each query, one after the other: their scores, their order, how many are left.
 * @throws MilvusError 2400 when a model does not answer, 1100 when one of trees can't be used
 */
export async function runChains(
  dependencies: ChainDependencies,
  { collection, metric }: Pick<SearchTask, 'collection' | 'metric'>,
  found: SearchHits,
  chains: readonly FunctionChain[],
  options: ReadOptions,
): Promise<SearchHits> {
  const areDistances = metricOrder(metric) === 'ascending';
  let hits = found;
  for (const chain of chains) {
    if (chain.stage === 'L2') {
      hits = await runChain(dependencies, collection, hits, chain, options);
      continue;
    }
    // Segments and nodes count scores so that the larger one is better, whatever the metric.
    const sorted = { ...chain, steps: [...chain.steps, BEST_FIRST] };
    const rising = areDistances ? withScoresNegated(hits) : hits;
    const left = await runChain(dependencies, collection, rising, sorted, options);
    hits = areDistances ? withScoresNegated(left) : left;
  }
  return hits;
}

function withScoresNegated(hits: SearchHits): SearchHits {
  // No negative zero.
  return { ...hits, scores: hits.scores.map((score) => 0 - score) };
}

async function runChain(
  dependencies: ChainDependencies,
  collection: CollectionInfo,
  hits: SearchHits,
  chain: FunctionChain,
  options: ReadOptions,
): Promise<SearchHits> {
  const { reader, share } = dependencies;
  const frame = new HitFrame(hits);
  if (chain.fields.length > 0) {
    const ids = chain.fields.map(({ id }) => id);
    const columns = await reader.fetch(collection.id, hits.locations, ids);
    for (const { id, name } of chain.fields) frame.set(name, valuesOf(columns.get(id)!));
  }
  for (const step of chain.steps) {
    if (step.kind === 'map' && step.expression.kind === 'rerank_model')
      frame.set(step.output, await modelScores(frame, step.expression, options));
    else if (step.kind === 'map' && step.expression.kind === 'xgboost')
      frame.set(step.output, await treeScores(frame, step.expression, dependencies));
    else await runInSlices(runStep(frame, step), share);
  }
  return frame.hits();
}

/** The hits of all queries, their columns, and which of them are left in which order. */
class HitFrame {
  readonly #hits: SearchHits;
  readonly #columns = new Map<string, Values>();
  /** Of each query the places of its hits. */
  orders: readonly (readonly number[])[];

  constructor(hits: SearchHits) {
    this.#hits = hits;
    this.#columns.set(KEY_COLUMN, valuesOf(hits.keys)).set(SCORE_COLUMN, [...hits.scores]);
    let first = 0;
    this.orders = Array.from(hits.counts, (count) => {
      const places = Array.from({ length: count }, (_, at) => first + at);
      first += count;
      return places;
    });
  }

  get length(): number {
    return this.#hits.keys.length;
  }

  column(name: string): Values {
    const values = this.#columns.get(name);
    assert(values !== undefined, 'a chain reads what is there');
    return values;
  }

  set(name: string, values: Values): void {
    this.#columns.set(name, values);
  }

  /** A hit without a score has the score 0. */
  hits(): SearchHits {
    const places = Uint32Array.from(this.orders.flat());
    const counts = Uint32Array.from(this.orders, ({ length }) => length);
    const scores = Float32Array.from(this.column(SCORE_COLUMN), (score) => Number(score ?? 0));
    return takeHits({ ...this.#hits, scores }, counts, places);
  }
}

function* runStep(frame: HitFrame, step: ChainStep): Work<void> {
  switch (step.kind) {
    case 'map': {
      const { expression, output } = step;
      assert(
        expression.kind !== 'rerank_model' && expression.kind !== 'xgboost',
        'models are asked elsewhere',
      );
      const inputs = expression.inputs.map((name) => frame.column(name));
      const values: (number | null)[] = [];
      for (let at = 0; at < frame.length; at++) {
        const numbers = inputs.map((input) => (input[at] === null ? null : Number(input[at])));
        values.push(evaluate(expression, numbers));
        if (at % HITS_PER_SLICE === HITS_PER_SLICE - 1) yield;
      }
      frame.set(output, values);
      return;
    }
    case 'sort': {
      const [column, ties] = [frame.column(step.column), frame.column(step.tieBreak ?? KEY_COLUMN)];
      const sign = step.descending ? -1 : 1;
      const compare = (a: number, b: number) =>
        sign * compareValues(column[a]!, column[b]!) || compareValues(ties[a]!, ties[b]!) || a - b;
      const orders: number[][] = [];
      for (const places of frame.orders) {
        orders.push([...places].sort(compare));
        yield;
      }
      frame.orders = orders;
      return;
    }
    case 'limit': {
      const { limit, offset } = step;
      frame.orders = frame.orders.map((places) => places.slice(offset, offset + limit));
    }
  }
}

/** Nulls before everything else. */
function compareValues(a: Values[number], b: Values[number]): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return a < b ? -1 : a > b ? 1 : 0;
}

async function modelScores(
  frame: HitFrame,
  { inputs, queries, reranker }: ModelExpression,
  options: ReadOptions,
): Promise<Values> {
  const texts = frame.column(inputs[0]);
  const scores = new Array<number | null>(frame.length).fill(null);
  for (const [query, places] of frame.orders.entries()) {
    const documents = places.map((place) => Buffer.from(String(texts[place] ?? ''), 'latin1').toString());
    const found = await reranker.rerank(queries[query]!, documents, options);
    for (const [at, place] of places.entries()) scores[place] = found[at]!;
  }
  return scores;
}

async function treeScores(
  frame: HitFrame,
  { inputs, resource, output }: TreesExpression,
  { trees, share }: ChainDependencies,
): Promise<Values> {
  const model = await trees.get(resource);
  if (model.features > 0 && model.features !== inputs.length)
    throw invalidParameter(`xgboost: expected ${model.features} feature columns, got ${inputs.length}`);
  const columns = inputs.map((name) =>
    Float32Array.from(frame.column(name), (value) => (value === null ? Number.NaN : Number(value))),
  );
  return Array.from(await runInSlices(model.predict(columns, frame.length, output), share));
}

/** Texts by their bytes, one character each: they are ordered by them. */
function valuesOf(column: Column): Values {
  const { validity, length } = column;
  const isNull = (row: number) => validity?.[row] === 0;
  if (column.dataType === DataType.VarChar) {
    const { bytes, offsets } = column;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length }, (_, row) =>
      isNull(row) ? null : buffer.toString('latin1', offsets[row], offsets[row + 1]),
    );
  }
  assert('values' in column, 'a chain reads numbers and texts');
  return Array.from({ length }, (_, row) => (isNull(row) ? null : column.values[row]!));
}
