/**
 * What a text says, before anyone asks whether its names exist. Nodes are not changed once the parser
 * has returned them.
 */
export type Node =
  | LiteralNode
  | NameNode
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

/** One `["key"]` or `[0]`. */
export interface PathStep {
  readonly text: string;
  readonly form: 'key' | 'index';
}

/** A field, an undeclared key, or with steps a place inside one. */
export interface NameNode extends NodeBase {
  readonly kind: 'name';
  readonly name: string;
  readonly steps: readonly PathStep[];
}

/** `{name}`: a value that comes beside the text. */
export interface TemplateNode extends NodeBase {
  readonly kind: 'template';
  readonly name: string;
}

/** `[a, b]`. */
export interface ListNode extends NodeBase {
  readonly kind: 'list';
  /** Plain constants lie here bare, because a list may have a million of them. */
  readonly items: readonly (Constant | Node)[];
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
  readonly middle: NameNode;
  readonly rightOperator: '<' | '<=' | '>' | '>=';
  readonly right: Node;
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

/** `name(operands)`, a keyword's or a free one. */
export interface CallNode extends NodeBase {
  readonly kind: 'call';
  /** Lower case. */
  readonly name: string;
  readonly operands: readonly Node[];
}
