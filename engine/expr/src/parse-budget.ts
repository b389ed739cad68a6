import { FilterError } from './filter-error.ts';
import { FILTER_LIMITS } from './limits.ts';
import { tooManyItems } from './list-reader.ts';
import type { Node } from './tree.ts';
import { SLICE_ITEMS } from './work.ts';

/** Counts what one parse makes, against `FILTER_LIMITS`. */
export class ParseBudget {
  readonly #stretchMax: number;
  /** Nodes, and items of lists that were read one by one. */
  #parts = 0;
  #items = 0;
  #partsAtPause = 0;
  /** The parts that may be made before something is wrong, or has to be looked at again. */
  #partsMax: number;

  /** A parse in slices may make `stretchMax` parts between two pauses. */
  constructor(pauses: 'in slices' | 'at once') {
    this.#stretchMax = pauses === 'in slices' ? FILTER_LIMITS.stretchMax : Number.POSITIVE_INFINITY;
    this.#partsMax = Math.min(this.#stretchMax, FILTER_LIMITS.nodesMax);
  }

  /** `node` itself. @throws FilterError when it is one too many, or too high */
  node<Made extends Node>(node: Made): Made {
    if (node.height > FILTER_LIMITS.heightMax) throw tooDeep();
    if (++this.#parts > this.#partsMax) this.#requireParts();
    return node;
  }

  /** An element of a list. */
  listItem(): void {
    this.readAhead(1);
    if (++this.#parts > this.#partsMax) this.#requireParts();
  }

  /** Elements of a list that took no time now. */
  readAhead(count: number): void {
    this.#items += count;
    if (this.#items > FILTER_LIMITS.listItemsMax) throw tooManyItems();
  }

  /** Whether it is time for a pause, which is taken to begin now. */
  isPauseDue(): boolean {
    if (this.#parts - this.#partsAtPause <= SLICE_ITEMS) return false;
    this.#partsAtPause = this.#parts;
    this.#partsMax = Math.min(this.#parts + this.#stretchMax, FILTER_LIMITS.nodesMax + this.#items);
    return true;
  }

  /** Items count as parts only of a stretch. */
  #requireParts(): void {
    const { nodesMax } = FILTER_LIMITS;
    if (this.#parts > nodesMax + this.#items)
      throw new FilterError(`the expression has more than ${nodesMax} parts`);
    if (this.#parts - this.#partsAtPause > this.#stretchMax)
      throw new FilterError(`more than ${this.#stretchMax} parts between two of and, or`);
    this.#partsMax = Math.min(this.#partsAtPause + this.#stretchMax, nodesMax + this.#items);
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
