import { type Column, DataType, type NumericColumn, type VarCharColumn } from '@elanus/model';
import { isInt64Like, isNumeric } from '../numeric-type.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import { hashBytes, hashWords, type KeyHash } from './key-hash.ts';
import { lowerBound, upperBound } from './text-bound.ts';

/** What is known of a column's values without reading them. Nulls do not count. */
export interface ColumnStatistics {
  readonly nulls: number;
  /**
   * No value is below `min` or above `max`; numbers are exact, texts may be cut. `null`: there are no values, the type
   * has no order, or some value is not a number.
   */
  readonly min: bigint | number | string | null;
  readonly max: bigint | number | string | null;
  /** About how many different values there are; `null` for types whose values are not compared. */
  readonly distinct: number | null;
}

/** Gathers the statistics of one column, in pieces of any size. */
export interface StatisticsBuilder {
  add(column: Column, start: number, end: number): void;
  finish(nulls: number): ColumnStatistics;
}

export function statisticsBuilder(dataType: DataType): StatisticsBuilder {
  if (isInt64Like(dataType)) return new Int64Statistics();
  if (isNumeric(dataType)) return new NumberStatistics();
  if (dataType === DataType.VarChar) return new TextStatistics();
  return NO_STATISTICS;
}

const NO_STATISTICS: StatisticsBuilder = {
  add: () => {},
  finish: (nulls) => ({ nulls, min: null, max: null, distinct: null }),
};

/** Values stay halves: reading a bigint makes an object. */
class Int64Statistics implements StatisticsBuilder {
  #isEmpty = true;
  readonly #min: Halves = { low: 0, high: 0 };
  readonly #max: Halves = { low: 0, high: 0 };
  readonly #distinct = new DistinctEstimate();
  readonly #hash: KeyHash = { low: 0, high: 0 };

  add(column: Column, start: number, end: number): void {
    const { values, validity } = column as NumericColumn & { values: BigInt64Array };
    const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    const [min, max] = [this.#min, this.#max];
    for (let row = start; row < end; row++) {
      if (validity?.[row] === 0) continue;
      const low = words[2 * row]!;
      const high = words[2 * row + 1]!;
      // All rows of a write have one timestamp: what was looked at says nothing new.
      const isAgain = low === words[2 * row - 2] && high === words[2 * row - 1];
      if (isAgain && row > start && validity?.[row - 1] !== 0) continue;
      if (this.#isEmpty || isBelow(low, high, min.low, min.high)) [min.low, min.high] = [low, high];
      if (this.#isEmpty || isBelow(max.low, max.high, low, high)) [max.low, max.high] = [low, high];
      this.#isEmpty = false;
      hashWords(low, high, this.#hash);
      this.#distinct.add(this.#hash);
    }
  }

  finish(nulls: number): ColumnStatistics {
    const [min, max] = this.#isEmpty ? [null, null] : [int64Of(this.#min), int64Of(this.#max)];
    return { nulls, min, max, distinct: this.#distinct.estimate() };
  }
}

/** Of an int64: the lower one without a sign, whatever the number says. */
interface Halves {
  low: number;
  high: number;
}

function isBelow(lowA: number, highA: number, lowB: number, highB: number): boolean {
  return highA < highB || (highA === highB && lowA >>> 0 < lowB >>> 0);
}

function int64Of({ low, high }: Halves): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

class NumberStatistics implements StatisticsBuilder {
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #hasNaN = false;
  readonly #distinct = new DistinctEstimate();
  readonly #hash: KeyHash = { low: 0, high: 0 };
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);

  add(column: Column, start: number, end: number): void {
    const { values, validity } = column as Exclude<NumericColumn, { readonly values: BigInt64Array }>;
    for (let row = start; row < end; row++) {
      if (validity?.[row] === 0) continue;
      // Zero has two signs and is one value.
      const value = values[row]! + 0;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      if (Number.isNaN(value)) this.#hasNaN = true;
      this.#number[0] = value;
      hashWords(this.#words[0]!, this.#words[1]!, this.#hash);
      this.#distinct.add(this.#hash);
    }
  }

  finish(nulls: number): ColumnStatistics {
    const isKnown = !this.#hasNaN && this.#min <= this.#max;
    return {
      nulls,
      min: isKnown ? this.#min : null,
      max: isKnown ? this.#max : null,
      distinct: this.#distinct.estimate(),
    };
  }
}

/** A text as it lies in a column's bytes. */
interface TextPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

class TextStatistics implements StatisticsBuilder {
  #min: TextPlace | null = null;
  #max: TextPlace | null = null;
  readonly #distinct = new DistinctEstimate();
  readonly #hash: KeyHash = { low: 0, high: 0 };

  add(column: Column, start: number, end: number): void {
    const { bytes, offsets, validity } = column as VarCharColumn;
    for (let row = start; row < end; row++) {
      if (validity?.[row] === 0) continue;
      const from = offsets[row]!;
      const to = offsets[row + 1]!;
      if (this.#min === null || compareTo(this.#min, bytes, from, to) > 0)
        this.#min = { bytes, start: from, end: to };
      if (this.#max === null || compareTo(this.#max, bytes, from, to) < 0)
        this.#max = { bytes, start: from, end: to };
      hashBytes(bytes, from, to, this.#hash);
      this.#distinct.add(this.#hash);
    }
  }

  finish(nulls: number): ColumnStatistics {
    const min = this.#min === null ? null : lowerBound(textAt(this.#min));
    const max = this.#max === null ? null : upperBound(textAt(this.#max));
    return { nulls, min, max, distinct: this.#distinct.estimate() };
  }
}

/** In the order of UTF-8 bytes. */
function compareTo(place: TextPlace, bytes: Uint8Array, start: number, end: number): number {
  const length = Math.min(place.end - place.start, end - start);
  for (let i = 0; i < length; i++) {
    const difference = place.bytes[place.start + i]! - bytes[start + i]!;
    if (difference !== 0) return difference;
  }
  return place.end - place.start - (end - start);
}

function textAt({ bytes, start, end }: TextPlace): string {
  // Shared memory has to be copied to be decoded.
  return new TextDecoder().decode(bytes.slice(start, end));
}
