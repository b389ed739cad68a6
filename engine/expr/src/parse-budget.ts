import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import { tooManyItems } from './list-reader.ts';
import type { Node } from './tree.ts';
import { SLICE_ITEMS } from './work.ts';

/** Counts what one parse makes, against `FILTER_LIMITS`. */
export class ParseBudget {
  readonly #stretchMax: number;
  #nodes = 0;
  #listItems = 0;
  /** Parts since the last pause. */
  #stretch = 0;

  /** A parse in slices may make `stretchMax` parts between two pauses. */
  constructor(pauses: 'in slices' | 'at once') {
    this.#stretchMax = pauses === 'in slices' ? FILTER_LIMITS.stretchMax : Number.POSITIVE_INFINITY;
  }

  /** `node` itself. @throws FilterError when it is one too many, or too high */
  node<Made extends Node>(node: Made): Made {
    if (node.height > FILTER_LIMITS.heightMax) throw tooDeep();
    if (++this.#nodes > FILTER_LIMITS.nodesMax)
      throw new FilterError(`the expression has more than ${FILTER_LIMITS.nodesMax} parts`);
    this.#lengthenStretch();
    return node;
  }

  /** An element of a list. */
  listItem(): void {
    this.readAhead(1);
    this.#lengthenStretch();
  }

  /** Elements of a list that took no time now. */
  readAhead(count: number): void {
    this.#listItems += count;
    if (this.#listItems > FILTER_LIMITS.listItemsMax) throw tooManyItems();
  }

  /** Whether it is time for a pause, which is taken to begin now. */
  isPauseDue(): boolean {
    if (this.#stretch <= SLICE_ITEMS) return false;
    this.#stretch = 0;
    return true;
  }

  #lengthenStretch(): void {
    if (++this.#stretch > this.#stretchMax)
      throw new FilterError(`more than ${this.#stretchMax} parts between two of and, or`);
  }
}

/** @throws FilterError for a text that is longer than any request needs */
export function requireLength(text: string): void {
  if (text.length > FILTER_LIMITS.textLengthMax)
    throw new FilterError(`the expression is longer than ${FILTER_LIMITS.textLengthMax} characters`);
}

/** The refusal of a text that no later pass could walk down. */
export function tooDeep(): FilterError {
  return new FilterError(`the expression is nested deeper than ${FILTER_LIMITS.heightMax} levels`);
}
