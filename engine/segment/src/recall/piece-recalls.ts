import type { MeasuredRecalls } from '@elanus/model';
import { type RecallClass, recallClassKey } from './recall-class.ts';
import { type CalibratedEffort, RecallCurve } from './recall-curve.ts';

/** What was calibrated of one index. `null`: it was tried, and no effort is known to be enough. */
type Calibration = RecallCurve | null;

/** The last search of a class, for those who watch. */
export interface UsedRecall {
  readonly wanted: RecallClass;
  readonly target: number;
  readonly effort: CalibratedEffort;
}

/** What is known of one index about the effort that its searches take, and what somebody would like to know. */
export class PieceRecalls {
  readonly #curves = new Map<string, { readonly wanted: RecallClass; readonly curve: Calibration }>();
  readonly #wishes = new Map<string, RecallClass>();
  readonly #used = new Map<string, UsedRecall>();

  /**
   * The effort that reaches a target; `null` when it is not known, or when none does: then rows are to be compared one by
   * one. What is not known is calibrated when there is time.
   */
  effortFor(wanted: RecallClass, target: number): CalibratedEffort | null {
    const key = recallClassKey(wanted);
    const known = this.#curves.get(key);
    if (known === undefined) this.#wishes.set(key, wanted);
    const effort = known?.curve?.effortFor(target) ?? null;
    if (effort !== null) this.#used.set(key, { wanted, target, effort });
    return effort;
  }

  /** A class that somebody has asked for in vain; `null`: there is none. */
  get nextWish(): RecallClass | null {
    return this.#wishes.values().next().value ?? null;
  }

  /** Takes what was found out about a class. */
  learn(wanted: RecallClass, curve: RecallCurve | null): void {
    const key = recallClassKey(wanted);
    this.#wishes.delete(key);
    this.#curves.set(key, { wanted, curve });
  }

  /** What is known, to be kept beside the index. */
  get known(): readonly MeasuredRecalls[] {
    return [...this.#curves.values()].flatMap(({ wanted, curve }) =>
      curve === null ? [] : [{ ...wanted, margin: curve.margin, points: curve.points }],
    );
  }

  /** Begins with what was `known` of the same index before; it serves until it is measured again. */
  restore(known: readonly MeasuredRecalls[]): void {
    for (const { hits, halvings, margin, points } of known)
      if (points.length > 0) this.learn({ hits, halvings }, new RecallCurve(points, { margin }));
  }

  /** Has all that is known measured again; until then it serves. */
  renew(): void {
    for (const [key, { wanted }] of this.#curves) this.#wishes.set(key, wanted);
  }

  /** Of each class the last search that was calibrated. */
  get used(): Iterable<UsedRecall> {
    return this.#used.values();
  }
}
