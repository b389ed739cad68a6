import { DataType, unreachable } from '@elanus/model';
import {
  arrayContainsEvaluator,
  arrayEqualityEvaluator,
  elementEvaluator,
  lengthEvaluator,
} from './array-leaf.ts';
import { bitEvaluator } from './compile-bits.ts';
import { type Evaluator, type Mode, RUN_ROWS_MAX } from './evaluator.ts';
import { geometryEvaluator } from './geometry-leaf.ts';
import { shiftedEvaluator } from './instant-leaf.ts';
import { jsonEvaluator, jsonNullEvaluator } from './json-leaf.ts';
import { matchEvaluator } from './match-leaf.ts';
import { costOfMember, memberEvaluator } from './member-leaf.ts';
import { numberEvaluator, numericFieldsEvaluator } from './number-loop.ts';
import type {
  ComparisonLeaf,
  Condition,
  FieldsLeaf,
  Leaf,
  MatchLeaf,
  NullLeaf,
  Operand,
  OperandLeaf,
  RangeLeaf,
} from './plan.ts';
import type { Predicate, RowFilter } from './predicate.ts';
import { sampleEvaluator } from './sample-leaf.ts';
import { textEvaluator, textFieldsEvaluator } from './text-leaf.ts';
import { phraseMatchEvaluator, textMatchEvaluator } from './text-match-leaf.ts';
import { isOfShortLiteral } from './text-scan.ts';
import { typeOfOperand } from './value-type.ts';
import { runAtOnce, type Work } from './work.ts';

const filters = new WeakMap<Predicate, RowFilter>();

/**
 * The function that tests rows for `predicate`, remembered as long as the predicate is. It is compiled by the first test: a
 * filter that indexes answer never is.
 */
export function compilePredicate(predicate: Predicate): RowFilter {
  const known = filters.get(predicate);
  if (known !== undefined) return known;
  const { condition } = predicate;
  let compiled: RowFilter | null = null;
  const lazy: RowFilter = (source, start, end, matches) => {
    compiled ??= inRuns(runAtOnce(evaluating(condition, 0)));
    compiled(source, start, end, matches);
  };
  const filter = withCost(lazy, condition);
  filters.set(predicate, filter);
  return filter;
}

/** As `compilePredicate`, in slices. */
export function* compiling(predicate: Predicate): Work<RowFilter> {
  const { condition } = predicate;
  const filter = withCost(inRuns(yield* evaluating(condition, 0)), condition);
  filters.set(predicate, filter);
  return filter;
}

/** As `compilePredicate`, of a condition by itself; compiled each time. */
export function compileCondition(condition: Condition): RowFilter {
  return withCost(inRuns(runAtOnce(evaluating(condition, 0))), condition);
}

function withCost(filter: RowFilter, condition: Condition): RowFilter {
  const bits = bitEvaluator(condition);
  const rowsAtOnce = rowsWithin(PIECE_COST, costOfRow(condition));
  return Object.assign(filter, bits === null ? { rowsAtOnce } : { rowsAtOnce, bits });
}

function inRuns(evaluate: Evaluator): RowFilter {
  return (source, start, end, matches) => {
    for (let runStart = start; runStart < end; runStart += RUN_ROWS_MAX) {
      const runEnd = Math.min(runStart + RUN_ROWS_MAX, end);
      evaluate(
        { source, start: runStart, end: runEnd },
        matches.subarray(runStart - start, runEnd - start),
        'set',
      );
    }
  };
}

/** What a piece of rows may cost: about half a millisecond. */
const PIECE_COST = 500_000;
const PIECE_ROWS_MAX = 1_024;

/** The largest power of two of rows, from 8 up, that cost no more than `cost` in all. */
function rowsWithin(cost: number, costOfRow: number): number {
  let rows = PIECE_ROWS_MAX;
  while (rows > 8 && rows * costOfRow > cost) rows /= 2;
  return rows;
}

type Joint = Extract<Condition, { kind: 'and' | 'or' }>;

/** Parts of an AND or OR that are compiled between two pauses: each may be a pattern. */
const PAUSE_OPERANDS = 16;

