import { FilterError } from './filter-error.ts';

/** A length of time: months by the calendar, all else by the clock. Negative ones go back. */
export interface Interval {
  readonly months: number;
  readonly microseconds: bigint;
}

const DURATION =
  /^P(?=[\dT])(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/;
const SECOND = 1_000_000n;
const DAY_SECONDS = 86_400n;
const MONTHS_MAX = 12 * 10_000;
const MS_PER_DAY = 86_400_000;

/** Reads an ISO 8601 duration of whole years, months, days, hours, minutes and seconds. @throws FilterError */
export function parseInterval(text: string): Interval {
  const match = DURATION.exec(text);
  if (match === null) throw new FilterError(`invalid ISO 8601 duration: ${text.slice(0, 64)}`);
  const part = (index: number) => Number(match[index] ?? 0);
  const months = 12 * part(1) + part(2);
  if (months > MONTHS_MAX) throw new FilterError(`invalid ISO 8601 duration: ${text}`);
  const seconds = BigInt(part(3)) * DAY_SECONDS + BigInt(3_600 * part(4) + 60 * part(5) + part(6));
  return { months, microseconds: seconds * SECOND };
}

/** The same length in the other direction. */
export function oppositeInterval({ months, microseconds }: Interval): Interval {
  return { months: -months, microseconds: -microseconds };
}

/**
 * `microseconds` since 1970 and an interval: first the months, in UTC, where a day that the month does not
 * have becomes its last one, then the rest.
 */
export function addInterval(microseconds: bigint, { months, microseconds: rest }: Interval): bigint {
  if (months === 0) return microseconds + rest;
  const days = floorDivide(microseconds, DAY_SECONDS * SECOND);
  const from = new Date(Number(days) * MS_PER_DAY);
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months];
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month + 1, 0);
  const to = new Date(0);
  to.setUTCFullYear(year, month, Math.min(from.getUTCDate(), lastDay.getUTCDate()));
  const passedMs = to.getTime() - from.getTime();
  // Beyond a quarter of a million years there is no calendar.
  return Number.isNaN(passedMs) ? microseconds + rest : microseconds + BigInt(passedMs) * 1_000n + rest;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
