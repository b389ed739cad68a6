import type { DataType, FieldSchema } from '@elanus/model';
import type { Interval } from './interval.ts';
import type { LikePattern } from './like.ts';
import type { MemberSet } from './member-set.ts';
import type { ComparisonOperator, Constant } from './tree.ts';
import type { PlacedWord } from './word-index.ts';

/**
 * The bound plan: plain data, so that it can be sent to another thread.
 *
 * Filters know three truth values, yet a row is kept on TRUE only. NOT is therefore pushed down to the
 * leaves while binding (De Morgan holds in Kleene's logic), which leaves AND and OR above: they are TRUE
 * or not depending on nothing but which of their operands are TRUE. So no pass after binding knows
 * UNKNOWN: a leaf answers "is this TRUE", with `negated` "is this FALSE", and neither for a null.
 */
export type Condition =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'and'; readonly operands: readonly Condition[] }
  | { readonly kind: 'or'; readonly operands: readonly Condition[] }
  | Leaf;

/** A test of one row's values in one or two fields. */
export type Leaf =
  | OperandLeaf
  | FieldsLeaf
  | NullLeaf
  | TextMatchLeaf
  | PhraseMatchLeaf
  | MatchLeaf
  | MemberLeaf
  | GeometryLeaf
  | SampleLeaf;

/** A test of one operand's value with constants. */
export type OperandLeaf = ComparisonLeaf | RangeLeaf | MembershipLeaf | LikeLeaf | RegexLeaf | ContainsLeaf;

interface LeafBase {
  readonly negated: boolean;
}

/** `operand operator value`. */
export interface ComparisonLeaf extends LeafBase {
  readonly kind: 'compare';
  readonly operand: Operand;
  readonly operator: ComparisonOperator;
  /** Already of the operand's type; a list only under `==` of an array. */
  readonly value: ListValue;
}

/** `lower` and `upper` around the operand; the bounds are of its type and in order. */
export interface RangeLeaf extends LeafBase {
  readonly kind: 'range';
  readonly operand: Operand;
  readonly lower: Constant;
  readonly lowerOperator: '>' | '>=';
  readonly upper: Constant;
  readonly upperOperator: '<' | '<=';
}

/** `operand in values`; the values of a JSON path may be of several kinds. */
export interface MembershipLeaf extends LeafBase {
  readonly kind: 'in';
  readonly operand: Operand;
  readonly values: ConstantList;
}

/** `operand like pattern`, of text. */
export interface LikeLeaf extends LeafBase {
  readonly kind: 'like';
  readonly operand: Operand;
  readonly pattern: LikePattern;
}

/** `operand =~ pattern`, of text. */
export interface RegexLeaf extends LeafBase {
  readonly kind: 'regex';
  readonly operand: Operand;
  /** In RE2's syntax, already found to be one and small enough. */
  readonly pattern: string;
}

/** `left operator right`: two scalar columns of the same kind. */
export interface FieldsLeaf extends LeafBase {
  readonly kind: 'compare-fields';
  readonly left: FieldSchema;
  readonly operator: ComparisonOperator;
  readonly right: FieldSchema;
}

/** Whether there is no value: never UNKNOWN, so `negated` means "there is one". */
export interface NullLeaf extends LeafBase {
  readonly kind: 'is-null';
  readonly operand: ColumnOperand | PathOperand;
}

/** Whether some, or all, of `values` occur in an array. */
export interface ContainsLeaf extends LeafBase {
  readonly kind: 'contains';
  readonly operand: ColumnOperand | PathOperand;
  readonly mode: 'all' | 'any';
  readonly values: readonly ListValue[] | BigInt64Array;
}

/** Whether at least so many of the distinct `tokens` occur in the words of a text, or words like them. */
export interface TextMatchLeaf extends LeafBase {
  readonly kind: 'text-match';
  readonly field: FieldSchema;
  /** The analyzer of the field: with another one the same words mean other rows. */
  readonly analyzer: string;
  readonly tokens: readonly string[];
  readonly countMin: number;
  /** Edits that a word may be away from a token; with any, `countMin` is 1. */
  readonly editsMax: number;
}

/** Whether the words of a text hold `words` as far from each other, no more than `slop` positions out of place. */
export interface PhraseMatchLeaf extends LeafBase {
  readonly kind: 'phrase-match';
  readonly field: FieldSchema;
  /** As in `TextMatchLeaf`. */
  readonly analyzer: string;
  readonly words: readonly PlacedWord[];
  readonly slop: number;
}