/** The evaluator of `condition`; `depth` counts the ANDs and ORs around it. */
function* evaluating(condition: Condition, depth: number): Work<Evaluator> {
  switch (condition.kind) {
    case 'match':
      return matchEvaluator(condition, yield* evaluating(condition.condition, depth + 1));
    case 'and':
    case 'or':
      return yield* joining(condition.kind, condition.operands, depth);
    default:
      return simpleEvaluator(condition);
  }
}

function simpleEvaluator(condition: Exclude<Condition, Joint | MatchLeaf>): Evaluator {
  if (condition.kind === 'always') return constantEvaluator(1);
  if (condition.kind === 'never') return constantEvaluator(0);
  return leafEvaluator(condition);
}

function* joining(kind: 'and' | 'or', operands: readonly Condition[], depth: number): Work<Evaluator> {
  const parts: { evaluate: Evaluator; cost: number }[] = [];
  for (const [index, operand] of operands.entries()) {
    if (index % PAUSE_OPERANDS === PAUSE_OPERANDS - 1) yield;
    // A sample is drawn from what all others left over.
    const cost = operand.kind === 'sample' ? Number.POSITIVE_INFINITY : costOfRow(operand);
    const isDeep = operand.kind === 'and' || operand.kind === 'or' || operand.kind === 'match';
    const evaluate = isDeep ? yield* evaluating(operand, depth + 1) : simpleEvaluator(operand);
    parts.push({ evaluate, cost });
  }
  parts.sort((a, b) => a.cost - b.cost);
  return joinEvaluators(
    kind,
    parts.map(({ evaluate }) => evaluate),
    depth,
  );
}

function constantEvaluator(value: 0 | 1): Evaluator {
  return (_, out, mode) => {
    if (mode === 'set' || (mode === 'and' && value === 0) || (mode === 'or' && value === 1)) out.fill(value);
  };
}

/**
 * Each operand joins its answers to what the cheaper ones left. Where the surrounding operator is the
 * other one, the whole is worked out beside `out` and joined in one pass.
 */
function joinEvaluators(kind: 'and' | 'or', evaluators: readonly Evaluator[], depth: number): Evaluator {
  return (run, out, mode) => {
    const isSeparate = mode !== 'set' && mode !== kind;
    const target = isSeparate ? scratch(depth, out.length) : out;
    let next: Mode = isSeparate ? 'set' : mode;
    for (const evaluate of evaluators) {
      evaluate(run, target, next);
      next = kind;
    }
    if (!isSeparate) return;
    if (mode === 'and') for (let i = 0; i < out.length; i++) out[i]! &= target[i]!;
    else for (let i = 0; i < out.length; i++) out[i]! |= target[i]!;
  };
}

const scratches: Uint8Array[] = [];

/** Room for one run's answers at this depth: evaluation is synchronous, so nobody else is there. */
function scratch(depth: number, length: number): Uint8Array {
  scratches[depth] ??= new Uint8Array(RUN_ROWS_MAX);
  return scratches[depth].subarray(0, length);
}

/** Values that are compared one by one; in longer lists they are looked up. */
const LISTED_MAX = 4;
const LOOK_UP_COST = 9;
/** To find a short text, or texts that begin with it. */
const SHORT_LITERAL_COST = 2;

/** To look for a value of a document, and to read one where it is known to be: 25, less what handing it to a thread takes. */
const PATH_COST = { sought: 100, known: 20 } as const;

/**
 * How much work one row is, roughly in nanoseconds: numbers, texts, arrays, documents; `paths`: whether it is known where
 * values of documents are.
 */
export function costOfRow(condition: Condition, paths: keyof typeof PATH_COST = 'sought'): number {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return 0;
    case 'and':
    case 'or':
      return condition.operands.reduce((sum, operand) => sum + costOfRow(operand, paths), 0);
    case 'compare-fields':
      return condition.left.dataType === DataType.VarChar ? 10 : 1;
    case 'text-match':
    case 'phrase-match':
      return 5;
    case 'geometry':
      return 2_000;
    case 'match':
      return 10 * (1 + costOfRow(condition.condition));
    case 'sample':
      return 1;
    case 'member':
      return costOfOperand(condition.operand, paths) + costOfMember(condition);
    case 'in':
      return (
        costOfOperand(condition.operand, paths) + (condition.values.length > LISTED_MAX ? LOOK_UP_COST : 0)
      );
    case 'regex':
      return costOfOperand(condition.operand, paths) + 50;
    case 'compare':
    case 'like':
      return isText(condition.operand) && isOfShortLiteral(condition)
        ? SHORT_LITERAL_COST
        : costOfOperand(condition.operand, paths);
    default:
      return costOfOperand(condition.operand, paths);
  }
}

