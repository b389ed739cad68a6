import type { GroupTuple } from './group-filter.ts';
import { type GroupValue, groupIdentity } from './group-key.ts';

/** A hit of a query: the search that found it, and its place there. */
export interface FoundHit {
  readonly list: number;
  readonly place: number;
}

/** A group of the hits of one query. */
export interface FoundGroup {
  readonly values: GroupTuple;
  /** Best first. */
  readonly hits: FoundHit[];
}

export interface CollectorOptions {
  /** Groups wanted. */
  readonly groups: number;
  /** Hits of each of them at most. */
  readonly size: number;
  readonly isStrict: boolean;
}

/** Sorts the hits of one query into groups, best first, until there are enough. */
export class GroupCollector {
  readonly groups: FoundGroup[] = [];
  readonly #byIdentity = new Map<string, FoundGroup>();
  readonly #options: CollectorOptions;
  #fullGroups = 0;
  /** Whether no further hit would change anything. */
  isDone = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Takes the next best hit; false when it has no place in the answer. */
  take(values: readonly GroupValue[], hit: FoundHit): boolean {
    const identity = groupIdentity(values);
    const known = this.#byIdentity.get(identity);
    if (known === undefined && this.#hasEveryGroup) return false;
    const group = known ?? { values, hits: [] };
    if (group.hits.length === this.#options.size) return false;
    if (known === undefined) {
      this.#byIdentity.set(identity, group);
      this.groups.push(group);
    }
    group.hits.push(hit);
    if (group.hits.length === this.#options.size) this.#fullGroups += 1;
    this.isDone = this.#hasEveryGroup && (!this.#options.isStrict || this.#fullGroups === this.groups.length);
    return true;
  }

  /** Where to look further: not in these groups, or in none but these. REQUIRES: not done, and a hit was taken. */
  openGroups(): {
    readonly relation: 'outside' | 'within' | 'anywhere';
    readonly groups: readonly GroupTuple[];
  } {
    const { size } = this.#options;
    const isFull = ({ hits }: FoundGroup): boolean => hits.length === size;
    const valuesOf = ({ values }: FoundGroup): GroupTuple => values;
    if (this.#hasEveryGroup)
      return { relation: 'within', groups: this.groups.filter((group) => !isFull(group)).map(valuesOf) };
    const full = this.groups.filter(isFull).map(valuesOf);
    return { relation: full.length === 0 ? 'anywhere' : 'outside', groups: full };
  }

  get #hasEveryGroup(): boolean {
    return this.groups.length === this.#options.groups;
  }
}
