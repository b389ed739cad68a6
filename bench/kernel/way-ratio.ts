import { median, type Sweep } from './sweep.ts';

/** Knobs around a recall. */
const KNOBS_NEAR = 4;

/**
 * How many times faster the same entry is in one way than in another, near `recall`: the median over all rounds and the
 * knobs around it. A knob finds the same in every way, so nothing has to be interpolated, and how fast the machine was at
 * one moment is outvoted. `null` when no knob reaches the recall.
 */
export function wayRatioAt(left: Sweep, right: Sweep, recall: number): number | null {
  const points = left.rounds[0]!;
  if (!points.some((point) => point.recall >= recall)) return null;
  const near = points
    .map((point, at) => ({ at, distance: Math.abs(point.recall - recall) }))
    .toSorted((one, other) => one.distance - other.distance)
    .slice(0, KNOBS_NEAR);
  return median(
    left.rounds.flatMap((ofRound, round) =>
      near.map(({ at }) => ofRound[at]!.queriesPerSecond / right.rounds[round]![at]!.queriesPerSecond),
    ),
  );
}
