import { invalidParameter } from '@elanus/model';
import type { Work } from '../work.ts';
import type { UbjObject, UbjValue } from './read-ubjson.ts';

/** What the model answers: `raw` the sum of its leaves, `default` what its objective makes of it. */
export type TreeOutput = 'default' | 'raw';

const OBJECTIVES = ['reg:squarederror', 'binary:logistic'] as const;
type Objective = (typeof OBJECTIVES)[number];

/** Steps through trees between two looks at the clock. */
const STEPS_PER_TURN = 16_384;
const FEATURES_MAX = 65_536;

/** One behind the other the nodes of all trees; a leaf has no children, and its value for a threshold. */
interface Nodes {
  /** Where each tree begins; one more than there are trees. */
  readonly starts: Uint32Array;
  /** Within the tree; -1: a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  /** Where a missing value goes: 1 to the left. */
  readonly missingLeft: Uint8Array;
}

/** Gradient-boosted trees as XGBoost saves them: numbers in, one number out. Sums are float32, as there. */
export class BoostedTrees {
  readonly features: number;
  readonly #objective: Objective;
  readonly #base: number;
  readonly #nodes: Nodes;

  private constructor(features: number, objective: Objective, base: number, nodes: Nodes) {
    this.features = features;
    this.#objective = objective;
    this.#base = base;
    this.#nodes = nodes;
  }

  /** Takes a model as `save_model('….ubj')` writes it. @throws MilvusError 1100 for one that can't be used */
  static *of(model: UbjValue): Work<BoostedTrees> {
    const learner = member(model, 'learner');
    const shape = member(learner, 'learner_model_param');
    const features = wholeNumber(textIn(shape, 'num_feature'), 'num_feature', FEATURES_MAX);
    if (wholeNumber(textIn(shape, 'num_class') || '0', 'num_class') > 1)
      throw invalidParameter('xgboost: multiclass model is not supported');
    const objective = objectiveOf(learner);
    const booster = boosterOf(learner);
    const trees = booster.get('trees');
    if (!Array.isArray(trees)) throw invalidParameter('xgboost: UBJ model missing gbtree trees');
    const nodes = yield* nodesOf(trees as readonly UbjValue[], features);
    return new BoostedTrees(features, objective, baseOf(shape, objective), nodes);
  }

