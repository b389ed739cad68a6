import { assert, type MeasuredRecalls } from '@elanus/model';

/** What was measured with one effort: the mean over the queries, and its standard error. */
export type MeasuredRecall = MeasuredRecalls['points'][number];

/** An effort, and the recall that was measured with it. */
export interface CalibratedEffort {
  readonly ef: number;
  readonly recall: number;
}

/** Smaller shares are taken for this one: nobody has measured with so many queries. */
const MISSED_MIN = 1e-3;

/** Of the standard error of what was measured, so much is taken for luck. */
const LUCK = 0.5;

/** How recall grows with effort, as it was measured for one class of searches of one index. */
export class RecallCurve {
  /** In ascending order of effort. */
  readonly points: readonly MeasuredRecall[];
  /** What is taken off every measured value: queries that come may be harder than those it was measured with. */
  readonly margin: number;

  constructor(points: readonly MeasuredRecall[], { margin }: { readonly margin: number }) {
    assert(points.length > 0, 'a curve has points');
    this.points = points;
    this.margin = margin;
  }

  /**
   * The least effort whose recall reaches the target also when its measurement was lucky by half a standard error; `null`
   * when none does. Between two measured efforts the share of missed hits is taken to fall with a power of the effort,
   * unless searches walk with one and scan with the other: what they find leaps between them, nobody knows where.
   */
  effortFor(target: number): CalibratedEffort | null {
    let before: MeasuredRecall | null = null;
    for (const point of this.points) {
      if (this.#surely(point) >= target) return this.#between(before, point, target);
      before = point;
    }
    return null;
  }

  #surely({ recall, standardError }: MeasuredRecall): number {
    return recall - LUCK * standardError - this.margin;
  }

  #between(before: MeasuredRecall | null, after: MeasuredRecall, target: number): CalibratedEffort {
    if (before === null || before.isScanned !== after.isScanned || after.recall <= before.recall)
      return { ef: after.ef, recall: after.recall };
    const missed = (recall: number) => Math.log(Math.max(1 - recall, MISSED_MIN));
    const [low, high] = [missed(this.#surely(before)), missed(this.#surely(after))];
    const part = low === high ? 1 : (missed(target) - low) / (high - low);
    const ef = Math.ceil(before.ef * (after.ef / before.ef) ** part);
    const error = before.standardError + part * (after.standardError - before.standardError);
    const doubt = LUCK * error + this.margin;
    return { ef, recall: Math.min(1, target + doubt) };
  }
}
