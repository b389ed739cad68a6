import { type CollectionSchema, DataType, dataTypeName, type FieldId } from '@elanus/model';
import { FilterError, printPart } from './filter-error.ts';
import type { Condition, ListValue, Operand } from './plan.ts';
import type { TemplateValues } from './templates.ts';
import type { Constant, Node } from './tree.ts';
import { operandTypeName, typeOfConstant } from './value-type.ts';

/** What a node turns out to be. A wrong value is the text's fault (`parse`) or its template's (`fill`). */
export type Bound =
  | { readonly kind: 'constant'; readonly value: Constant; readonly phase: 'parse' | 'fill' }
  | { readonly kind: 'list'; readonly values: readonly ListValue[]; readonly phase: 'parse' | 'fill' }
  | { readonly kind: 'operand'; readonly operand: Operand }
  | { readonly kind: 'condition'; readonly condition: Condition };

/** One filter on its way through the binder. */
export class BindContext {
  readonly text: string;
  readonly schema: CollectionSchema;
  readonly templates: TemplateValues;
  /** Filled as names are resolved. */
  readonly fieldIds = new Set<FieldId>();

  constructor(text: string, schema: CollectionSchema, templates: TemplateValues) {
    this.text = text;
    this.schema = schema;
    this.templates = templates;
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
    case 'operand':
      return operandTypeName(bound.operand);
    case 'condition':
      return dataTypeName(DataType.Bool);
  }
}

/** Whose fault a wrong pair of values is. */
export function phaseOf(...bounds: readonly Bound[]): 'parse' | 'fill' {
  const isFilled = (bound: Bound) =>
    (bound.kind === 'constant' || bound.kind === 'list') && bound.phase === 'fill';
  return bounds.some(isFilled) ? 'fill' : 'parse';
}

/** Milvus' refusal of a pair of types, in the order written. */
export function incomparable(left: Bound, right: Bound): FilterError {
  return new FilterError(
    `comparisons between ${boundTypeName(left)} and ${boundTypeName(right)} are not supported`,
    phaseOf(left, right),
  );
}
