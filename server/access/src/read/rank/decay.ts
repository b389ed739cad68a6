import type { Column } from '@elanus/model';
import type { DecayRanking } from './ranking.ts';

/** How a factor falls; see `DecayRanking`. */
export type DecayCurve = Pick<DecayRanking, 'curve' | 'origin' | 'scale' | 'offset' | 'decay'>;

/**
 * The factor of a value: 1 within `offset` of the origin, `decay` at a distance of `scale` beyond that. A linear one falls no
 * further, the others fall for ever.
 */
export function decayFactor(value: number, { curve, origin, scale, offset, decay }: DecayCurve): number {
  const distance = Math.max(0, Math.abs(value - origin) - offset);
  switch (curve) {
    case 'gauss':
      return Math.exp((distance ** 2 * Math.log(decay)) / scale ** 2);
    case 'exp':
      return Math.exp((distance * Math.log(decay)) / scale);
    case 'linear':
      return Math.max(decay, 1 - ((1 - decay) * distance) / scale);
  }
}

/** The factor of each row of a numeric column; a row without a value counts for nothing. */
export function decayFactors(column: Column, ranking: DecayRanking): Float64Array {
  if (!('values' in column)) throw new TypeError('decay needs numbers');
  const { values, validity } = column;
  return Float64Array.from({ length: column.length }, (_, row) =>
    validity?.[row] === 0 ? 0 : decayFactor(Number(values[row]), ranking),
  );
}
