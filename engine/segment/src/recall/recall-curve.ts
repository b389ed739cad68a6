import { assert } from '@elanus/model';

/** What was measured with one effort. */
export interface MeasuredRecall {
  readonly ef: number;
  /** Mean over the queries, 0 to 1. */
  readonly recall: number;
  /** Of the mean. */
  readonly standardError: number;
}

/** An effort, and the recall that was measured with it. */
export interface CalibratedEffort {
  readonly ef: number;
  readonly recall: number;
}

/** How recall grows with effort, as it was measured for one class of searches of one index. */
export class RecallCurve {
  /** In ascending order of effort. */
  readonly #points: readonly MeasuredRecall[];
  /** What is taken off every measured value: queries that come may be harder than those it was measured with. */
  readonly #margin: number;

  constructor(points: readonly MeasuredRecall[], { margin }: { readonly margin: number }) {
    assert(points.length > 0, 'a curve has points');
    this.#points = points;
    this.#margin = margin;
  }

  /**
   * The least effort whose recall reaches the target also when its measurement was lucky by one standard error; `null`
   * when none does. Between two measured efforts recall is taken to grow with the logarithm of the effort.
   */
  effortFor(target: number): CalibratedEffort | null {
    let before: MeasuredRecall | null = null;
    for (const point of this.#points) {
      if (this.#surely(point) >= target) return this.#between(before, point, target);
      before = point;
    }
    return null;
  }

  #surely({ recall, standardError }: MeasuredRecall): number {
    return recall - standardError - this.#margin;
  }

  #between(before: MeasuredRecall | null, after: MeasuredRecall, target: number): CalibratedEffort {
    if (before === null || after.recall <= before.recall) return { ef: after.ef, recall: after.recall };
    const [low, high] = [this.#surely(before), this.#surely(after)];
    const part = (target - low) / (high - low);
    const ef = Math.ceil(before.ef * (after.ef / before.ef) ** part);
    return { ef, recall: before.recall + part * (after.recall - before.recall) };
  }
}
