/** Sweeps the search knobs of several libraries, round after round, so that the machine's drift hits all alike. */
import type { DataSet } from './data-set.ts';
import { kthScores, recallOf } from './recall.ts';
import type { Knob, OpenIndex, Subject, Way } from './subject.ts';

export const K = 10;
/** Between these the speed is wanted. */
export const RECALLS = [0.9, 0.95, 0.99, 0.995] as const;
/** How long one knob is measured in one round; some thousand queries. */
const SECONDS_PER_POINT = 0.15;

export interface Contestant {
  readonly subject: Subject;
  readonly index: OpenIndex;
}

export interface Point {
  readonly knob: Knob;
  readonly recall: number;
  readonly queriesPerSecond: number;
}

/** The points of one library measured in one way: a list for each round. */
export interface Sweep {
  readonly library: string;
  readonly way: Way;
  readonly rounds: readonly (readonly Point[])[];
}

/** Measures every contestant in each of `ways`; knob by knob the libraries take turns. */
export async function sweep(
  contestants: readonly Contestant[],
  data: DataSet,
  ways: (contestant: Contestant) => readonly Way[],
  rounds: number,
): Promise<Sweep[]> {
  const lanes = [];
  for (const contestant of contestants) {
    const knobs = await knobsThatMatter(contestant, data);
    for (const way of ways(contestant)) lanes.push({ contestant, knobs, way, rounds: [] as Point[][] });
  }
  const steps = Math.max(...lanes.map(({ knobs }) => knobs.length));
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) lane.rounds.push([]);
    for (let step = 0; step < steps; step += 1) {
      for (const { contestant, knobs, way, rounds } of lanes) {
        const at = knobs[step];
        if (!at) continue;
        const measured = await contestant.subject.search(at.knob, way, SECONDS_PER_POINT, 'drop');
        rounds[round]!.push({ ...at, queriesPerSecond: measured.queriesPerSecond });
      }
    }
  }
  return lanes.map(({ contestant, way, rounds }) => ({
    library: contestant.subject.library.name,
    way,
    rounds,
  }));
}

type KnobAndRecall = Omit<Point, 'queriesPerSecond'>;

/** The knobs from the last below the lowest wanted recall to the first that reaches the highest. */
async function knobsThatMatter({ subject, index }: Contestant, data: DataSet): Promise<KnobAndRecall[]> {
  const kth = kthScores(data, K);
  const tried: KnobAndRecall[] = [];
  for (const knob of index.knobs) {
    const { rows } = await subject.search(knob, { calls: 'batch', threads: 1 }, 0, 'keep');
    tried.push({ knob, recall: recallOf(data, rows!, K, kth) });
    if (tried.at(-1)!.recall >= RECALLS.at(-1)!) break;
  }
  const first = tried.findIndex(({ recall }) => recall >= RECALLS[0]);
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
