import type { DataType, FieldSchema } from '@elanus/model';
import type { LikePattern } from './like.ts';
import type { ComparisonOperator, Constant } from './tree.ts';

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
  | ComparisonLeaf
  | RangeLeaf
  | MembershipLeaf
  | LikeLeaf
  | FieldsLeaf
  | NullLeaf
  | ContainsLeaf;

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
  readonly values: readonly Constant[];
}

/** `operand like pattern`, of text. */
export interface LikeLeaf extends LeafBase {
  readonly kind: 'like';
  readonly operand: Operand;
  readonly pattern: LikePattern;
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
  readonly values: readonly ListValue[];
}

/** A constant, or a list that stands for a JSON or Array value. */
export type ListValue = Constant | readonly ListValue[];

/** What a leaf looks at in each row. */
export type Operand = ColumnOperand | ElementOperand | PathOperand | LengthOperand | ArithmeticOperand;

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

/** What may stand between a field and a constant; `**` may not. */
export type RowOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';

/** `of operator constant`: in Int64 with wrap-around when both are integers, else in Double. */
export interface ArithmeticOperand {
  readonly kind: 'arithmetic';
  readonly of: ColumnOperand | ElementOperand | PathOperand | LengthOperand;
  readonly operator: RowOperator;
  readonly constant: bigint | number;
}

/** What an operand's values are: `json` when each row may have another kind. */
export type ValueKind = 'bool' | 'integer' | 'float' | 'string' | 'json' | 'array';

/** The field that an operand reads. */
export function fieldOf(operand: Operand): FieldSchema {
  return operand.kind === 'length' || operand.kind === 'arithmetic' ? fieldOf(operand.of) : operand.field;
}

/** The element type of an Array field. */
export function elementTypeOf(field: FieldSchema): DataType {
  return field.elementType!;
}