/** Whether so many elements of an array satisfy a condition. */
export interface MatchLeaf extends LeafBase {
  readonly kind: 'match';
  /** The array, or of an array of structs one of its sub-fields, which are arrays of equal length. */
  readonly array: FieldSchema;
  /** Of all arrays whose elements the condition reads. */
  readonly fields: readonly FieldSchema[];
  /** Over the elements: its columns are the elements of the arrays with the same field ids. */
  readonly condition: Condition;
  readonly mode: 'any' | 'all' | 'least' | 'most' | 'exact';
  /** Of `least`, `most` and `exact`. */
  readonly threshold: number;
}

/** Whether a value is in a set that the client has packed. */
export interface MemberLeaf extends LeafBase {
  readonly kind: 'member';
  readonly operand: ColumnOperand | PathOperand;
  readonly set: MemberSet;
}

/** What two shapes may have to do with one another. */
export type SpatialRelation =
  | 'equals'
  | 'touches'
  | 'overlaps'
  | 'crosses'
  | 'contains'
  | 'intersects'
  | 'within';

/** Whether the field's shape is in the relation to a constant one, near it, or valid in itself. */
export interface GeometryLeaf extends LeafBase {
  readonly kind: 'geometry';
  readonly field: FieldSchema;
  readonly test:
    | { readonly kind: 'relation'; readonly relation: SpatialRelation; readonly shape: string }
    | { readonly kind: 'distance'; readonly shape: string; readonly metresMax: number }
    | { readonly kind: 'validity' };
}

/** TRUE by chance, and the last operand of the outermost AND. */
export interface SampleLeaf {
  readonly kind: 'sample';
  /** Between 0 and 1. */
  readonly probability: number;
  /** Filters with the same seed draw the same rows from the same sequence of rows. */
  readonly seed: number;
}

/** A constant, or a list that stands for a JSON or Array value. */
export type ListValue = Constant | readonly ListValue[];

/** What a leaf looks at in each row. */
export type Operand = PlainOperand | LengthOperand | ArithmeticOperand | ShiftedOperand;

/** A value that lies in the row as it is. */
export type PlainOperand = ColumnOperand | ElementOperand | PathOperand;

/** A whole field. */
export interface ColumnOperand {
  readonly kind: 'column';
  readonly field: FieldSchema;
}

/** One element of an Array field; past the end it is null. */
export interface ElementOperand {
  readonly kind: 'element';
  readonly field: FieldSchema;
  readonly index: number;
}

/** A place inside a JSON field, `$meta` included; without steps the whole value. */
export interface PathOperand {
  readonly kind: 'path';
  readonly field: FieldSchema;
  readonly steps: readonly string[];
}

/** Elements of an array. */
export interface LengthOperand {
  readonly kind: 'length';
  readonly of: ColumnOperand | PathOperand;
}

/** Constants of a list; a long one of integers is packed. */
export type ConstantList = readonly Constant[] | BigInt64Array;

/** What may stand between a field and a constant; `**` may not. */
export type RowOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';

/** `of operator constant`: in Int64 with wrap-around when both are integers, else in Double. */
export interface ArithmeticOperand {
  readonly kind: 'arithmetic';
  readonly of: ColumnOperand | ElementOperand | PathOperand | LengthOperand;
  readonly operator: RowOperator;
  readonly constant: bigint | number;
}

/** A Timestamptz field and an interval with months, whose length depends on the row. */
export interface ShiftedOperand {
  readonly kind: 'shifted';
  readonly of: ColumnOperand;
  readonly by: Interval;
}

/** What an operand's values are: `json` when each row may have another kind. */
export type ValueKind = 'bool' | 'integer' | 'float' | 'string' | 'instant' | 'json' | 'array';

/** The field that an operand reads. */
export function fieldOf(operand: Operand): FieldSchema {
  return isPlain(operand) ? operand.field : fieldOf(operand.of);
}

/** Whether nothing is calculated before the value is there. */
export function isPlain(operand: Operand): operand is PlainOperand {
  return operand.kind === 'column' || operand.kind === 'element' || operand.kind === 'path';
}

/** The element type of an Array field. */
export function elementTypeOf(field: FieldSchema): DataType {
  return field.elementType!;
}