function isText(operand: Operand): boolean {
  return operand.kind === 'column' && operand.field.dataType === DataType.VarChar;
}

function costOfOperand(operand: Operand, paths: keyof typeof PATH_COST): number {
  switch (operand.kind) {
    case 'column':
      return operand.field.dataType === DataType.VarChar
        ? 10
        : operand.field.dataType === DataType.Array
          ? 20
          : 1;
    case 'element':
      return 15;
    case 'path':
      return PATH_COST[paths];
    default:
      return costOfOperand(operand.of, paths) + 1;
  }
}

function leafEvaluator(leaf: Exclude<Leaf, MatchLeaf>): Evaluator {
  switch (leaf.kind) {
    case 'compare-fields':
      return fieldsEvaluator(leaf);
    case 'is-null':
      return nullEvaluator(leaf);
    case 'compare':
      if (typeof leaf.value === 'object' && leaf.operand.kind === 'column')
        return arrayEqualityEvaluator(leaf.operand.field, leaf.value, leaf.negated);
      return operandEvaluator(leaf, leaf.operand);
    case 'contains':
      if (leaf.operand.kind === 'column') return arrayContainsEvaluator(leaf, leaf.operand.field);
      return jsonEvaluator(leaf, leaf.operand);
    case 'range':
    case 'in':
    case 'like':
    case 'regex':
      return operandEvaluator(leaf, leaf.operand);
    case 'text-match':
      return textMatchEvaluator(leaf);
    case 'phrase-match':
      return phraseMatchEvaluator(leaf);
    case 'geometry':
      return geometryEvaluator(leaf);
    case 'member':
      return memberEvaluator(leaf);
    case 'sample':
      return sampleEvaluator(leaf);
    default:
      return unreachable(leaf);
  }
}

/** By the column that the operand reads in the end. */
function operandEvaluator(leaf: OperandLeaf, operand: Operand): Evaluator {
  switch (operand.kind) {
    case 'column':
      if (leaf.kind === 'compare' || leaf.kind === 'range' || leaf.kind === 'in')
        if (typeOfOperand(operand) !== DataType.VarChar) return numberEvaluator(leaf);
      return textEvaluator(leaf, operand.field);
    case 'element':
      return elementEvaluator(leaf, operand);
    case 'path':
      return jsonEvaluator(leaf, operand);
    case 'length':
      if (operand.of.kind === 'path') return jsonEvaluator(leaf, operand.of);
      return lengthEvaluator(leaf, operand.of);
    case 'arithmetic':
      return operandEvaluator(leaf, operand.of);
    case 'shifted':
      return shiftedEvaluator(leaf as ComparisonLeaf | RangeLeaf, operand);
  }
}

function fieldsEvaluator(leaf: FieldsLeaf): Evaluator {
  return leaf.left.dataType === DataType.VarChar ? textFieldsEvaluator(leaf) : numericFieldsEvaluator(leaf);
}

function nullEvaluator(leaf: NullLeaf): Evaluator {
  const { operand, negated } = leaf;
  if (operand.kind === 'path') return jsonNullEvaluator(leaf, operand);
  const fieldId = operand.field.id;
  return ({ source, start, end }, out, mode) => {
    const { validity } = source.column(fieldId);
    if (validity === null) {
      constantEvaluator(negated ? 1 : 0)({ source, start, end }, out, mode);
      return;
    }
    const flip = negated ? 0 : 1;
    if (mode === 'set') for (let i = 0; i < out.length; i++) out[i] = validity[start + i]! ^ flip;
    else if (mode === 'and') for (let i = 0; i < out.length; i++) out[i]! &= validity[start + i]! ^ flip;
    else for (let i = 0; i < out.length; i++) out[i]! |= validity[start + i]! ^ flip;
  };
}
