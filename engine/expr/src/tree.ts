/**
 * What a text says, before anyone asks whether its names exist. Nodes are not changed once the parser
 * has returned them.
 */
export type Node =
  | LiteralNode
  | NameNode
  | ElementNode
  | InstantNode
  | IntervalNode
  | TemplateNode
  | ListNode
  | UnaryNode
  | BinaryNode
  | LogicNode
  | RangeNode
  | MembershipNode
  | NullTestNode
  | CallNode;

/** An integer is a bigint, a number with a fraction or exponent a number; nothing else tells them apart. */
export type Constant = boolean | bigint | number | string;

interface NodeBase {
  /** The node's text is `start .. end` of the filter, parentheses around it included. */
  readonly start: number;
  readonly end: number;
  /** Longest way down to a leaf; the parser keeps it within `FILTER_LIMITS.heightMax`. */
  readonly height: number;
}

/** A constant as written. */
export interface LiteralNode extends NodeBase {
  readonly kind: 'literal';
  readonly value: Constant;
}

/** One `["key"]`, `[0]`, or `[name]` of a struct's sub-field. */
export interface PathStep {
  readonly text: string;
  readonly form: 'key' | 'index' | 'field';
}

/** A field, an undeclared key, or with steps a place inside one. */
export interface NameNode extends NodeBase {
  readonly kind: 'name';
  readonly name: string;
  readonly steps: readonly PathStep[];
}

/** `$`, the element that a `match_any` and its kin look at, or `$[field]` when it is a struct. */
export interface ElementNode extends NodeBase {
  readonly kind: 'element';
  readonly field: string | null;
}

/** `ISO '2025-01-01T00:00:00Z'`, its text not yet read: it may need a time zone. */
export interface InstantNode extends NodeBase {
  readonly kind: 'instant';
  readonly text: string;
}

/** `INTERVAL 'P1D'`, its text not yet read. */
export interface IntervalNode extends NodeBase {
  readonly kind: 'interval';
  readonly text: string;
}

/** `{name}`: a value that comes beside the text. */
export interface TemplateNode extends NodeBase {
  readonly kind: 'template';
  readonly name: string;
}

/** `[a, b]`. */
export interface ListNode extends NodeBase {
  readonly kind: 'list';
  /** Plain constants lie here bare, and integers packed when they are many: a list may have a million of them. */
  readonly items: readonly (Constant | Node)[] | BigInt64Array;
}

/** A sign, a negation, or `exists`. */
export interface UnaryNode extends NodeBase {
  readonly kind: 'unary';
  readonly operator: '+' | '-' | '~' | 'not' | 'exists';
  readonly operand: Node;
}

/** Between values of one kind. */
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '**' | '<<' | '>>' | '&' | '^' | '|';

/** Whatever stands between two sides, chains of AND and OR apart. */
export interface BinaryNode extends NodeBase {
  readonly kind: 'binary';
  readonly operator: ComparisonOperator | ArithmeticOperator | 'like' | '=~' | '!~';
  readonly left: Node;
  readonly right: Node;
}

/** A whole chain of one operator, flat: a filter of ten thousand alternatives is two levels high. */
export interface LogicNode extends NodeBase {
  readonly kind: 'logic';
  readonly operator: 'and' | 'or';
  readonly operands: readonly Node[];
}

/** `low < name <= high`, or the same from high to low: both operators point the same way. */
export interface RangeNode extends NodeBase {
  readonly kind: 'range';
  readonly left: Node;
  readonly leftOperator: '<' | '<=' | '>' | '>=';
  readonly middle: NameNode | ElementNode;
  readonly rightOperator: '<' | '<=' | '>' | '>=';
  readonly right: Node;
}

/** What a node is that reaches from `first` to `last`, both right below it. */
export function span(first: Node, last: Node): Pick<NodeBase, 'start' | 'end' | 'height'> {
  return { start: first.start, end: last.end, height: Math.max(first.height, last.height) + 1 };
}

/** Whether `node` may stand in the middle of a range. */
export function isRangeMiddle(node: Node): node is RangeNode['middle'] {
  return node.kind === 'name' || node.kind === 'element';
}

/** `left in right`, whose right side should be a list. */
export interface MembershipNode extends NodeBase {
  readonly kind: 'membership';
  readonly operator: 'in' | 'not in';
  readonly left: Node;
  readonly right: Node;
}

/** `name is null`. */
export interface NullTestNode extends NodeBase {
  readonly kind: 'null-test';
  readonly operator: 'is null' | 'is not null';
  readonly operand: NameNode;
}

/** `name(operands, option=value)`. */
export interface CallNode extends NodeBase {
  readonly kind: 'call';
  /** Lower case. */
  readonly name: string;
  /** `free` are functions that any spelling of the name calls, keywords are all lower or all upper case. */
  readonly form: 'keyword' | 'free';
  readonly operands: readonly Node[];
  readonly options: readonly CallOption[];
}

/** `name=value` behind the operands of a call. */
export interface CallOption {
  readonly name: string;
  readonly value: Node;
}
