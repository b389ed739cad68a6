import { invalidInput, type MetricType, metricOrder, type Timestamp } from '@elanus/model';
import { pinnedTime } from './guarantee.ts';
import type { Parameters } from './parameters.ts';

/** Bounds of the scores that a search keeps, as `SearchTask` has them. */
export interface ScoreRange {
  readonly radius: number | null;
  readonly rangeFilter: number | null;
}

/** @throws MilvusError 1100 when `range_filter` stands alone or on the wrong side of `radius` */
export function readScoreRange(parameters: Parameters, metric: MetricType): ScoreRange {
  const radius = parameters.number('radius') ?? null;
  const rangeFilter = parameters.number('range_filter') ?? null;
  if (rangeFilter === null) return { radius, rangeFilter };
  if (radius === null) throw invalidInput('range_filter is specified, but radius is not: invalid parameter');
  const ascending = metricOrder(metric) === 'ascending';
  if (ascending ? rangeFilter >= radius : rangeFilter <= radius) {
    const relation = ascending ? 'less' : 'greater';
    throw invalidInput(
      `metric type '${metric}', range_filter(${rangeFilter}) must be ${relation} than radius(${radius}): invalid parameter`,
    );
  }
  return { radius, rangeFilter };
}

/** One page of a search iterator. */
export interface IteratorPage {
  /** `v2`: the server hands out a token and continues after a score; `v1`: the client asks for ranges. */
  readonly protocol: 'v1' | 'v2';
  /** Echoed by every page of one iterator; empty on the first. */
  readonly token: string;
  /** Hits are strictly worse than this score; `null` on the first page. */
  readonly lastBound: number | null;
  /** Hits of one page. */
  readonly batchSize: number | null;
  /** The moment all pages look at; `null` on the first page, which finds it. */
  readonly snapshot: Timestamp | null;
  /** Whether the client has got that moment from the page before, and the next one needs it from this. */
  readonly passesOn: boolean;
}

/** What tokens look like, ours and Milvus'. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `null` when the request is no iterator's. @throws MilvusError 1100 for parameters that do not go together */
export function readIteratorPage(
  parameters: Parameters,
  request: { readonly guaranteeTimestamp: bigint },
): IteratorPage | null {
  const isVersion2 = parameters.flag('search_iter_v2');
  if (!parameters.flag('iterator')) {
    if (isVersion2) throw invalidInput('search_iter_v2 requires iterator to be true: invalid parameter');
    return null;
  }
  const passed = passedTime(parameters);
  const passesOn = pinnedTime(request) === null && passed !== null;
  const snapshot = pinnedTime(request) ?? passed;
  if (!isVersion2) return { protocol: 'v1', token: '', lastBound: null, batchSize: null, snapshot, passesOn };
  if ((parameters.integer('offset') ?? 0) !== 0) {
    throw invalidInput('offset is not supported for search iterator v2: invalid parameter');
  }
  const batchSize = parameters.integer('search_iter_batch_size');
  if (batchSize === undefined)
    throw invalidInput('batch size is required for search iterator v2: invalid parameter');
  const lastBound = parameters.number('search_iter_last_bound') ?? null;
  const token = parameters.text('search_iter_id') ?? '';
  if (token !== '' && !UUID.test(token)) throw invalidInput('invalid token format: invalid parameter');
  return {
    protocol: 'v2',
    token,
    lastBound,
    batchSize,
    snapshot,
    passesOn,
  };
}

/** The Node SDK sends the moment among the parameters. */
function passedTime(parameters: Parameters): Timestamp | null {
  const text = parameters.text('guarantee_timestamp')?.trim() ?? '';
  return /^\d{1,19}$/.test(text) ? pinnedTime({ guaranteeTimestamp: BigInt(text) }) : null;
}

const FLOAT32_MAX = 3.4028234663852886e38;

/** What an iterator without a hit says for the score of its last one: behind it lies everything. */
export function boundBeforeAll(metric: MetricType): number {
  return metricOrder(metric) === 'ascending' ? -FLOAT32_MAX : FLOAT32_MAX;
}

/** The range that begins strictly behind `lastBound`, within `range`. */
export function behind(range: ScoreRange, lastBound: number, metric: MetricType): ScoreRange {
  const ascending = metricOrder(metric) === 'ascending';
  const bound = Math.min(FLOAT32_MAX, Math.max(-FLOAT32_MAX, lastBound));
  const next = nextFloat32(Math.fround(bound), ascending ? 'up' : 'down');
  if (range.rangeFilter === null) return { ...range, rangeFilter: next };
  return {
    ...range,
    rangeFilter: ascending ? Math.max(range.rangeFilter, next) : Math.min(range.rangeFilter, next),
  };
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
/** The least positive float32; both zeros are followed by it. */
const FLOAT32_STEP_FROM_ZERO = 2 ** -149;

/** The float32 next to a float32. REQUIRES: it is finite. */
export function nextFloat32(value: number, direction: 'up' | 'down'): number {
  if (value === 0) return direction === 'up' ? FLOAT32_STEP_FROM_ZERO : -FLOAT32_STEP_FROM_ZERO;
  float[0] = value;
  bits[0]! += (direction === 'up') === value > 0 ? 1 : -1;
  return float[0];
}
