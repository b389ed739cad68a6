import { FilterError } from './filter-error.ts';
import { timeZone } from './time-zone.ts';

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?$/;
const MINUTE_MS = 60_000;

/** As `parseInstantText`. @throws FilterError */
export function parseInstant(text: string, zone: string, phase: 'parse' | 'fill' = 'parse'): bigint {
  const microseconds = parseInstantText(text, zone);
  if (microseconds !== undefined) return microseconds;
  throw new FilterError(`invalid timestamptz literal: ${text.slice(0, 64)}`, phase);
}

/**
 * Reads `2025-01-01T00:00:00Z` and its shorter forms as microseconds since 1970; what stands behind the
 * sixth decimal place is cut off. Without an offset it is the wall time of `zone`, an IANA name. `undefined` for
 * any other text.
 */
export function parseInstantText(text: string, zone: string): bigint | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const part = (index: number) => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    ...[number, number, number],
    ...[number, number, number],
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59 || part(10) > 23 || part(11) > 59) return undefined;
  const wallMs = date.setUTCHours(hour, minute, second);
  const fraction = BigInt((match[7] ?? '').padEnd(6, '0').slice(0, 6));
  return BigInt(wallMs - offsetOf(match, wallMs, zone)) * 1_000n + fraction;
}

function offsetOf(match: RegExpExecArray, wallMs: number, zone: string): number {
  if (match[8] !== undefined) return 0;
  if (match[9] === undefined) return timeZone(zone).offsetOfWall(wallMs);
  const size = (60 * Number(match[10]) + Number(match[11])) * MINUTE_MS;
  return match[9] === '-' ? -size : size;
}

/** From the year 0 to the end of the year 9999: what texts can say. */
export const INSTANT_MIN = -62_167_219_200_000_000n;
export const INSTANT_MAX = 253_402_300_799_999_999n;

/**
 * Writes microseconds between `INSTANT_MIN` and `INSTANT_MAX` as RFC 3339 on the wall of `zone`, an IANA name: with the
 * zone's offset, no more decimal places than there are, and `Z` where the offset is none.
 */
export function instantFormatter(zone: string): (microseconds: bigint) => string {
  const known = timeZone(zone);
  return (microseconds) => {
    const { ms, fraction } = split(microseconds);
    // Offsets of times before there were zones have seconds, which RFC 3339 can't say.
    const minutes = Math.trunc(known.offsetAt(ms) / MINUTE_MS);
    const wall = new Date(ms + minutes * MINUTE_MS).toISOString();
    const seconds = wall.slice(0, wall.indexOf('.'));
    const places = fraction === 0 ? '' : `.${String(fraction).padStart(6, '0').replace(/0+$/, '')}`;
    return `${seconds}${places}${printOffset(minutes)}`;
  };
}

/** What the wall shows of an instant; `microsecond` are those behind the whole second. */
export type InstantPart = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'microsecond';

/** Reads parts of instants off the wall of `zone`. */
export function instantPartReader(
  zone: string,
  parts: readonly InstantPart[],
): (microseconds: bigint) => readonly bigint[] {
  const known = timeZone(zone);
  return (microseconds) => {
    const { ms, fraction } = split(microseconds);
    const wall = new Date(ms + known.offsetAt(ms));
    return parts.map((part) => BigInt(part === 'microsecond' ? fraction : PART_OF[part](wall)));
  };
}

const PART_OF: Readonly<Record<Exclude<InstantPart, 'microsecond'>, (wall: Date) => number>> = {
  year: (wall) => wall.getUTCFullYear(),
  month: (wall) => wall.getUTCMonth() + 1,
  day: (wall) => wall.getUTCDate(),
  hour: (wall) => wall.getUTCHours(),
  minute: (wall) => wall.getUTCMinutes(),
  second: (wall) => wall.getUTCSeconds(),
};

/** Whole seconds in milliseconds, and the microseconds behind them. */
function split(microseconds: bigint): { readonly ms: number; readonly fraction: number } {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return { ms: Number((microseconds - fraction) / 1_000n), fraction: Number(fraction) };
}

function printOffset(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
