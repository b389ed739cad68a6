/** Sweeps the search knobs of several libraries, round after round, so that the machine's drift hits all alike. */
import type { Contestant } from './contestants.ts';
import type { DataSet } from './data-set.ts';
import { kthScores, recallOf } from './recall.ts';
import type { Knob, Measured, Way } from './subject.ts';

export const K = 10;

/** One thing that a contestant is asked, in some ways. */
export interface Entry {
  /** What the figures are listed under. */
  readonly name: string;
  readonly contestant: Contestant;
  readonly data: DataSet;
  /** The score that a row must have to be right, for each query that is asked. */
  readonly kthScores: Float32Array;
  readonly ways: readonly Way[];
  ask(knob: Knob, way: Way, seconds: number, answers: 'drop' | 'keep'): Promise<Measured>;
}

/** How long a table may take. */
export interface Limits {
  readonly rounds: number;
  /** After so many no further round begins; one is always made. */
  readonly minutesMax?: number;
}

export interface Race extends Limits {
  /** The lowest and the highest recall at which the speed is wanted. */
  readonly recalls: readonly [lowest: number, highest: number];
  /** How long one knob is measured in one round, at least. */
  readonly secondsPerPoint: number;
}

export interface Point {
  readonly knob: Knob;
  readonly recall: number;
  readonly queriesPerSecond: number;
}

/** The points of one entry measured in one way: a list for each round. */
export interface Sweep {
  readonly name: string;
  readonly way: Way;
  readonly rounds: readonly (readonly Point[])[];
}

/** Measures every entry in each of its ways; knob by knob they take turns. */
export async function sweep(entries: readonly Entry[], race: Race): Promise<Sweep[]> {
  const endMs = performance.now() + 60_000 * (race.minutesMax ?? Infinity);
  const lanes = [];
  for (const entry of entries) {
    const knobs = await knobsThatMatter(entry, race);
    for (const way of entry.ways) lanes.push({ entry, knobs, way, rounds: [] as Point[][] });
  }
  const steps = Math.max(...lanes.map(({ knobs }) => knobs.length));
  for (let round = 0; round < race.rounds && (round === 0 || performance.now() < endMs); round += 1) {
    console.error(`round ${round + 1} of ${race.rounds}`);
    for (const lane of lanes) lane.rounds.push([]);
    for (let step = 0; step < steps; step += 1) {
      for (const { entry, knobs, way, rounds } of lanes) {
        const at = knobs[step];
        if (!at) continue;
        const { queriesPerSecond } = await entry.ask(at.knob, way, race.secondsPerPoint, 'drop');
        rounds[round]!.push({ ...at, queriesPerSecond });
      }
    }
  }
  return lanes.map(({ entry, way, rounds }) => ({
    name: entry.name,
    way,
    rounds,
  }));
}

type KnobAndRecall = Omit<Point, 'queriesPerSecond'>;

/** The knobs from the last below the lowest wanted recall to the first that reaches the highest. */
async function knobsThatMatter(entry: Entry, race: Race): Promise<KnobAndRecall[]> {
  const [lowest, highest] = race.recalls;
  const tried: KnobAndRecall[] = [];
  for (const knob of entry.contestant.index.knobs) {
    const { rows } = await entry.ask(knob, entry.ways[0]!, 0, 'keep');
    tried.push({ knob, recall: recallOf(entry.data, rows!, K, entry.kthScores) });
    if (tried.at(-1)!.recall >= highest) break;
  }
  const first = tried.findIndex(({ recall }) => recall >= lowest);
  return tried.slice(Math.max(0, first < 0 ? tried.length - 1 : first - 1));
}

/**
 * Queries a second at `recall`, between the two points around it; the logarithm of the speed is taken as linear in
 * the recall. The speed of the fastest knob when that is better already; `null` when no point is good enough.
 */
export function speedAt(points: readonly Point[], recall: number): number | null {
  const front = bestFirst(points);
  const above = front.findLast((point) => point.recall >= recall);
  if (!above) return null;
  const below = front.find((point) => point.recall < recall);
  if (!below) return above.queriesPerSecond;
  const share = (recall - below.recall) / (above.recall - below.recall);
  return below.queriesPerSecond * (above.queriesPerSecond / below.queriesPerSecond) ** share;
}

/** By falling recall, without the points that another one beats in both recall and speed. */
function bestFirst(points: readonly Point[]): Point[] {
  const front: Point[] = [];
  for (const point of points.toSorted((left, right) => right.recall - left.recall))
    if (point.queriesPerSecond > (front.at(-1)?.queriesPerSecond ?? 0)) front.push(point);
  return front;
}

/** Of `values`; `null` when one of them is missing. */
export function median(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  const sorted = (values as number[]).toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Every knob with the median of its speeds. */
export function medianPoints({ rounds }: Sweep): readonly Point[] {
  return rounds[0]!.map((point, at) => ({
    ...point,
    queriesPerSecond: median(rounds.map((points) => points[at]!.queriesPerSecond))!,
  }));
}

/** The median over the rounds. */
export function medianSpeedAt({ rounds }: Sweep, recall: number): number | null {
  return median(rounds.map((points) => speedAt(points, recall)));
}

/** How many times faster `left` is: the median of the rounds' ratios, since a round's figures share its weather. */
export function speedRatioAt(left: Sweep, right: Sweep, recall: number): number | null {
  return median(
    left.rounds.map((points, round) => {
      const [ours, theirs] = [speedAt(points, recall), speedAt(right.rounds[round]!, recall)];
      return ours === null || theirs === null ? null : ours / theirs;
    }),
  );
}

/** What is asked of a contestant that searches with all queries of a data set. */
export function searchEntry(
  name: string,
  contestant: Contestant,
  data: DataSet,
  ways: readonly Way[],
): Entry {
  return {
    name,
    contestant,
    data,
    kthScores: kthScores(data, K),
    ways,
    ask: (...asked) => contestant.subject.search(...asked),
  };
}
