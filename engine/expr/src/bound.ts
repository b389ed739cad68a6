import { type CollectionSchema, DataType, dataTypeName, type FieldId, type FieldSchema } from '@elanus/model';
import { FilterError, printPart } from './filter-error.ts';
import type { Interval } from './interval.ts';
import type { MemberSet } from './member-set.ts';
import type { Condition, ListValue, MatchLeaf, Operand } from './plan.ts';
import type { TemplateValues } from './templates.ts';
import type { Constant, Node } from './tree.ts';
import { operandTypeName, typeOfConstant } from './value-type.ts';
import type { PlacedWord } from './word-index.ts';

/** What a node turns out to be. A wrong value is the text's fault (`parse`) or its template's (`fill`). */
export type Bound =
  | { readonly kind: 'constant'; readonly value: Constant; readonly phase: 'parse' | 'fill' }
  | {
      readonly kind: 'list';
      readonly values: readonly ListValue[] | BigInt64Array;
      readonly phase: 'parse' | 'fill';
    }
  /** A packed `MemberSet`, which only comes as the value of a template. */
  | { readonly kind: 'bytes'; readonly template: string; readonly bytes: Uint8Array }
  | { readonly kind: 'instant'; readonly microseconds: bigint }
  | { readonly kind: 'interval'; readonly interval: Interval }
  | { readonly kind: 'operand'; readonly operand: Operand }
  | { readonly kind: 'condition'; readonly condition: Condition };

/** What `$` stands for inside of `match_any` and its kin. */
export interface ElementScope {
  /** The call, for messages. */
  readonly call: string;
  /** The name in front of the condition: of an Array field, or of an array of structs. */
  readonly name: string;
  /** Of `$`; `null` when the elements are structs. */
  readonly array: FieldSchema | null;
  /** Arrays that the condition has read so far. */
  readonly fields: Set<FieldSchema>;
}

/** What a filter's meaning depends on beside its text and the schema. */
export interface PlanOptions {
  /** IANA name of the zone of instants that are written without an offset. */
  readonly timeZone?: string;
  /** What the analyzer of a field makes of a text; left out: the standard one, and no other is known. */
  readonly wordsOf?: (field: FieldSchema, text: string) => readonly PlacedWord[];
}

/** One filter on its way through the binder. */
export class BindContext {
  readonly text: string;
  readonly schema: CollectionSchema;
  readonly templates: TemplateValues;
  readonly timeZone: string;
  readonly wordsOf: PlanOptions['wordsOf'];
  /** Whether somebody has looked at every value of the templates before. */
  areTemplatesChecked = false;
  /** Set while the condition of a `match_any` and its kin is bound. */
  scope: ElementScope | null = null;
  /** An `element_filter`, which asks for elements, not for rows. */
  elementFilter: MatchLeaf | null = null;
  /** Whether no row is found by accident: some sets know no more than what is probably in them. */
  isExact = true;
  /** Of templates whose bytes were read ahead, in slices: the set, or what is wrong with it. */
  readonly memberSets = new Map<string, MemberSet | FilterError>();
  /** Filled as names are resolved. */
  readonly fieldIds = new Set<FieldId>();

  constructor(text: string, schema: CollectionSchema, templates: TemplateValues, options: PlanOptions) {
    this.text = text;
    this.schema = schema;
    this.templates = templates;
    this.timeZone = options.timeZone ?? 'UTC';
    this.wordsOf = options.wordsOf;
  }

  /** The text of `node` as messages show it. */
  print(node: Node): string {
    return printPart(this.text, node.start, node.end);
  }
}

/** The type of `bound` in messages. */
export function boundTypeName(bound: Bound): string {
  switch (bound.kind) {
    case 'constant':
      return dataTypeName(typeOfConstant(bound.value));
    case 'list':
      return dataTypeName(DataType.Array);
    case 'bytes':
      return 'Bytes';
    case 'instant':
      return dataTypeName(DataType.Timestamptz);
    case 'interval':
      return 'Interval';
    case 'operand':
      return operandTypeName(bound.operand);
    case 'condition':
      return dataTypeName(DataType.Bool);
  }
}

/** The values of a list one by one. */
export function unpack(values: readonly ListValue[] | BigInt64Array): readonly ListValue[] {
  return values instanceof BigInt64Array ? Array.from(values) : values;
}

/** Whose fault a wrong pair of values is. */
export function phaseOf(...bounds: readonly Bound[]): 'parse' | 'fill' {
  const isFilled = (bound: Bound) =>
    bound.kind === 'bytes' ||
    ((bound.kind === 'constant' || bound.kind === 'list') && bound.phase === 'fill');
  return bounds.some(isFilled) ? 'fill' : 'parse';
}

/** Milvus' refusal of a pair of types, in the order written. */
export function incomparable(left: Bound, right: Bound): FilterError {
  return new FilterError(
    `comparisons between ${boundTypeName(left)} and ${boundTypeName(right)} are not supported`,
    phaseOf(left, right),
  );
}
