import { crc32 } from 'node:zlib';
import type { Column } from '@elanus/model';
import type { ReadOptions, SearchHits, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { murmur3 } from '../../write/key-hash.ts';
import { bestHitFirst, keyAt, keyReader, takeHits } from '../hits.ts';
import { sortedWithin } from '../order/order-hits.ts';
import { OWN_VALUE, planOwnFilter } from '../own-filter.ts';
import type { Boost, Boosting, Combination } from './boosting.ts';

type Dependencies = Pick<AccessDependencies, 'reader' | 'share'>;

/** The hits with the scores that boosts make of theirs, best first again; a row that no boost is about keeps its score. */
export async function boostHits(
  dependencies: Dependencies,
  task: SearchTask,
  hits: SearchHits,
  { boosts, among, withScore }: Boosting,
  timeZone: string,
  options: ReadOptions,
): Promise<SearchHits> {
  const totals = new Float64Array(hits.keys.length).fill(among === 'multiply' ? 1 : 0);
  const isBoosted = new Uint8Array(hits.keys.length);
  for (const boost of boosts) {
    const weights = await weightsOf(dependencies, task, hits, boost, timeZone, options);
    for (const [place, weight] of weights) {
      totals[place] = combine(totals[place]!, weight, among);
      isBoosted[place] = 1;
    }
  }
  const scores = hits.scores.map((score, place) =>
    isBoosted[place] === 1 ? combine(score, totals[place]!, withScore) : score,
  );
  const boosted = { ...hits, scores };
  return takeHits(boosted, hits.counts, sortedWithin(hits.counts, bestHitFirst(boosted, task.metric)));
}

function combine(a: number, b: number, combination: Combination): number {
  return combination === 'multiply' ? a * b : a + b;
}

/** By place the weight of every hit that the boost is about. */
async function weightsOf(
  dependencies: Dependencies,
  task: SearchTask,
  hits: SearchHits,
  boost: Boost,
  timeZone: string,
  options: ReadOptions,
): Promise<ReadonlyMap<number, number>> {
  const places = await placesOf(dependencies, task, hits, boost, timeZone, options);
  const factors = boost.random === null ? null : await randomFactors(dependencies, task, hits, boost.random);
  return new Map(places.map((place) => [place, boost.weight * (factors?.[place] ?? 1)]));
}

async function placesOf(
  dependencies: Dependencies,
  { collection, partitionIds, guarantee }: SearchTask,
  { keys, readTimestamp }: SearchHits,
  { filter: text }: Boost,
  timeZone: string,
  options: ReadOptions,
): Promise<readonly number[]> {
  const places = Array.from({ length: keys.length }, (_, place) => place);
  if (text.trim() === '' || keys.length === 0) return places;
  const name = `${OWN_VALUE}hits`;
  const { schema } = collection;
  const condition = {
    text: `${schema.primaryKey.name} in {${name}}`,
    values: new Map([[name, places.map((place) => keyAt(keys, place))]]),
  };
  const filter = await planOwnFilter(dependencies, schema, condition, {
    text,
    templates: new Map(),
    timeZone,
  });
  const task = { collection, partitionIds, guarantee, snapshot: readTimestamp, filter };
  const found = await dependencies.reader.query({ ...task, limit: null, offset: 0 }, options);
  const foundKey = keyReader(found.keys);
  const boosted = new Set(Array.from({ length: found.keys.length }, (_, row) => foundKey(row)));
  const hitKey = keyReader(keys);
  return places.filter((place) => boosted.has(hitKey(place)));
}

/** A number in 0 … 1 of each hit, the same whenever seed and value are. */
async function randomFactors(
  { reader }: Pick<AccessDependencies, 'reader'>,
  { collection }: SearchTask,
  hits: SearchHits,
  { seed, field }: NonNullable<Boost['random']>,
): Promise<Float64Array> {
  const column: Column = field.isPrimaryKey
    ? hits.keys
    : (await reader.fetch(collection.id, hits.locations, [field.id])).get(field.id)!;
  const salt = Number(BigInt.asIntN(32, seed));
  return Float64Array.from({ length: hits.keys.length }, (_, place) => {
    const [low, high] = halvesOf(column, place);
    return (murmur3(murmur3(low, high), salt) >>> 0) / 2 ** 32;
  });
}

function halvesOf(column: Column, row: number): readonly [low: number, high: number] {
  if ('values' in column) {
    const value = BigInt(column.values[row]!);
    return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
  }
  if (!('offsets' in column && 'bytes' in column)) throw new TypeError('boosts need numbers or texts');
  return [crc32(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!)) | 0, 0];
}
