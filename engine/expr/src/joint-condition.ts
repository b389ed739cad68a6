import { decided } from './bind-comparison.ts';
import type { Bound } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { requirePlace } from './last-operand.ts';
import { mergeAlternatives } from './merge-alternatives.ts';
import type { Condition } from './plan.ts';
import type { LogicNode, Node } from './tree.ts';

/** Joins the operands of an AND or OR, or of its negation, to one flat condition. */
export class JointCondition {
  readonly #node: LogicNode;
  readonly #negated: boolean;
  readonly #operands: Condition[] = [];
  #isDecided = false;

  constructor(node: LogicNode, negated: boolean) {
    this.#node = node;
    this.#negated = negated;
  }

  /** `bound` is `operand`, negated when the whole is. @throws FilterError unless it is a condition in its place */
  add(operand: Node, bound: Bound): void {
    const condition = this.#requireCondition(bound);
    requirePlace(operand, this.#node);
    // What decides the whole, and what changes nothing.
    const [decisive, neutral] = this.#kind === 'and' ? ['never', 'always'] : ['always', 'never'];
    if (condition.kind === decisive) this.#isDecided = true;
    else if (condition.kind === this.#kind)
      for (const inner of condition.operands) this.#operands.push(inner);
    else if (condition.kind !== neutral) this.#operands.push(condition);
  }

  finish(): Condition {
    const isAnd = this.#kind === 'and';
    if (this.#isDecided || this.#operands.length === 0) return decided(isAnd !== this.#isDecided);
    const merged = mergeAlternatives(this.#kind, this.#operands);
    return merged.length === 1 ? merged[0]! : { kind: this.#kind, operands: merged };
  }

  get #kind(): 'and' | 'or' {
    return (this.#node.operator === 'and') !== this.#negated ? 'and' : 'or';
  }

  #requireCondition(bound: Bound): Condition {
    if (bound.kind === 'condition') return bound.condition;
    if (bound.kind === 'constant' && typeof bound.value === 'boolean')
      return decided(bound.value !== this.#negated);
    throw new FilterError(`'${this.#node.operator}' can only be used between boolean expressions`);
  }
}