  /** Of each row, whose features are `columns[feature][row]`; NaN is a missing value. */
  *predict(columns: readonly Float32Array[], rows: number, output: TreeOutput): Work<Float32Array> {
    const sums = new Float32Array(rows).fill(this.#base);
    let steps = 0;
    for (let tree = 0; tree + 1 < this.#nodes.starts.length; tree += 1) {
      for (let row = 0; row < rows; row += 1) {
        const leaf = this.#leafOf(tree, columns, row);
        sums[row] = sums[row]! + this.#nodes.threshold[leaf.node]!;
        steps += leaf.steps;
        if (steps < STEPS_PER_TURN) continue;
        steps = 0;
        yield;
      }
    }
    return output === 'default' && this.#objective === 'binary:logistic' ? sums.map(sigmoid) : sums;
  }

  #leafOf(
    tree: number,
    columns: readonly Float32Array[],
    row: number,
  ): { readonly node: number; readonly steps: number } {
    const { starts, left, right, feature, threshold, missingLeft } = this.#nodes;
    const start = starts[tree]!;
    const nodes = starts[tree + 1]! - start;
    let node = start;
    for (let steps = 1; steps <= nodes; steps += 1) {
      if (left[node]! < 0) return { node, steps };
      const value = columns[feature[node]!]![row]!;
      const isLeft = Number.isNaN(value) ? missingLeft[node] === 1 : value < threshold[node]!;
      node = start + (isLeft ? left[node]! : right[node]!);
    }
    throw invalidParameter('xgboost: tree traversal exceeded node count');
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function objectiveOf(learner: UbjObject): Objective {
  const name = textIn(member(learner, 'objective'), 'name');
  const objective = OBJECTIVES.find((each) => each === name);
  if (objective !== undefined) return objective;
  throw invalidParameter(`xgboost: unsupported objective '${name}'`);
}

function boosterOf(learner: UbjObject): UbjObject {
  const booster = member(learner, 'gradient_booster');
  const inner = booster.get('model');
  const model = inner instanceof Map ? inner : booster;
  const name = textIn(booster, 'name') || textIn(model, 'name');
  if (name !== '' && name !== 'gbtree') throw invalidParameter(`xgboost: unsupported booster '${name}'`);
  const shape = model.get('gbtree_model_param');
  const parallel = shape instanceof Map ? textIn(shape, 'num_parallel_tree') || '1' : '1';
  if (parallel !== '1') throw invalidParameter(`xgboost: unsupported num_parallel_tree '${parallel}'`);
  return model;
}

/** What the sum begins with. */
function baseOf(shape: UbjObject, objective: Objective): number {
  const text = textIn(shape, 'base_score') || '0';
  const base = Number(text.replace(/^\[(.*)\]$/, '$1'));
  if (!Number.isFinite(base)) throw invalidParameter(`xgboost: invalid base_score '${text}'`);
  if (objective !== 'binary:logistic' || base === 0) return base;
  if (base > 0 && base < 1) return Math.log(base / (1 - base));
  throw invalidParameter(`xgboost: invalid binary logistic base_score '${text}'`);
}

function* nodesOf(trees: readonly UbjValue[], features: number): Work<Nodes> {
  const starts = new Uint32Array(trees.length + 1);
  for (const [at, tree] of trees.entries()) {
    starts[at + 1] = starts[at]! + numbersIn(tree, 'left_children').length;
    if (starts[at + 1] === starts[at]) throw invalidParameter('xgboost: tree has no nodes');
  }
  const total = starts.at(-1)!;
  const nodes: Nodes = {
    starts,
    left: new Int32Array(total),
    right: new Int32Array(total),
    feature: new Int32Array(total),
    threshold: new Float32Array(total),
    missingLeft: new Uint8Array(total),
  };
  for (const [at, tree] of trees.entries()) {
    yield* readTree(tree, nodes, { start: starts[at]!, count: starts[at + 1]! - starts[at]!, features });
  }
  return nodes;
}

function* readTree(
  tree: UbjValue,
  nodes: Nodes,
  { start, count, features }: { readonly start: number; readonly count: number; readonly features: number },
): Work<void> {
  const shape = tree instanceof Map ? tree.get('tree_param') : undefined;
  if (shape instanceof Map && Number(textIn(shape, 'size_leaf_vector') || '0') > 1)
    throw invalidParameter('xgboost: multi-target leaf vector model is not supported');
  if (
    numbersIn(tree, 'categories', []).length > 0 ||
    numbersIn(tree, 'split_type', []).some((type) => type !== 0)
  )
    throw invalidParameter('xgboost: categorical split is not supported');
  const columns = [
    'left_children',
    'right_children',
    'split_indices',
    'split_conditions',
    'default_left',
  ].map((name) => {
    const column = numbersIn(tree, name);
    if (column.length === count) return column;
    throw invalidParameter(`xgboost: tree array '${name}' has ${column.length} entries, expected ${count}`);
  });
  const [left, right, split, threshold, missing] = columns as [Numbers, Numbers, Numbers, Numbers, Numbers];
  for (let node = 0; node < count; node += 1) {
    if (node % STEPS_PER_TURN === STEPS_PER_TURN - 1) yield;
    const children = [left[node]!, right[node]!];
    if (children.some((child) => child < 0) && children.some((child) => child >= 0))
      throw invalidParameter(`xgboost: node ${node} has only one child`);
    if (children.some((child) => !Number.isInteger(child) || child >= count))
      throw invalidParameter(`xgboost: node ${node} child is out of range`);
    const isLeaf = left[node]! < 0;
    if (!isLeaf && !(Number.isInteger(split[node]) && split[node]! >= 0 && split[node]! < features))
      throw invalidParameter(
        `xgboost: node ${node} split index ${split[node]} exceeds num_feature ${features}`,
      );
    if (!Number.isFinite(threshold[node])) throw invalidParameter('xgboost: invalid split_conditions');
    nodes.left[start + node] = left[node]!;
    nodes.right[start + node] = right[node]!;
    nodes.feature[start + node] = isLeaf ? 0 : split[node]!;
    nodes.threshold[start + node] = threshold[node]!;
    nodes.missingLeft[start + node] = missing[node] === 0 ? 0 : 1;
  }
}

type Numbers = ArrayLike<number> & { some(test: (value: number) => boolean): boolean };

/** An array of numbers, booleans counted as such. */
function numbersIn(tree: UbjValue, name: string, otherwise?: readonly number[]): Numbers {
  if (!(tree instanceof Map)) throw invalidParameter('xgboost: tree entry must be object');
  const value: UbjValue | undefined = tree.get(name);
  if (value instanceof Float64Array) return value;
  if (Array.isArray(value)) return value.map(Number);
  if (otherwise !== undefined) return otherwise;
  throw invalidParameter(`xgboost: UBJ model missing array '${name}'`);
}

function member(parent: UbjValue, name: string): UbjObject {
  const value = parent instanceof Map ? parent.get(name) : undefined;
  if (value instanceof Map) return value;
  throw invalidParameter(`xgboost: UBJ model missing object '${name}'`);
}

/** A text or a number as a text; empty when it is neither. */
function textIn(parent: UbjObject, name: string): string {
  const value = parent.get(name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function wholeNumber(text: string, name: string, max: number = 2 ** 31 - 1): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number <= max) return number;
  throw invalidParameter(`xgboost: invalid ${name} '${text}'`);
}
